// A question as it is shown, and as it is being changed.

import type { AttachedFile, MessageId, OpenMessage } from "../../bindings/bindings";

let lastKey = 0;

export class QuestionState {
  readonly role = "user";
  readonly key = `question-${++lastKey}`;
  /** Empty until it is saved. */
  id = $state<MessageId>("");
  content = $state("");
  siblings = $state.raw<MessageId[]>([]);
  /** The files that it is asked with. */
  files = $state.raw<readonly AttachedFile[]>([]);
  /** The new wording while it is being written, `null` otherwise. */
  editing = $state<string | null>(null);
  /** Whether all of a very long one is shown. */
  unfolded = $state(false);

  constructor(from: string | OpenMessage) {
    if (typeof from === "string") {
      this.content = from;
      return;
    }
    this.fill(from);
  }

  /** Everything as the store has it; what is being changed here stays. */
  fill(from: OpenMessage): void {
    this.id = from.id;
    this.content = from.content;
    this.siblings = from.siblings;
    this.files = from.files;
  }
}
