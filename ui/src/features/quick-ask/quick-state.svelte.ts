// What quick ask shows: one question and its answer, of a chat that goes on with each question after it.
//
// The answer itself is a chat's, folded as in the main window. This adds what a small window that comes and goes
// needs: which chat it is, also after the window was made anew, and the way on into the main window.

import type { ChatId, Citation, Failure } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";
import { AnswerState, asMarkdown, ChatState, type Choices, QuestionState } from "../chat";
import { type Note, readNote, writeNote } from "./note";

const BY_SETTINGS: Choices = { scope: null, model: null, timeRange: null, depth: "quick" };
const SAID_MS = 1_600;

export class QuickState {
  draft = $state("");
  /** The citation whose quote is shown. */
  quoted = $state.raw<Citation | null>(null);
  copied = $state(false);
  /** What went wrong beside the answer: with the clipboard, the browser, the other window. */
  trouble = $state.raw<Failure | null>(null);
  /** Does that once more. */
  again: (() => Promise<void>) | null = null;
  chat = $state.raw<ChatState>(null!);

  readonly question = $derived(this.chat.entries.findLast((entry) => entry instanceof QuestionState) ?? null);
  readonly answer = $derived.by(() => {
    const last = this.chat.entries.at(-1);
    return last instanceof AnswerState ? last : null;
  });
  /** Why the last question was not even begun, or the chat could not be read. */
  readonly failure = $derived(this.trouble ?? this.chat.refused?.failure ?? this.chat.failure);
  readonly writing = $derived(this.chat.running !== undefined);
  readonly empty = $derived(!this.answer && !this.failure);

  /** Wanted in the main window as soon as it has an id. */
  #carrying = false;
  #saying: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly now: () => number = Date.now,
  ) {
    this.chat = new ChatState(platform);
  }

  /** Asks what stands in the field, in this chat if there is one. */
  async ask(text: string = this.draft): Promise<void> {
    const question = text.trim();
    if (!question || this.writing) return;
    const { chat } = this;
    this.draft = "";
    this.quoted = null;
    this.trouble = null;
    await chat.ask(question, BY_SETTINGS);
    if (!chat.refused || chat !== this.chat) return;
    this.draft ||= question;
    this.#carrying = false;
  }

  get canRetry(): boolean {
    return this.chat.refused !== null || this.answer?.state === "interrupted";
  }

  /** Has the last question answered again, or asks the one that was refused. */
  async retry(): Promise<void> {
    const { answer, chat } = this;
    if (chat.refused) return this.ask(chat.refused.question);
    if (answer?.state === "interrupted" && answer.parent) await chat.regenerate(answer, BY_SETTINGS);
  }

  async stop(): Promise<void> {
    if (this.answer?.id) await this.platform.stopAnswer(this.answer.id);
  }

  /** Leaves this chat; what is being written in it is written on. */
  startAnew(): void {
    this.chat.dispose();
    this.chat = new ChatState(this.platform);
    this.quoted = null;
    this.trouble = null;
    this.#carrying = false;
    writeNote(null);
  }

  /** To the main window; what stands in the field is asked first. */
  carryOn(): Promise<void> {
    if (!this.draft.trim() && !this.chat.id) return Promise.resolve();
    this.#carrying = true;
    void this.ask();
    return this.settle();
  }

  /** Called when the answer has learnt something: the chat is noted, and carried on if that is wanted. */
  async settle(): Promise<void> {
    const { id } = this.chat;
    if (!id) return;
    writeNote({ chat: id, at: this.now() });
    if (!this.#carrying || !this.answer?.id) return;
    this.startAnew();
    await this.platform.carryOn(id);
  }

  /** The window was made anew, or comes back: takes up the answer that it had, also one that is still being written. */
  async resume(): Promise<void> {
    const note = readNote();
    if (this.chat.id) {
      const isHistory = note !== null && !(await this.#isWorthShowing(note));
      // What is written in it, or half written to it, goes on.
      return isHistory && !this.writing && !this.draft.trim() ? this.startAnew() : this.chat.refresh();
    }
    if (!note || !(await this.#isWorthShowing(note))) return;
    await this.chat.open(note.chat);
    // It may have been deleted meanwhile.
    if (this.chat.failure?.code === "not_found") this.startAnew();
  }

  /** A click on the same citation takes its quote away again. */
  quote(citation: Citation | null): void {
    this.quoted = citation && this.quoted?.marker.start === citation.marker.start ? null : citation;
  }

  async copyAnswer(heading: string): Promise<boolean> {
    const { answer } = this;
    if (!answer?.content) return false;
    await this.platform.copyText(asMarkdown(answer.content, answer.sources, heading));
    this.copied = true;
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => (this.copied = false), SAID_MS);
    return true;
  }

  /** Does something that may fail, and says so where the answer stands. */
  async attempt(work: () => Promise<unknown>): Promise<void> {
    this.trouble = null;
    try {
      await work();
    } catch (error) {
      this.again = () => this.attempt(work);
      this.trouble = asFailure(error);
    }
  }

  end(): void {
    clearTimeout(this.#saying);
    this.chat.dispose();
  }

  /** An answer of last night is history; one that is being written is not, however long it takes. */
  async #isWorthShowing(note: Note): Promise<boolean> {
    if (this.now() - note.at < RECENT_MS) return true;
    const running = await this.platform.runningAnswers().catch(() => []);
    return running.some(({ chat_id }: { chat_id: ChatId }) => chat_id === note.chat);
  }
}

const RECENT_MS = 30 * 60_000;
