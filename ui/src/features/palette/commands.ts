// Everything the palette can do, as it stands now: what makes no sense at the moment is left out.

import AppWindow from "@lucide/svelte/icons/app-window";
import Archive from "@lucide/svelte/icons/archive";
import ArchiveRestore from "@lucide/svelte/icons/archive-restore";
import Copy from "@lucide/svelte/icons/copy";
import FileDown from "@lucide/svelte/icons/file-down";
import FileUp from "@lucide/svelte/icons/file-up";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Library from "@lucide/svelte/icons/library";
import Monitor from "@lucide/svelte/icons/monitor";
import Moon from "@lucide/svelte/icons/moon";
import PanelLeft from "@lucide/svelte/icons/panel-left";
import PanelRightClose from "@lucide/svelte/icons/panel-right-close";
import Pencil from "@lucide/svelte/icons/pencil";
import Pin from "@lucide/svelte/icons/pin";
import PinOff from "@lucide/svelte/icons/pin-off";
import Search from "@lucide/svelte/icons/search";
import Settings from "@lucide/svelte/icons/settings";
import SquarePen from "@lucide/svelte/icons/square-pen";
import Sun from "@lucide/svelte/icons/sun";
import Tag from "@lucide/svelte/icons/tag";
import Trash from "@lucide/svelte/icons/trash-2";
import Undo from "@lucide/svelte/icons/undo-2";
import Zap from "@lucide/svelte/icons/zap";
import type { Component } from "svelte";
import type { AppState, SettingsSection } from "../../app-state.svelte";
import type { Chat, ExportChoice, ExportFormat } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { formatsOfMany } from "../../shared/export-formats";
import type { Theme } from "../../shared/look";
import { shortcuts } from "../../shared/shortcuts";
import { say } from "../../shared/toast";
import { asMarkdown } from "../chat";
import type { LibraryState } from "../library";

export type Command = {
  id: string;
  label: string;
  icon: Component;
  keys?: string;
  /** What is good to know before choosing it. */
  hint?: string;
  /** Offered before anything is typed. */
  common?: boolean;
  /** What it asks before it does anything: these take the place of the list. */
  choices?: readonly Command[];
  /** `"rename"` asks for a title in the palette instead of closing it. */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- what it gives is looked at for one value only
  run: () => void | Promise<void> | "rename";
};

export function windowCommands(app: AppState, library: LibraryState): Command[] {
  const attempt = (work: () => Promise<unknown>) => () => void app.attempt(work);
  const commands: Command[] = [
    {
      id: "new_chat",
      label: m.palette_new_chat(),
      icon: SquarePen,
      keys: shortcuts.new_chat.keys,
      common: true,
      run: () => app.newChat(),
    },
    {
      id: "search",
      label: m.palette_search_history(),
      icon: Search,
      keys: shortcuts.search_history.keys,
      common: true,
      run: () => app.searchHistory(),
    },
    {
      id: "sidebar",
      label: m.palette_toggle_sidebar(),
      icon: PanelLeft,
      keys: shortcuts.toggle_sidebar.keys,
      common: true,
      run: () => app.toggleSidebar(),
    },
    {
      id: "quick_ask",
      label: m.palette_quick_ask(),
      icon: Zap,
      common: true,
      run: attempt(() => app.platform.showQuickAsk()),
    },
    {
      id: "new_window",
      label: m.palette_new_window(),
      icon: AppWindow,
      keys: shortcuts.new_window.keys,
      common: true,
      run: attempt(() => app.platform.newWindow(null)),
    },
    {
      id: "archive_view",
      label: m.palette_archive_view(),
      icon: Archive,
      run: () => showView(app, library, "archived"),
    },
    { id: "trash_view", label: m.palette_trash_view(), icon: Trash, run: () => showView(app, library, "trash") },
    { id: "import", label: m.carry_import_button(), icon: FileDown, run: () => app.openSettings("data") },
    {
      id: "shortcuts",
      label: m.palette_shortcuts(),
      icon: Keyboard,
      keys: shortcuts.shortcut_sheet.keys,
      common: true,
      run: () => {
        app.palette = "shortcuts";
      },
    },
    ...exportCommands(library),
    ...themeCommands(app),
    ...settingsCommands(app),
  ];
  if (app.reader) {
    commands.push({
      id: "close_reader",
      label: m.palette_close_reader(),
      icon: PanelRightClose,
      run: () => app.closeReader(),
    });
  }
  return commands;
}

