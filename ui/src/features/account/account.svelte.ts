// The account as a page shows it: how it stands, the gateway's ways in, the devices, and what is being done.

import type { Account, AccountState, Failure, GatewayInfo, Way } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";

/** How much is only on this device. */
export type Held = { changes: number; chats: number };

type Doing =
  | "loading"
  | "looking"
  | "starting"
  | "opening"
  | "cancelling"
  | "recalling"
  | "listing"
  | "revoking"
  | "signing_out"
  | "everywhere"
  | "exporting"
  | "deleting";

/** A link that has not come back by then may never do: the other ways are offered. */
export const PATIENCE_MS = 8_000;

export class AccountPage {
  standing = $state.raw<AccountState | null>(null);
  gateway = $state.raw<GatewayInfo | null>(null);
  account = $state.raw<Account | null>(null);
  /** Where the last export went. */
  exported = $state<string | null>(null);
  /** Signed out here while the gateway could not be told. */
  untold = $state(false);
  /** What would be gone with the local copy, while the person is asked whether it may. */
  held = $state.raw<Held | null>(null);
  doing = $state.raw<Doing | null>(null);
  /** What is being started or signed out, for the one button that shows it. */
  about = $state<string | null>(null);
  failure = $state.raw<{ doing: Doing; failure: Failure } | null>(null);
  /** The browser has had its time. */
  late = $state(false);

  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The address that was looked at last, well or not: it is not asked over and over. */
  #lookedAt: string | null = null;

  constructor(private readonly platform: Platform) {}

  /** Reads how it stands and follows it; the returned function ends that. */
  start(): () => void {
    const listening = this.platform.onAccountChanged(() => void this.read());
    void this.read();
    return () => {
      clearTimeout(this.#timer);
      void listening.then((end) => end());
    };
  }

  async read(): Promise<void> {
    const before = this.standing;
    try {
      this.standing = await this.platform.accountState();
    } catch (error) {
      this.failure = { doing: "loading", failure: asFailure(error) };
      return;
    }
    this.#wait();
    const { signed_in, signing_in, gateway } = this.standing;
    if (signed_in && signed_in.device_id !== before?.signed_in?.device_id) {
      this.failure = null;
      this.untold = false;
      void this.list();
    }
    if (!signed_in) this.account = null;
    if (!signed_in && !signing_in && gateway && gateway !== this.#lookedAt) void this.look();
    if (!gateway) this.gateway = this.#lookedAt = null;
  }

  look = () => {
    this.#lookedAt = this.standing?.gateway ?? null;
    return this.#load("looking", async () => {
      this.gateway = null;
      this.gateway = await this.platform.lookAtGateway();
    });
  };

  signIn = (way: Way, provider: string | null = null) =>
    this.#do("starting", provider ?? way, async () => {
      this.untold = false;
      await this.platform.startSignIn(way, provider);
    });

  openAgain = () => this.#do("opening", null, () => this.platform.openSignIn());
  cancel = () => this.#do("cancelling", null, () => this.platform.cancelSignIn());

  recall = () =>
    this.#do("recalling", null, async () => {
      this.standing = await this.platform.recallSession();
    });

  list = () =>
    this.#load("listing", async () => {
      this.account = await this.platform.lookupAccount();
    });

  revoke = (device: string) =>
    this.#do("revoking", device, async () => {
      await this.platform.revokeDevice(device);
      if (this.account) {
        this.account = { ...this.account, devices: this.account.devices.filter(({ id }) => id !== device) };
      }
    });

  /** What is nowhere else is held back, and asked for, until it comes with `discard`. */
  signOut = (remove: boolean, discard = false) =>
    this.#do("signing_out", null, async () => {
      this.held = null;
      const leaving = await this.platform.signOut(remove, discard);
      if (leaving.outcome === "held") this.held = leaving;
      else this.untold = !leaving.told_gateway;
    });

  keepHeld = () => (this.held = null);

  signOutEverywhere = () => this.#do("everywhere", null, () => this.platform.signOutEverywhere());

  exportAccount = () =>
    this.#do("exporting", null, async () => {
      this.exported = null;
      this.exported = await this.platform.exportAccount();
    });

  deleteAccount = (email: string) => this.#do("deleting", null, () => this.platform.deleteAccount(email));

  failed(doing: Doing): Failure | null {
    return this.failure?.doing === doing ? this.failure.failure : null;
  }

  /** Lets the browser have its time, counted from when the sign-in began. */
  #wait(): void {
    clearTimeout(this.#timer);
    const step = this.standing?.signing_in;
    this.late = false;
    if (!step || step.way === "device_code" || step.finishing) return;
    const left = Date.parse(step.started_at) + PATIENCE_MS - Date.now();
    if (left <= 0) this.late = true;
    else this.#timer = setTimeout(() => (this.late = true), Math.min(left, PATIENCE_MS));
  }

  /** What is read by itself waits for nothing that a person does. */
  async #load(doing: Doing, work: () => Promise<void>): Promise<void> {
    if (this.failure?.doing === doing) this.failure = null;
    try {
      await work();
    } catch (error) {
      this.failure = { doing, failure: asFailure(error) };
      // The gateway may have said that nobody is signed in any more.
      this.standing = await this.platform.accountState().catch(() => this.standing);
    }
  }

  async #do(doing: Doing, about: string | null, work: () => Promise<void>): Promise<void> {
    // A second press while the first still works is one press.
    if (this.doing) return;
    this.doing = doing;
    this.about = about;
    this.failure = null;
    try {
      await work();
    } catch (error) {
      this.failure = { doing, failure: asFailure(error) };
    } finally {
      this.doing = null;
      this.about = null;
    }
    await this.read();
  }
}

/** What stands in the round mark of a person without a picture: the first letters of their names. */
export function initials(name: string | null, email: string): string {
  const words = (name ?? "").split(/\s+/u).filter(Boolean);
  const letters = words.length > 0 ? [words[0], words.length > 1 ? words.at(-1) : ""] : [email];
  return letters.map((word) => firstLetter(word ?? "")).join("");
}

function firstLetter(word: string): string {
  const [letter] = new Intl.Segmenter().segment(word);
  return letter ? letter.segment.toLocaleUpperCase() : "";
}
