// What the palette lists for what is typed: commands, recent chats, history; and which line Enter takes.

import MessageCirclePlus from "@lucide/svelte/icons/message-circle-plus";
import MessageSquare from "@lucide/svelte/icons/message-square-text";
import FileText from "@lucide/svelte/icons/file-text";
import type { Component } from "svelte";
import type { AppState } from "../../app-state.svelte";
import type { Chat, HistoryHit, Span } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { byteLength, ByteIndex } from "../../shared/bytes";
import { EVERYWHERE } from "../../shared/history";
import { hostOf, type LibraryState, shortDate } from "../library";
import { chatCommands, type Command, windowCommands } from "./commands";
import { fuzzy } from "./fuzzy";
import { wayBack, WebSearch } from "./web.svelte";

export type Entry = {
  id: string;
  label: string;
  /** Bytes of `label` that fit what was typed. */
  highlights: readonly Span[];
  icon: Component;
  /** The address whose icon stands in the place of `icon`. */
  site?: string;
  /** Quietly at the end: a date, a site. */
  note?: string;
  hint?: string;
  keys?: string;
  /** Goes back to the list before: its arrow points the way that is read from. */
  isBack?: boolean;
  /** What takes the place of the list when it is chosen. */
  choices?: readonly Command[];
  run: Command["run"];
};
export type Section = { title: string; entries: Entry[] };

/** The id of the entry that goes back from the choices of a command. */
export const LEAVE_CHOICES = "leave_choices";
const DEBOUNCE = 50;
const MOST_RECENT = 6;
const MOST_COMMANDS = 8;
const MOST_HITS = 8;
/** The part of the best score that a name must reach. */
const WORTH = 0.6;
/** A snippet longer than a line only pushes the rest away. */
const SNIPPET = 120;

export class PaletteState {
  text = $state("");
  /** A title is asked for instead of a command. */
  renaming = $state.raw<Chat | null>(null);
  recent = $state.raw<Chat[]>([]);
  hits = $state.raw<HistoryHit[]>([]);
  /** The command that asks something before it does anything. */
  asking = $state.raw<Entry | null>(null);
  chat = $state.raw<Chat | null>(null);
  #active = $state<string | null>(null);
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly web: WebSearch;

