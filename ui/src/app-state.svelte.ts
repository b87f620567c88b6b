// What one window shows and the settings it follows. Features change it through methods; `App.svelte` draws it.

import { getContext, setContext } from "svelte";
import { SvelteMap } from "svelte/reactivity";
import type {
  AppInfo,
  Citation,
  ChatId,
  Failure,
  MessageId,
  Navigate,
  PageId,
  SettingValue,
  Span,
} from "./bindings/bindings";
import type { Platform } from "./platform/platform";
import { asFailure } from "./shared/failure";
import { language } from "./shared/i18n.svelte";
import { applyLook, isTheme, SIZES, type Theme } from "./shared/look";

/** In the order in which settings list them. */
export const SETTINGS_SECTIONS = [
  "appearance",
  "search",
  "folders",
  "answers",
  "models",
  "usage",
  "shortcuts",
  "data",
  "privacy",
  "account",
  "database",
  "start",
  "about",
] as const;
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

export type View =
  /** `message` is scrolled to once; `draft` stands in the question field of a new chat. */
  | { kind: "chat"; chat: ChatId | null; message: MessageId | null; draft: string }
  | { kind: "settings"; section: SettingsSection };
export type ReaderTarget = {
  /** A saved page; `null` for one that is read now, from its address. */
  page_id: PageId | null;
  address?: string;
  span: Span | null;
  /** The citations of the answer that leads here, in reading order, to step through. */
  trail?: readonly Citation[];
};
/** Something that went wrong, and the way to do it once more where there is one. */
export type Notice = { id: number; failure: Failure; retry: (() => void) | null };
export type PaletteMode = "commands" | "shortcuts";

export class AppState {
  view = $state.raw<View>({ kind: "chat", chat: null, message: null, draft: "" });
  reader = $state.raw<ReaderTarget | null>(null);
  palette = $state<PaletteMode | null>(null);
  /** Beside the main pane in a wide window, over it in a narrow one. */
  sidebarOpen = $state(true);
  narrow = $state(false);
  online = $state(true);
  info = $state.raw<AppInfo | null>(null);
  /** By key; of a secret only whether it is set. */
  readonly settings = new SvelteMap<string, SettingValue>();
  /** What went wrong outside any view's own doing; the Toaster shows and removes them. */
  notices = $state.raw<Notice[]>([]);
  /** Grows by one whenever the question field should take the focus. */
  focusAsk = $state(0);
  /** The same for the sidebar's search field. */
  focusSearch = $state(0);

  #nextNotice = 1;