export function chatCommands(app: AppState, library: LibraryState, chat: Chat): Command[] {
  if (chat.deleted_at) {
    return [
      { id: "restore", label: m.palette_chat_restore(), icon: Undo, common: true, run: () => library.restore(chat) },
    ];
  }
  return [
    { id: "rename", label: m.palette_chat_rename(), icon: Pencil, common: true, run: () => "rename" },
    {
      id: "copy",
      label: m.palette_chat_copy(),
      icon: Copy,
      keys: shortcuts.copy_answer.keys,
      run: () => copyLastAnswer(app, chat),
    },
    chat.pinned
      ? { id: "unpin", label: m.palette_chat_unpin(), icon: PinOff, run: () => library.pin(chat, false) }
      : { id: "pin", label: m.palette_chat_pin(), icon: Pin, run: () => library.pin(chat, true) },
    chat.archived
      ? {
          id: "unarchive",
          label: m.palette_chat_unarchive(),
          icon: ArchiveRestore,
          run: () => library.archive(chat, false),
        }
      : { id: "archive", label: m.palette_chat_archive(), icon: Archive, run: () => library.archive(chat, true) },
    { id: "move", label: m.sorting_move(), icon: Library, run: () => library.sort("move", [chat.id]) },
    { id: "tag", label: m.sorting_tag(), icon: Tag, run: () => library.sort("tag", [chat.id]) },
    { id: "window", label: m.palette_chat_window(), icon: AppWindow, run: () => library.openWindow(chat.id) },
    ...chatExportCommands(library, chat),
    { id: "delete", label: m.palette_chat_delete(), icon: Trash, run: () => library.delete(chat) },
  ];
}

function chatExportCommands(library: LibraryState, chat: Chat): Command[] {
  const formats: [ExportFormat, string][] = [
    ["html", m.carry_chat_html()],
    ["pdf", "PDF"],
    ["markdown", "Markdown"],
    ["json", "JSON"],
  ];
  return formats.map(([format, name]) => ({
    id: `export_${format}`,
    label: `${m.carry_chat_export()}: ${name}`,
    icon: FileUp,
    run: () => library.export({ kind: "chats", chats: [chat.id] }, format),
  }));
}

/** Each collection and each tag goes out in any format; which one is asked when that was chosen. */
function exportCommands(library: LibraryState): Command[] {
  const { collections, tags } = library.sorting;
  const command = (id: string, label: string, choice: ExportChoice): Command => ({
    id,
    label,
    icon: FileUp,
    choices: formatsOfMany().map(({ value, label, hint }) => ({
      id: `${id}_${value}`,
      label,
      hint,
      icon: FileUp,
      run: () => library.export(choice, value),
    })),
    run: () => undefined,
  });
  return [
    ...collections.map(({ id, name }, at) =>
      command(`export_collection_${at}`, m.carry_export_collection({ name }), { kind: "collection", collection: id }),
    ),
    ...tags.map(({ name }, at) =>
      command(`export_tag_${at}`, m.carry_export_tag({ name }), { kind: "tag", tag: name }),
    ),
  ];
}

function themeCommands(app: AppState): Command[] {
  const themes: { theme: Theme; label: string; icon: Component }[] = [
    { theme: "light", label: m.palette_theme_light(), icon: Sun },
    { theme: "dark", label: m.palette_theme_dark(), icon: Moon },
    { theme: "system", label: m.palette_theme_system(), icon: Monitor },
  ];
  return themes
    .filter(({ theme }) => theme !== app.theme)
    .map(({ theme, label, icon }) => ({
      id: `theme_${theme}`,
      label,
      icon,
      run: () => void app.attempt(() => app.updateSetting("theme", theme)),
    }));
}

function settingsCommands(app: AppState): Command[] {
  const sections: [SettingsSection, () => string][] = [
    ["appearance", m.palette_section_appearance],
    ["search", m.palette_section_search],
    ["models", m.palette_section_models],
    ["usage", m.evidence_usage],
    ["shortcuts", m.palette_section_shortcuts],
    ["data", m.palette_section_data],
    ["privacy", m.palette_section_privacy],
    ["account", m.palette_section_account],
    ["database", m.palette_section_database],
    ["about", m.palette_section_about],
  ];
  return sections.map(([section, name], at) => ({
    id: `settings_${section}`,
    label: m.palette_settings({ section: name() }),
    icon: Settings,
    // The keys open the first of them.
    ...(at === 0 ? { keys: shortcuts.settings.keys, common: true } : {}),
    run: () => app.openSettings(section),
  }));
}

function showView(app: AppState, library: LibraryState, view: "archived" | "trash"): void {
  app.sidebarOpen = true;
  library.show(view);
}

async function copyLastAnswer(app: AppState, chat: Chat): Promise<void> {
  await app.attempt(async () => {
    // The last two are a question and its answer, or an answer and a question that has none.
    const { messages } = await app.platform.openChat(chat.id, null, 2);
    const answer = messages.findLast((message) => message.role === "assistant");
    if (!answer) return;
    await app.platform.copyText(asMarkdown(answer.content, answer.sources ?? [], m.chat_sources()));
    say(m.palette_copied());
  });
}