  sections = $derived.by(() => {
    if (this.renaming) return [];
    if (this.web.query !== null) return this.web.sections;
    if (this.asking?.choices) return [asked(this.asking, this.asking.choices)];
    return this.text.trim() === "" ? this.#common() : this.#fitting();
  });
  entries = $derived(this.sections.flatMap((section) => section.entries));
  /** The line Enter takes: the one chosen as long as it is there, else the first. */
  active = $derived(this.entries.find((entry) => entry.id === this.#active) ?? this.entries[0] ?? null);

  constructor(
    readonly app: AppState,
    readonly library: LibraryState,
  ) {
    this.web = new WebSearch(app);
  }

  /** Begins anew, as each time the palette is opened. */
  async open(): Promise<void> {
    this.text = "";
    this.renaming = null;
    this.asking = null;
    this.hits = [];
    this.web.leave();
    this.#active = null;
    this.#turn += 1;
    const { chat, platform } = this.app;
    this.chat = chat === null ? null : this.library.find(chat);
    try {
      const [recent, current] = await Promise.all([
        platform.listChats("active", null, MOST_RECENT + 1),
        chat && !this.chat ? platform.openChat(chat, null, 1) : null,
        // With the sidebar closed nobody else has read them.
        this.library.sorting.load(),
      ]);
      this.recent = recent.filter((each) => each.id !== chat).slice(0, MOST_RECENT);
      if (current && this.app.chat === chat) this.chat = current.chat;
    } catch (error) {
      // Commands work without the store, and one of them leads to what mends it.
      this.recent = [];
      this.app.fail(error);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.web.leave();
    this.#turn += 1;
  }

  type(text: string): void {
    this.text = text;
    this.#active = null;
    this.asking = null;
    this.web.leave();
    if (this.renaming) return;
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    if (text.trim() === "") this.hits = [];
    else this.#timer = setTimeout(() => void this.#search(text, turn), DEBOUNCE);
  }

  move(step: number): void {
    const { entries } = this;
    if (entries.length === 0) return;
    const at = entries.findIndex((entry) => entry.id === this.active?.id);
    this.#active = entries[(at + step + entries.length) % entries.length]!.id;
  }

  activate(id: string): void {
    this.#active = id;
  }

  startRename(): void {
    if (!this.chat) return;
    this.renaming = this.chat;
    this.text = this.chat.title;
  }

  stopRename(): void {
    this.renaming = null;
    this.text = "";
  }

  searchWeb(): void {
    this.#active = null;
    void this.web.search(this.text.trim());
  }

  leaveWeb(): void {
    this.#active = null;
    this.web.leave();
  }

  ask(entry: Entry): void {
    this.asking = entry;
    this.#active = null;
  }

  /** Back to the list, on the line that was chosen. */
  leaveChoices(): void {
    this.#active = this.asking?.id ?? null;
    this.asking = null;
  }

  #common(): Section[] {
    const { app, library, chat } = this;
    const common = (commands: Command[]) => commands.filter((command) => command.common).map((each) => asEntry(each));
    return nonEmpty([
      { title: m.palette_recent(), entries: this.recent.map((each) => this.#chatEntry(each, [])) },
      {
        title: m.palette_this_chat(),
        entries: chat ? chatCommands(app, library, chat).map((each) => asEntry(each)) : [],
      },
      { title: m.palette_commands(), entries: common(windowCommands(app, library)) },
    ]);
  }

  #fitting(): Section[] {
    const { app, library, chat, text } = this;
    const commands = [...(chat ? chatCommands(app, library, chat) : []), ...windowCommands(app, library)];
    const recent = best(text, this.recent, (each) => each.title);
    const shown = new Set(recent.map(({ item }) => item.id));
    const hits = this.hits.filter((hit) => hit.kind !== "chat" || !shown.has(hit.chat_id)).slice(0, MOST_HITS);
    const trimmed = text.trim();
    const ask: Entry = {
      id: "ask",
      label: m.palette_ask({ text: trimmed }),
      highlights: [],
      icon: MessageCirclePlus,
      run: () => app.newChat(trimmed),
    };
    return nonEmpty([
      { title: m.palette_address(), entries: this.web.reading(trimmed) },
      {
        title: m.palette_commands(),
        entries: best(text, commands, (command) => command.label)
          .slice(0, MOST_COMMANDS)
          .map(({ item, highlights }) => asEntry(item, highlights)),
      },
      { title: m.palette_recent(), entries: recent.map(({ item, highlights }) => this.#chatEntry(item, highlights)) },
      { title: m.palette_history(), entries: hits.map((hit, at) => this.#hitEntry(hit, at)) },
      { title: "", entries: [ask, this.web.searching(trimmed)] },
    ]);
  }

  #chatEntry(chat: Chat, highlights: readonly Span[]): Entry {
    return {
      id: chat.id,
      label: chat.title,
      highlights,
      icon: MessageSquare,
      note: shortDate(chat.updated_at, this.library.now),
      run: () => this.app.openChat(chat.id),
    };
  }

  #hitEntry(hit: HistoryHit, at: number): Entry {
    const { text, highlights } = shortened(hit.snippet, hit.highlights);
    return {
      id: `hit-${at}`,
      label: text,
      highlights,
      icon: hit.kind === "page" ? FileText : MessageSquare,
      note: (hit.kind === "page" && hostOf(hit.url)) || shortDate(hit.when, this.library.now),
      run: () => this.library.openHit(hit),
    };
  }

  async #search(text: string, turn: number): Promise<void> {
    try {
      const { hits } = await this.app.platform.searchHistory({
        text,
        filter: EVERYWHERE,
        limit: 2 * MOST_HITS,
        after: null,
      });
      if (turn === this.#turn) this.hits = hits;
    } catch {
      // The sidebar's search says why; here commands and recent chats are still of use.
      if (turn === this.#turn) this.hits = [];
    }
  }
}

function asEntry(command: Command, highlights: readonly Span[] = []): Entry {
  const { id, label, icon, hint, keys, choices, run } = command;
  return {
    id,
    label,
    icon,
    highlights,
    run,
    ...(hint && { hint }),
    ...(keys && { keys }),
    ...(choices && { choices }),
  };
}

/** What a command asks, with the way back. */
function asked({ label }: Entry, choices: readonly Command[]): Section {
  return { title: label, entries: [...choices.map((choice) => asEntry(choice)), wayBack(LEAVE_CHOICES)] };
}

/** What fits, best first; letters strewn over a name are left out where something fits far better. */
function best<Item>(text: string, items: readonly Item[], nameOf: (item: Item) => string) {
  const fitting = items
    .flatMap((item) => {
      const name = nameOf(item);
      const match = fuzzy(text, name);
      if (match === null) return [];
      const index = new ByteIndex(name);
      return [{ item, score: match.score, highlights: match.ranges.map((range) => index.span(range)) }];
    })
    .sort((a, b) => b.score - a.score);
  return fitting.filter(({ score }) => score >= (fitting[0]?.score ?? 0) * WORTH);
}

/** Cut so that what was found is in sight at the beginning. */
function shortened(snippet: string, highlights: readonly Span[]): { text: string; highlights: Span[] } {
  const index = new ByteIndex(snippet);
  const found = highlights[0] ? index.unitAt(highlights[0].start) : 0;
  const lead = 30;
  if (found <= lead) return { text: clipped(snippet), highlights: [...highlights] };
  const from = snippet.lastIndexOf(" ", found - lead / 2) + 1 || found;
  const shift = byteLength(snippet.slice(0, from)) - byteLength("…");
  return {
    text: `…${clipped(snippet.slice(from))}`,
    highlights: highlights
      .map(({ start, end }) => ({ start: start - shift, end: end - shift }))
      .filter((span) => span.start >= 0),
  };
}

function clipped(text: string): string {
  return text.slice(0, SNIPPET);
}

function nonEmpty(sections: Section[]): Section[] {
  return sections.filter((section) => section.entries.length > 0);
}
