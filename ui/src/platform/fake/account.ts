// The fake's account: how it stands, and a gateway that always says yes. A test plays the browser by `finish`.

import type { Account, AccountState, DateTime, Failure, GatewayInfo, SignInStep, Way } from "../../bindings/bindings";
import type { FakeConfiguration } from "./configuration";
import { failures } from "./failures";
import type { FakeOptions } from "./options";

const THIS = "0c2f9a34-1d0b-4c7e-9a51-6f2d7e1b8c11";
const USER = { id: "u1", name: "Ada Lovelace", email: "ada@example.org", image: null, is_admin: false };

export class FakeAccount {
  readonly listeners = new Set<() => void>();
  #signedIn: boolean;
  #step: SignInStep | null = null;
  #failure: Failure | null = null;
  #revoked = new Set<string>();
  #locked: boolean;

  constructor(
    readonly options: FakeOptions,
    readonly configuration: FakeConfiguration,
  ) {
    const { account } = options;
    this.#signedIn = ["signed_in", "administrator", "file"].includes(account);
    this.#locked = account === "locked";
    if (account === "failed") this.#failure = failures.signInExpired;
    if (account === "waiting" || account === "late" || account === "finishing") this.#step = this.#begun("deep_link");
    if (account === "code") this.#step = this.#begun("device_code");
  }

  /** What the database would find, if it were asked. */
  get isAdministrator(): boolean {
    return this.#signedIn && this.options.account === "administrator";
  }

  get isSignedIn(): boolean {
    return this.#signedIn;
  }

  state(): AccountState {
    const gateway = String(this.configuration.value("gateway.url")) || null;
    const kept_in = this.options.account === "file" ? "file" : "keychain";
    const signed_in = {
      user: { ...USER, is_admin: this.isAdministrator },
      gateway: gateway ?? "",
      device_id: THIS,
      device_name: "ada-laptop",
      since: this.#ago(9 * 86_400_000),
      kept_in,
    } as const;
    return {
      gateway,
      signed_in: this.#signedIn ? signed_in : null,
      signing_in: this.#step,
      failure: this.#failure,
      locked: this.#locked ? failures.keychainLocked : null,
    };
  }

  gateway(): GatewayInfo {
    if (this.options.account === "away" || this.options.scenario === "offline") throw failures.gatewayAway;
    return {
      url: String(this.configuration.value("gateway.url")),
      host: "sign-in.example.org",
      takes_codes: true,
      providers: [
        { id: "discord", name: "Discord", kind: "oauth" },
        { id: "google", name: "Google", kind: "oidc" },
        { id: "github", name: "GitHub", kind: "oauth" },
        { id: "email", name: "E-mail", kind: "email" },
      ],
    };
  }

  begin(way: Way): SignInStep {
    this.#failure = null;
    this.#step = { ...this.#begun(way), started_at: new Date().toISOString() };
    this.#changed();
    return this.#step;
  }

  /** What the browser brings: somebody who is signed in, or why nobody is. */
  finish(failure: Failure | null = null): void {
    this.#step = null;
    this.#failure = failure;
    this.#signedIn = failure === null;
    this.#changed();
  }

  cancel(): void {
    this.#step = null;
    this.#changed();
  }

  recall(): AccountState {
    this.#locked = false;
    this.#signedIn = true;
    this.#changed();
    return this.state();
  }

  account(): Account {
    if (this.options.scenario === "offline") throw failures.gatewayAway;
    const devices = [
      {
        id: THIS,
        name: "ada-laptop",
        created_at: this.#ago(9 * 86_400_000),
        last_seen_at: this.#ago(0),
        current: true,
      },
      { id: "d2", name: "Studio", created_at: this.#ago(40 * 86_400_000), last_seen_at: this.#ago(7_200_000) },
      {
        id: "d3",
        name: "A very old machine in the cellar",
        created_at: this.#ago(300 * 86_400_000),
        last_seen_at: null,
      },
    ];
    return {
      user: USER,
      devices: devices.map((device) => ({ current: false, ...device })).filter(({ id }) => !this.#revoked.has(id)),
    };
  }

  revoke(device: string): void {
    this.#revoked.add(device);
  }

  signOut(): void {
    this.#signedIn = false;
    this.#locked = false;
    this.#changed();
  }

  #begun(way: Way): SignInStep {
    const code = way === "device_code";
    return {
      way,
      gateway: "https://sign-in.example.org",
      user_code: code ? "WDJB-MJHT" : null,
      code_address: code ? "https://sign-in.example.org/device" : null,
      started_at: this.#ago(this.options.account === "late" ? 20_000 : 0),
      expires_at: this.#ago(-600_000),
      finishing: this.options.account === "finishing",
    };
  }

  #ago(ms: number): DateTime {
    return new Date(this.options.now - ms).toISOString();
  }

  #changed(): void {
    for (const listener of this.listeners) listener();
  }
}
