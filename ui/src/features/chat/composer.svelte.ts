// What stands in the question field, and how it is to be answered. Each chat has its own, kept while another is shown.

import type { ModelId, Scope, TimeRange } from "../../bindings/bindings";
import type { Choices, Thoroughness } from "./chat.svelte";

/** As many UTF-16 units as the store takes. */
export const LONGEST_QUESTION = 100_000;
// From here on the field says how much is left.
const NEARLY = 90_000;

export class ComposerState {
  text = $state("");
  scope = $state<Scope | null>(null);
  model = $state<ModelId | null>(null);
  timeRange = $state<TimeRange | null>(null);
  depth = $state<Thoroughness>("quick");

  isEmpty = $derived(this.text.trim() === "");
  /** How many characters more can be written, where that is worth saying; negative when there are too many. */
  left = $derived(this.text.length < NEARLY ? null : LONGEST_QUESTION - this.text.length);
  tooLong = $derived(this.text.length > LONGEST_QUESTION);
  canSend = $derived(!this.isEmpty && !this.tooLong);

  get choices(): Choices {
    return {
      scope: this.scope,
      model: this.model,
      timeRange: this.scope === "web" || !this.scope ? this.timeRange : null,
      // Without a search there is nothing to research.
      depth: this.scope === "none" ? "quick" : this.depth,
    };
  }

  /** The question, which leaves the field. What was chosen stays for the next one. */
  take(): string {
    const text = this.text.trim();
    this.text = "";
    return text;
  }
}