  constructor(readonly platform: Platform) {
    platform.onOnline((online) => this.#goOnline(online));
    if (platform.start.navigate) this.navigate(platform.start.navigate);
  }

  /** The chat that is shown, if one is. */
  get chat(): ChatId | null {
    return this.view.kind === "chat" ? this.view.chat : null;
  }

  get theme(): Theme {
    const value = this.settings.get("theme")?.value ?? this.platform.start.theme;
    return isTheme(value) ? value : "system";
  }

  /** Loads what the window needs and follows the world as long as the window lives. */
  start(): void {
    const { platform } = this;
    const navigating = platform.onNavigate((navigate) => this.navigate(navigate));
    void platform.onSettingsChanged(() => void this.loadSettings());
    // Quick ask goes nowhere.
    if (platform.start.window === "main") void this.attempt(() => this.#arrive(navigating));
    void this.loadSettings();
    void this.attempt(async () => {
      this.info = await platform.info();
    });
  }

  #goOnline(online: boolean): void {
    const isBack = online && !this.online;
    this.online = online;
    // What waited for the network waits no longer. How it went is shown where sync is.
    if (isBack && this.platform.start.window === "main") void this.platform.syncNow().catch(() => undefined);
  }

  async loadSettings(): Promise<void> {
    await this.attempt(async () => {
      const all = await this.platform.listSettings();
      this.settings.clear();
      for (const setting of all) this.settings.set(setting.key, setting);
      this.applyLook();
    });
  }

  /** Shows the new value at once and takes it back when it is refused; the failure is then thrown. */
  async updateSetting(key: string, text: string | null): Promise<void> {
    const before = this.settings.get(key);
    if (before && text !== null && LOOKS.has(key)) {
      this.settings.set(key, {
        ...before,
        value: key === "appearance.text_size" ? Number(text) : text,
        origin: "stored",
      });
      this.applyLook();
    }
    try {
      this.settings.set(key, await this.platform.updateSetting(key, text));
    } catch (error) {
      if (before) this.settings.set(key, before);
      throw error;
    } finally {
      this.applyLook();
    }
  }

  /** Percent. */
  get textSize(): number {
    const percent = Number(this.settings.get("appearance.text_size")?.value ?? this.platform.start.text_size);
    return Math.min(Math.max(percent || SIZES.usual, SIZES.least), SIZES.most);
  }

  /** Larger or smaller text by one step; by none, the usual size. */
  stepTextSize(by: 1 | -1 | 0): void {
    const wanted = by === 0 ? SIZES.usual : this.textSize + by * SIZES.step;
    const percent = Math.min(Math.max(wanted, SIZES.least), SIZES.most);
    if (percent === this.textSize) return;
    void this.attempt(() => this.updateSetting("appearance.text_size", String(percent)));
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.settings.get(key)?.value;
    return typeof value === "boolean" ? value : otherwise;
  }

  openChat(chat: ChatId, message: MessageId | null = null): void {
    if (chat !== this.chat) this.reader = null;
    this.view = { kind: "chat", chat, message, draft: "" };
    this.#leaveSidebar();
  }

  newChat(draft = ""): void {
    this.reader = null;
    this.view = { kind: "chat", chat: null, message: null, draft };
    this.focusAsk += 1;
    this.#leaveSidebar();
  }

  /** A question asked in a new chat has been given one: the view stays what it is and only learns the name. */
  adoptChat(chat: ChatId): void {
    if (this.view.kind === "chat" && this.view.chat === null) this.view = { ...this.view, chat, draft: "" };
  }

  openReader(page_id: PageId, span: Span | null = null, trail: readonly Citation[] = []): void {
    this.reader = { page_id, span, trail };
  }

  /** A page of the web, read now; nothing of it is saved. */
  readPage(address: string): void {
    this.reader = { page_id: null, address, span: null };
    this.#leaveSidebar();
  }

  closeReader(): void {
    this.reader = null;
  }

  openSettings(section: SettingsSection = "appearance"): void {
    this.reader = null;
    this.view = { kind: "settings", section };
    this.#leaveSidebar();
  }

  /** To the question field of the chat that is shown, or of a new one. */
  ask(): void {
    if (this.view.kind === "settings") this.newChat();
    else this.focusAsk += 1;
  }

  searchHistory(): void {
    this.sidebarOpen = true;
    this.focusSearch += 1;
  }

  toggleSidebar(): void {
    this.sidebarOpen = !this.sidebarOpen;
  }

  /** The shell says when the window becomes narrow or wide; an overlay never opens by itself. */
  setNarrow(narrow: boolean): void {
    if (narrow === this.narrow) return;
    this.narrow = narrow;
    this.sidebarOpen = !narrow;
  }

  notice(failure: Failure, retry: (() => void) | null = null): void {
    this.notices = [...this.notices, { id: this.#nextNotice++, failure, retry }];
  }

  /** For what was thrown where no view of its own can show it. */
  fail(error: unknown, retry: (() => void) | null = null): void {
    this.notice(asFailure(error), retry);
  }

  /**
   * Does what no view of its own can tell the failure of. The notice of it can do it `again`, which is more than `work`
   * where something follows on it. `false` when it failed.
   */
  async attempt(work: () => Promise<unknown>, again: () => unknown = () => this.attempt(work)): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.fail(error, () => void again());
      return false;
    }
  }

  dropNotice(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  navigate(to: Navigate): void {
    switch (to.to) {
      case "here":
        return;
      case "chat":
        return this.openChat(to.chat_id, to.message_id);
      case "ask":
        return this.newChat(to.question ?? "");
      case "settings":
        return this.openSettings(isSection(to.section) ? to.section : "appearance");
      case "notice":
        return this.notice(to.failure);
    }
  }

  async #arrive(navigating: Promise<unknown>): Promise<void> {
    await navigating;
    const navigate = await this.platform.arrive();
    if (navigate) this.navigate(navigate);
  }

  #leaveSidebar(): void {
    if (this.narrow) this.sidebarOpen = false;
  }

  /** What the settings say, and until they have come what the window was started with. */
  applyLook(): void {
    const { start } = this.platform;
    const tag = this.settings.get("language") ?? { value: start.language, origin: "stored" };
    const apply = () => {
      applyLook({ theme: this.theme, textScale: this.textSize / 100, language: language.locale, dir: language.dir });
    };
    apply();
    // A language that nobody chose is the system's.
    const chosen = tag.origin !== "default" && typeof tag.value === "string" ? tag.value : "";
    void language.choose(chosen).then(apply);
  }
}

const LOOKS = new Set(["theme", "language", "appearance.text_size"]);

function isSection(section: string | null): section is SettingsSection {
  return SETTINGS_SECTIONS.some((known) => known === section);
}

/** Exported so that a test can put a state of its own into `render(…, { context })`. */
export const APP = Symbol("app");

export function setApp(app: AppState): AppState {
  return setContext(APP, app);
}

export function useApp(): AppState {
  return getContext<AppState>(APP);
}
