import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AccountState, Failure } from "../../bindings/bindings";
import { FakePlatform } from "../../platform/fake";
import type { AccountScenario } from "../../platform/fake/options";
import { AccountPage, initials, PATIENCE_MS } from "./account.svelte";

const offline: Failure = { code: "offline", message: "It cannot be reached.", hint: null };

async function open(account: AccountScenario) {
  const platform = new FakePlatform("main", { speed: 0, account });
  const page = new AccountPage(platform);
  const end = page.start();
  await vi.waitFor(() => expect(page.standing).not.toBeNull());
  return { platform, page, end };
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("signing in", () => {
  it("asks the gateway for its ways in, and no gateway where none is set", async () => {
    const { page } = await open("gateway");
    await vi.waitFor(() => expect(page.gateway?.providers.map(({ id }) => id)).toContain("discord"));
    const none = await open("none");
    expect(none.page.gateway).toBeNull();
    expect(none.page.failure).toBeNull();
  });

  it("asks a gateway that is away once, and again only when told to", async () => {
    const { platform, page } = await open("away");
    await vi.waitFor(() => expect(page.failed("looking")?.code).toBe("offline"));
    const look = vi.spyOn(platform, "lookAtGateway");
    await page.read();
    await page.read();
    expect(look).not.toHaveBeenCalled();
    await page.look();
    expect(look).toHaveBeenCalledTimes(1);
  });

  it("offers the other ways by itself once the browser has had its time", async () => {
    const { page, end } = await open("gateway");
    await page.signIn("deep_link", "discord");
    expect(page.standing?.signing_in?.way).toBe("deep_link");
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1_000);
    expect(page.late).toBe(false);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(page.late).toBe(true);
    end();
  });

  it("offers them at once for a sign-in that began before this page was opened", async () => {
    const { page } = await open("late");
    expect(page.late).toBe(true);
  });

  it("offers no other way while a code is waited for", async () => {
    const { page } = await open("gateway");
    await page.signIn("device_code");
    await vi.advanceTimersByTimeAsync(PATIENCE_MS * 2);
    expect(page.standing?.signing_in?.user_code).toBe("WDJB-MJHT");
    expect(page.late).toBe(false);
  });

  it("goes on by itself when the answer comes, and lists the devices", async () => {
    const { platform, page } = await open("waiting");
    platform.account.finish();
    await vi.waitFor(() => expect(page.standing?.signed_in?.user.email).toBe("ada@example.org"));
    await vi.waitFor(() => expect(page.account?.devices[0]?.current).toBe(true));
  });

  it("says why it did not work, and can be begun anew", async () => {
    const { platform, page } = await open("waiting");
    platform.account.finish(offline);
    await vi.waitFor(() => expect(page.standing?.failure).toEqual(offline));
    await page.signIn("deep_link");
    expect(page.standing?.failure).toBeNull();
  });

  it("takes a second press for the first", async () => {
    const { platform, page } = await open("gateway");
    await Promise.all([page.signIn("deep_link"), page.signIn("deep_link")]);
    expect(platform.deeds.filter(({ what }) => what === "startSignIn")).toHaveLength(1);
  });
});

describe("signed in", () => {
  it("takes a device off the list that was signed out", async () => {
    const { platform, page } = await open("signed_in");
    await vi.waitFor(() => expect(page.account?.devices).toHaveLength(3));
    await page.revoke("d2");
    expect(page.account?.devices.map(({ id }) => id)).not.toContain("d2");
    expect(platform.deeds).toContainEqual({ what: "revokeDevice", about: "d2" });
  });

  it("says so when the gateway could not be told that this device signs out", async () => {
    const { platform, page } = await open("signed_in");
    platform.goOnline(false);
    await page.signOut(false);
    expect(page.standing?.signed_in).toBeNull();
    expect(page.untold).toBe(true);
  });

  it("forgets the devices with the person", async () => {
    const { page } = await open("signed_in");
    await vi.waitFor(() => expect(page.account).not.toBeNull());
    await page.signOutEverywhere();
    expect(page.account).toBeNull();
  });

  it("notices that it was signed out elsewhere when it asks for the devices", async () => {
    const { platform, page } = await open("signed_in");
    await vi.waitFor(() => expect(page.account).not.toBeNull());
    const over: Failure = { code: "key_refused", message: "This device was signed out.", hint: null };
    vi.spyOn(platform, "lookupAccount").mockRejectedValueOnce(over);
    const out: AccountState = {
      gateway: "https://a.example",
      signed_in: null,
      signing_in: null,
      failure: over,
      locked: null,
    };
    vi.spyOn(platform, "accountState").mockResolvedValueOnce(out);
    await page.list();
    expect(page.standing?.failure).toEqual(over);
    expect(page.standing?.signed_in).toBeNull();
  });

  it("finds a session again once its keychain is unlocked", async () => {
    const { page } = await open("locked");
    expect(page.standing?.locked?.code).toBe("storage");
    await page.recall();
    expect(page.standing?.signed_in).not.toBeNull();
  });
});

describe("a person without a picture", () => {
  it("is marked by the first letters of their names, in any script", () => {
    expect(initials("Ada Lovelace", "a@b.c")).toBe("AL");
    expect(initials("ada king noel", "a@b.c")).toBe("AN");
    expect(initials("Plato", "a@b.c")).toBe("P");
    expect(initials(null, "zoe@example.org")).toBe("Z");
    expect(initials("👩‍🚀 太郎", "a@b.c")).toBe("👩‍🚀太");
    expect(initials("  ", "")).toBe("");
  });
});
