// What stands in the question field, and how it is to be answered. Each chat has its own, kept while another is shown.

import type { AttachedFile, ModelId, Scope, TimeRange } from "../../bindings/bindings";
import { AS_USUAL, type Limits } from "../research";
import type { Choices, Thoroughness } from "./chat.svelte";

/** As many UTF-16 units as the store takes. */
export const LONGEST_QUESTION = 100_000;
/** Files that one question may bring. */
const MOST_FILES = 8;
/** Places that may be asked together; past chats stay apart from what strangers wrote. */
export const MIXABLE: ReadonlySet<Scope> = new Set<Scope>(["web", "files", "academic", "discussions", "news"]);
// From here on the field says how much is left.
const NEARLY = 90_000;

export class ComposerState {
  text = $state("");
  scope = $state<Scope | null>(null);
  /** Places that are asked beside the first. */
  also = $state.raw<readonly Scope[]>([]);
  /** Files that the next question rests on. */
  files = $state.raw<readonly AttachedFile[]>([]);
  model = $state<ModelId | null>(null);
  timeRange = $state<TimeRange | null>(null);
  depth = $state<Thoroughness>("quick");
  /** What a research may use. */
  budget = $state.raw<Limits>(AS_USUAL);

  #hasChosen = false;

  // No `$derived`: it would go with the component that first asked for this field.
  get isEmpty(): boolean {
    return this.text.trim() === "";
  }

  /** How many characters more can be written, where that is worth saying; negative when there are too many. */
  get left(): number | null {
    return this.text.length < NEARLY ? null : LONGEST_QUESTION - this.text.length;
  }

  get tooLong(): boolean {
    return this.text.length > LONGEST_QUESTION;
  }

  get canSend(): boolean {
    return !this.isEmpty && !this.tooLong;
  }

  get choices(): Choices {
    return {
      scope: this.scope,
      also: this.scope ? this.also : [],
      files: this.files,
      model: this.model,
      timeRange: !this.scope || this.places.some((place) => MIXABLE.has(place)) ? this.timeRange : null,
      // Without a search there is nothing to research.
      depth: this.scope === "none" ? "quick" : this.depth,
      budget: this.budget,
    };
  }

  /** The places that are chosen; none leaves it to the settings. */
  get places(): readonly Scope[] {
    return this.scope ? [this.scope, ...this.also] : [];
  }

  /** Whether how recent results are to be can be said. */
  takesTime(searchesBySettings: boolean): boolean {
    return this.scope ? this.places.some((place) => MIXABLE.has(place)) : searchesBySettings;
  }

  /** Begins where the chat looked last, unless somebody has chosen already. */
  recall(places: readonly Scope[]): void {
    if (this.#hasChosen) return;
    const [scope = null, ...also] = places;
    this.scope = scope;
    this.also = also;
  }

  /** Chooses a place: one that can stand beside others joins or leaves them, any other stands alone. */
  choose(place: Scope | null): void {
    this.#hasChosen = true;
    const mixed = this.places.filter((known) => MIXABLE.has(known));
    const chosen =
      place === null || !MIXABLE.has(place)
        ? [place]
        : mixed.includes(place)
          ? mixed.filter((known) => known !== place)
          : [...mixed, place];
    const [scope = null, ...also] = chosen;
    this.scope = scope;
    this.also = also.filter((known) => known !== null);
  }

  /** Adds files, each once, as many as a question may bring. */
  attach(files: readonly AttachedFile[]): void {
    const each = new Map([...this.files, ...files].map((file) => [file.url, file]));
    this.files = [...each.values()].slice(0, MOST_FILES);
  }

  detach(url: string): void {
    this.files = this.files.filter((file) => file.url !== url);
  }

  /** The question and how it is to be answered. It leaves the field with its files; what else was chosen stays. */
  take(): { text: string; choices: Choices } {
    const taken = { text: this.text.trim(), choices: this.choices };
    this.text = "";
    this.files = [];
    return taken;
  }

  /** What was taken could not be asked: it stands here again, unless something else does by now. */
  giveBack(text: string, { files = [] }: Choices): void {
    if (!this.isEmpty) return;
    this.text = text;
    this.attach(files);
  }
}
