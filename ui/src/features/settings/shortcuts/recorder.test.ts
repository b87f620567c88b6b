import { describe, expect, it, vi } from "vitest";
import type { Failure, Shortcut } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { Recorder } from "./recorder.svelte";

const taken: Failure = { code: "refused", message: "Another program has taken it.", hint: null };
const old: Shortcut = { keys: "CommandOrControl+Shift+Space", given: null, active: true, problem: null };

function recorder(updateShortcut: Platform["updateShortcut"]) {
  const platform = { shortcut: async () => old, updateShortcut } as Partial<Platform> as Platform;
  return new Recorder(platform);
}

const key = (name: string, held: KeyboardEventInit = {}) =>
  new KeyboardEvent("keydown", { key: name, code: name, ...held });

describe("the recorder", () => {
  it("takes the first whole shortcut", async () => {
    const update = vi.fn<Platform["updateShortcut"]>(async (keys) => ({
      keys,
      given: null,
      active: true,
      problem: null,
    }));
    const state = recorder(update);
    await state.load();
    state.start();
    expect(state.press(key("Control", { ctrlKey: true }), "linux")).toBe(true);
    expect(state.pressed).toEqual({ kind: "held", keys: ["CommandOrControl"] });
    state.press(key("F8", { ctrlKey: true }), "linux");
    await vi.waitFor(() => expect(state.shortcut?.keys).toBe("CommandOrControl+F8"));
    expect(state.recording).toBe(false);
  });

  it("keeps the old one and says why when the new one is taken", async () => {
    const state = recorder(() => Promise.reject(taken));
    await state.load();
    await state.take("Super+K");
    expect(state.shortcut).toEqual(old);
    expect(state.refused).toEqual({ keys: "Super+K", failure: taken });
    expect(state.saving).toBe(false);
  });

  it("leaves by Esc and lets Tab move on", async () => {
    const update = vi.fn<Platform["updateShortcut"]>();
    const state = recorder(update);
    state.start();
    expect(state.press(key("Escape"), "linux")).toBe(true);
    expect(state.recording).toBe(false);
    state.start();
    expect(state.press(key("Tab"), "linux")).toBe(false);
    expect(state.recording).toBe(false);
    expect(update).not.toHaveBeenCalled();
  });

  it("hears nothing unless it records, and nothing that an input method composes", () => {
    const state = recorder(vi.fn());
    expect(state.press(key("F8"), "linux")).toBe(false);
    state.start();
    expect(state.press(key("F8", { isComposing: true }), "linux")).toBe(false);
    expect(state.press(key("F8", { keyCode: 229 }), "linux")).toBe(false);
    expect(state.recording).toBe(true);
  });
});
