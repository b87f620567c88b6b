// What a window shows and follows.

import { flushSync } from "svelte";
import { expect, it, vi } from "vitest";
import { onShortcut } from "./app-shortcuts";
import { AppState } from "./app-state.svelte";
import { FakePlatform } from "./platform/fake";
import { language } from "./shared/i18n.svelte";
import { m } from "./shared/messages";
import { fakeWindow } from "./shared/testing";

const root = document.documentElement;

it("looks as it was left, from the first moment", async () => {
  // As `main.ts` does before anything is drawn.
  await language.choose("ar");
  fakeWindow({ theme: "dark", language: "ar", textSize: 120 }).app.applyLook();
  expect(root.dataset.theme).toBe("dark");
  expect([root.lang, root.dir]).toEqual(["ar", "rtl"]);
  expect(root.style.getPropertyValue("--text-scale")).toBe("1.2");
  await language.choose("en");
});

it("shows a new theme, language and text size at once, and leaves system to the system", async () => {
  const { app } = fakeWindow({ theme: "dark" });
  await app.loadSettings();
  const changing = app.updateSetting("theme", "light");
  expect(root.dataset.theme).toBe("light");
  await changing;
  await app.updateSetting("theme", "system");
  expect(root.dataset.theme).toBeUndefined();
  await app.updateSetting("language", "de");
  await vi.waitFor(() => expect([m.shared_cancel(), root.lang]).toEqual(["Abbrechen", "de"]));
  await app.updateSetting("appearance.text_size", "150");
  expect(root.style.getPropertyValue("--text-scale")).toBe("1.5");
  await app.updateSetting("language", "en");
});

it("steps the text size by keys, within its limits", async () => {
  const { app, platform } = fakeWindow();
  await app.loadSettings();
  const press = (key: string) => onShortcut(app, new KeyboardEvent("keydown", { key, ctrlKey: true }));
  press("+");
  expect(root.style.getPropertyValue("--text-scale")).toBe("1.1");
  const size = async () => (await platform.listSettings()).find(({ key }) => key === "appearance.text_size")?.value;
  await vi.waitFor(async () => expect(await size()).toBe(110));
  press("0");
  press("-");
  expect(root.style.getPropertyValue("--text-scale")).toBe("0.9");
  for (let times = 0; times < 4; times++) press("-");
  expect(app.textSize).toBe(80);
  press("0");
  expect(root.style.getPropertyValue("--text-scale")).toBe("1");
});

it("takes a look back that was refused", async () => {
  const { app, platform } = fakeWindow({ theme: "dark" });
  await app.loadSettings();
  vi.spyOn(platform, "updateSetting").mockRejectedValue({ code: "read_only", message: "No.", hint: null });
  await expect(app.updateSetting("theme", "light")).rejects.toMatchObject({ code: "read_only" });
  expect(root.dataset.theme).toBe("dark");
});

it("opens where the shell says, at the start and later", () => {
  const platform = new FakePlatform("main", { navigate: { to: "settings", section: "models" } });
  const app = new AppState(platform);
  expect(app.view).toEqual({ kind: "settings", section: "models" });
  app.start();
  platform.tellNavigate({ to: "chat", chat_id: "chat_wal", message_id: "msg_wal_a" });
  expect(app.view).toMatchObject({ kind: "chat", chat: "chat_wal", message: "msg_wal_a" });
  platform.tellNavigate({ to: "settings", section: "<nonsense>" });
  expect(app.view).toEqual({ kind: "settings", section: "appearance" });
  platform.tellNavigate({ to: "here" });
  expect(app.view).toEqual({ kind: "settings", section: "appearance" });
});

it("goes where the shell said before the window listened", async () => {
  const { app, platform } = fakeWindow();
  platform.navigatedEarly = { to: "chat", chat_id: "chat_wal", message_id: null };
  app.start();
  await vi.waitFor(() => expect(app.chat).toBe("chat_wal"));
});

it("syncs at once when the network is back, and is quiet about it where nobody is signed in", async () => {
  const { app, platform } = fakeWindow();
  const syncNow = vi.spyOn(platform, "syncNow").mockRejectedValue({ code: "auth", message: "", hint: null });
  app.start();
  expect(syncNow).not.toHaveBeenCalled();
  platform.goOnline(false);
  platform.goOnline(true);
  platform.goOnline(true);
  expect(syncNow).toHaveBeenCalledTimes(1);
  await Promise.resolve();
  expect(app.notices).toEqual([]);
});

it("closes the reader with its chat, not with another message of it", () => {
  const { app } = fakeWindow();
  app.openChat("chat_wal");
  app.openReader("page_wal_1", { start: 0, end: 4 });
  app.openChat("chat_wal", "msg_wal_a");
  expect(app.reader).not.toBeNull();
  app.openChat("chat_heat");
  expect(app.reader).toBeNull();
});

it("opens no sidebar over a narrow window by itself, and closes it when something was chosen", () => {
  const { app } = fakeWindow();
  app.setNarrow(true);
  expect(app.sidebarOpen).toBe(false);
  app.toggleSidebar();
  app.openChat("chat_wal");
  expect(app.sidebarOpen).toBe(false);
  app.setNarrow(false);
  expect(app.sidebarOpen).toBe(true);
});

it("says in a notice what could not be loaded", async () => {
  const { app, platform } = fakeWindow();
  vi.spyOn(platform, "listSettings").mockRejectedValue({ code: "storage", message: "Broken.", hint: null });
  await app.loadSettings();
  flushSync();
  expect(app.notices.map((notice) => notice.failure.code)).toEqual(["storage"]);
});

it("does once more what failed, with what follows on it", async () => {
  const { app } = fakeWindow();
  const work = vi.fn().mockRejectedValueOnce(new Error("No.")).mockResolvedValue(null);
  expect(await app.attempt(work)).toBe(false);
  app.notices[0]!.retry!();
  expect(work).toHaveBeenCalledTimes(2);
  expect(app.notices).toHaveLength(1);

  const again = vi.fn();
  await app.attempt(() => Promise.reject(new Error("No.")), again);
  app.notices[1]!.retry!();
  expect(again).toHaveBeenCalledOnce();
});

it("leaves keys alone that a feature has taken", () => {
  const { app } = fakeWindow();
  const press = () => new KeyboardEvent("keydown", { key: "k", ctrlKey: true, cancelable: true });
  const taken = press();
  taken.preventDefault();
  onShortcut(app, taken);
  expect(app.palette).toBeNull();
  onShortcut(app, press());
  expect(app.palette).toBe("commands");
});
