import { describe, expect, it, vi } from "vitest";
import { AppState } from "../../app-state.svelte";
import type { Failure, SettingValue } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { Saved } from "./saved.svelte";

const refused: Failure = { code: "storage", message: "The disk is full.", hint: null };

const start: Platform["start"] = { window: "main", navigate: null, theme: "system", language: null, text_size: 100 };

type Answer = { resolve: (value: SettingValue) => void; reject: (failure: Failure) => void };

/** A world whose answers come when the test says so. */
async function world(rows: Partial<SettingValue>[] = []) {
  const answers: Answer[] = [];
  const updateSetting = vi.fn<Platform["updateSetting"]>(
    () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
  );
  const settings = rows.map((row) => ({ key: "", value: null, origin: "stored", about: "", ...row }) as SettingValue);
  const app = new AppState({
    updateSetting,
    listSettings: async () => settings,
    onOnline: () => undefined,
    start,
  } as Partial<Platform> as Platform);
  await app.loadSettings();
  return { saved: new Saved(app), app, updateSetting, answers };
}

const pages = (value: number, origin: SettingValue["origin"] = "stored") => ({
  key: "answer.pages",
  value,
  origin,
  about: "",
});

describe("settings as a page shows them", () => {
  it("show a change before it is saved", async () => {
    const { saved, answers } = await world([pages(8)]);
    const done = saved.save("answer.pages", "12");
    expect(saved.number("answer.pages", 0)).toBe(12);
    answers[0]!.resolve(pages(12));
    expect(await done).toBe(true);
    expect(saved.number("answer.pages", 0)).toBe(12);
  });

  it("take a refused change back and keep the reason until the next try", async () => {
    const { saved, answers } = await world([pages(8)]);
    const done = saved.save("answer.pages", "12");
    answers[0]!.reject(refused);
    expect(await done).toBe(false);
    expect(saved.number("answer.pages", 0)).toBe(8);
    expect(saved.failures.get("answer.pages")).toEqual(refused);
    void saved.save("answer.pages", "9");
    expect(saved.failures.has("answer.pages")).toBe(false);
  });

  it("send only the last of several changes made while one is on its way", async () => {
    const { saved, answers, updateSetting } = await world([pages(8)]);
    const done = saved.save("answer.pages", "9");
    void saved.save("answer.pages", "10");
    void saved.save("answer.pages", "11");
    answers[0]!.resolve(pages(9));
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    expect(saved.number("answer.pages", 0)).toBe(11);
    answers[1]!.resolve(pages(11));
    await done;
    expect(updateSetting.mock.calls.map(([, text]) => text)).toEqual(["9", "11"]);
  });

  it("hand a secret on without keeping it", async () => {
    const { saved, answers } = await world();
    const done = saved.saveSecret("engines.brave.key", "s3cret");
    expect(saved.isChosen("engines.brave.key")).toBe(false);
    answers[0]!.resolve({ key: "engines.brave.key", value: true, origin: "stored", about: "" });
    await done;
    expect(saved.isChosen("engines.brave.key")).toBe(true);
    expect(JSON.stringify([...saved.app.settings])).not.toContain("s3cret");
  });

  it("say who else decides", async () => {
    const { saved } = await world([pages(8, "environment"), { key: "theme", value: "dark", origin: "file" }]);
    expect(saved.lock("answer.pages")).toBe("environment");
    expect(saved.lock("theme")).toBe("file");
    expect(saved.lock("language")).toBeNull();
  });

  it("read lists and flags from what is stored and from what is on its way", async () => {
    const { saved } = await world([
      { key: "engines.order", value: ["brave", "exa"] },
      { key: "answer.show_checks", value: true },
    ]);
    expect(saved.list("engines.order")).toEqual(["brave", "exa"]);
    void saved.save("engines.order", "exa,brave");
    expect(saved.list("engines.order")).toEqual(["exa", "brave"]);
    void saved.save("answer.show_checks", "false");
    expect(saved.flag("answer.show_checks", true)).toBe(false);
  });
});
