import { beforeEach, describe, expect, it, vi } from "vitest";
import { AppState } from "../../../app-state.svelte";
import type { EngineStatus, Failure, SettingValue } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { Saved } from "../saved.svelte";
import { Engines } from "./engines.svelte";

function engine(id: string): EngineStatus {
  return {
    engine: id,
    name: id,
    used: true,
    state: { kind: "ready" },
    last_success: null,
    last_failure: null,
    successes: 0,
    failures: 0,
    median_ms: null,
    key_url: null,
    kind: "web",
    needs_key: false,
    needs_url: false,
    enabled: true,
    lacks_key: false,
    lacks_url: false,
    held_back: false,
  };
}

let settings: Map<string, SettingValue>;
let updateSetting: ReturnType<typeof vi.fn<Platform["updateSetting"]>>;

async function engines(order: string[] = [], origin: SettingValue["origin"] = "stored", over: Partial<Platform> = {}) {
  settings = new Map([["engines.order", { key: "engines.order", value: order, origin, about: "" }]]);
  updateSetting = vi.fn(async (key, text) => {
    const value = key === "engines.order" ? (text ?? "").split(",").filter(Boolean) : text === "true";
    const setting: SettingValue = { key, value, origin: text === null ? "default" : "stored", about: "" };
    settings.set(key, setting);
    return setting;
  });
  const platform = {
    start: { window: "main", navigate: null, theme: "system", language: null, text_size: 100 },
    updateSetting,
    listSettings: async () => [...settings.values()],
    listEngines: async () => ["brave", "wikipedia", "exa"].map(engine),
    onOnline: () => undefined,
    ...over,
  } as Partial<Platform> as Platform;
  const app = new AppState(platform);
  await app.loadSettings();
  const state = new Engines(platform, new Saved(app));
  await state.load();
  return state;
}

const ids = (state: Engines) => state.rows?.map((row) => row.engine);

describe("the engines", () => {
  beforeEach(() => vi.restoreAllMocks());

  it("are shown in the order that was chosen, left-out ones last", async () => {
    const state = await engines(["exa", "brave"]);
    expect(ids(state)).toEqual(["exa", "brave", "wikipedia"]);
    expect(state.isLeftOut("wikipedia")).toBe(true);
    expect(state.movable).toBe(2);
  });

  it("move at once and are saved as a whole order", async () => {
    const state = await engines();
    expect(state.move("exa", 0)).toBe(true);
    expect(ids(state)).toEqual(["exa", "brave", "wikipedia"]);
    expect(updateSetting).toHaveBeenCalledWith("engines.order", "exa,brave,wikipedia");
  });

  it("show where one is dragged to, and save only where it is let go", async () => {
    const state = await engines();
    state.drag("exa", 1);
    state.drag("exa", 0);
    expect(ids(state)).toEqual(["exa", "brave", "wikipedia"]);
    expect(updateSetting).not.toHaveBeenCalled();
    state.cancelDrag();
    expect(ids(state)).toEqual(["brave", "wikipedia", "exa"]);
    state.drag("exa", 0);
    await state.drop();
    expect(updateSetting.mock.calls).toEqual([["engines.order", "exa,brave,wikipedia"]]);
  });

  it("do not move beyond the ends, nor when the order is decided elsewhere", async () => {
    const state = await engines();
    expect(state.move("brave", -1)).toBe(false);
    expect(state.move("exa", 9)).toBe(false);
    const locked = await engines(["brave", "exa"], "file");
    expect(locked.move("exa", 0)).toBe(false);
    expect(updateSetting).not.toHaveBeenCalled();
  });

  it("join the order when one that it leaves out is turned on", async () => {
    const state = await engines(["exa", "brave"]);
    expect(state.isOn("wikipedia")).toBe(false);
    await state.setOn("wikipedia", true);
    expect(updateSetting.mock.calls).toEqual([["engines.order", "exa,brave,wikipedia"]]);
    expect(state.isOn("wikipedia")).toBe(true);
  });

  it("keep their place when they are turned off", async () => {
    const state = await engines(["exa", "brave"]);
    await state.setOn("exa", false);
    expect(updateSetting.mock.calls).toEqual([["engines.exa.enabled", "false"]]);
    expect(ids(state)).toEqual(["exa", "brave", "wikipedia"]);
  });

  it("go back to where they were when the order is refused", async () => {
    const failure: Failure = { code: "storage", message: "The disk is full.", hint: null };
    const state = await engines([], "default", { updateSetting: () => Promise.reject(failure) });
    state.move("exa", 0);
    await vi.waitFor(() => expect(ids(state)).toEqual(["brave", "wikipedia", "exa"]));
  });

  it("tell what each did with the test, and that the test itself failed", async () => {
    const tryEngines = vi.fn<Platform["tryEngines"]>(async () => [{ engine: "exa", hits: 3, failure: null }]);
    const state = await engines([], "default", { tryEngines });
    await state.test();
    expect(state.trialOf("exa")?.hits).toBe(3);
    tryEngines.mockRejectedValueOnce({ code: "internal", message: "No.", hint: null } satisfies Failure);
    await state.test();
    expect(state.failure?.message).toBe("No.");
    expect(state.testing).toBe(false);
  });
});
