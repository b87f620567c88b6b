// One chat as it is shown: the newest page of its messages, older ones as they are wanted, and the answer being written.

import type {
  AnswerEvent,
  AskRequest,
  AttachedFile,
  Chat,
  ChatId,
  Failure,
  MessageId,
  ModelId,
  OpenMessage,
  Scope,
  TimeRange,
  Turn,
} from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { asFailure } from "../../shared/failure";
import { AS_USUAL, headingsOf, type Limits } from "../research";
import { AnswerState } from "./answer.svelte";
import { QuestionState } from "./question.svelte";

export type Entry = QuestionState | AnswerState;
/** How a question is to be answered; `null` leaves it to the settings. */
export type Choices = {
  scope: Scope | null;
  also?: readonly Scope[];
  /** Of a new question; another answer to one rests on the files that it was asked with. */
  files?: readonly AttachedFile[];
  model: ModelId | null;
  timeRange: TimeRange | null;
  depth: Thoroughness;
  /** What a research may use. */
  budget?: Limits;
};
/** `plan` is a research whose plan is to be seen first. */
export type Thoroughness = "quick" | "deep" | "plan";

export const PAGE = 20;
// A message that is looked for may be far up; beyond this the chat is shown at its end.
const MOST_PAGES = 100;

export class ChatState {
  id = $state<ChatId | null>(null);
  chat = $state.raw<Chat | null>(null);
  /** The shown branch, oldest first. */
  entries = $state.raw<Entry[]>([]);
  hasOlder = $state(false);
  /** Where the newest answer looked, if that was asked for. */
  places: readonly Scope[] = [];
  loading = $state<"newest" | "older" | null>(null);
  /** Why the chat could not be loaded. */
  failure = $state.raw<Failure | null>(null);
  /** Why a question could not even be asked. It stands in the question field again. */
  refused = $state.raw<{ failure: Failure; question: string } | null>(null);

  /** The answer being written here. */
  running = $derived(
    this.entries.findLast((entry) => entry instanceof AnswerState && entry.live) as AnswerState | undefined,
  );

  #disposed = false;
  #loads = 0;
  /** Something changed while a page was being loaded. */
  #missed = false;
  /** Wanted stopped before it had a name to be stopped by. */
  #unwanted: AnswerState | null = null;

  constructor(
    private readonly platform: Platform,
    /** Told once, when a new chat has been given its id. */
    private readonly oncreated: (chat: ChatId) => void = () => undefined,
  ) {}

  /** What comes after this is nobody's business; the answer is written on. */
  dispose(): void {
    this.#disposed = true;
  }

  /** Shows a chat at its end, or at one of its messages, and takes up the answers that are being written in it. */
  async open(chat: ChatId, message: MessageId | null = null): Promise<void> {
    if (chat === this.id && message && has(this.entries, message)) return this.refresh();
    this.id = chat;
    await this.#load(async (isCurrent) => {
      let entries = await this.#newest(isCurrent);
      if (message && entries && !has(entries, message)) {
        await this.platform.showBranch(message);
        entries = await this.#upTo(message, isCurrent);
      }
      return entries;
    });
    await this.#reattach();
  }

  async loadOlder(): Promise<void> {
    const first = this.entries[0];
    if (!this.id || !first?.id || !this.hasOlder || this.loading) return;
    await this.#load(async (isCurrent) => {
      const page = await this.platform.openChat(this.id!, first.id, PAGE);
      if (!isCurrent()) return null;
      this.hasOlder = page.has_older;
      return [...this.#entriesOf(page.messages), ...this.entries];
    }, "older");
  }

  /** The library says that something has changed in this chat, here or elsewhere. */
  async refresh(): Promise<void> {
    if (!this.id || this.running) return;
    this.#missed = this.loading !== null;
    if (this.#missed) return;
    try {
      const page = await this.platform.openChat(this.id, null, PAGE);
      if (this.#disposed || this.running) return;
      const newest = this.#entriesOf(page.messages);
      // What was loaded above the page stays above it, unless another branch is shown by now.
      const place = newest[0] ? this.entries.indexOf(newest[0]) : -1;
      this.chat = page.chat;
      if (place < 0) this.hasOlder = page.has_older;
      this.#show([...this.entries.slice(0, Math.max(place, 0)), ...newest]);
      await this.#reattach();
    } catch {
      // What is shown stays; whoever acts on it is told.
    }
  }

  async ask(text: string, choices: Choices): Promise<void> {
    const question = new QuestionState(text);
    question.files = choices.files ?? [];
    const turn: Turn = this.id ? { in: this.id } : "new";
    const files = question.files.map(({ url }) => url);
    await this.#run([...this.entries, question], new AnswerState(), { question: text, turn, files }, choices);
  }

  /** Asks a question in other words, beside the first. */
  async edit(question: QuestionState, text: string, choices: Choices): Promise<void> {
    question.editing = null;
    const changed = new QuestionState(text);
    changed.siblings = question.siblings;
    changed.files = question.files;
    const entries = [...before(this.entries, question), changed];
    await this.#run(entries, new AnswerState(), { question: text, turn: { editing: question.id } }, choices);
  }

  /** Has the question of this answer answered once more, beside the first. */
  async regenerate(answer: AnswerState, choices: Choices): Promise<void> {
    if (!answer.parent) return;
    const another = new AnswerState();
    another.siblings = answer.siblings;
    const turn: Turn = { regenerating: answer.parent };
    await this.#run(before(this.entries, answer), another, { question: "", turn }, choices);
  }

  async continue(answer: AnswerState, choices: Choices): Promise<void> {
    answer.resume();
    const turn: Turn = { continuing: answer.id };
    // A research keeps the budget that its own plan says.
    const kept = answer.research ? { ...choices, budget: AS_USUAL } : choices;
    await this.#run(before(this.entries, answer), answer, { question: "", turn }, kept);
  }

  async stop(): Promise<void> {
    const { running } = this;
    if (!running || running.written) return;
    if (running.id) await this.platform.stopAnswer(running.id);
    else this.#unwanted = running;
  }

  /** Shows the branch with this message, from where it parts from the shown one. */
  async showBranch(message: MessageId): Promise<void> {
    await this.#load(async (isCurrent) => {
      await this.platform.showBranch(message);
      return this.#upTo(message, isCurrent);
    });
    await this.#reattach();
  }

  /** Starts an answer, shows it at once, and takes all back where it cannot even begin. */
  async #run(
    entries: Entry[],
    answer: AnswerState,
    what: Pick<AskRequest, "question" | "turn"> & Partial<Pick<AskRequest, "files">>,
    { scope, also = [], model, timeRange, depth, budget = AS_USUAL }: Choices,
  ): Promise<void> {
    const shown = this.entries;
    this.refused = null;
    answer.live = true;
    this.entries = [...entries, answer];
    try {
      const request: AskRequest = {
        files: [],
        ...what,
        scope,
        also: [...also],
        model,
        time_range: timeRange,
        depth: depth === "quick" ? "quick" : "deep",
        research: { ...budget, plan_first: depth === "plan" },
      };
      await this.platform.ask(request, (events) => this.#take(answer, events));
    } catch (error) {
      this.#refuse(answer, shown, what.question, asFailure(error));
    } finally {
      await this.#settle(answer);
    }
  }

  /** Nothing was begun: what was shown before is shown again, and the question can be mended. */
  #refuse(answer: AnswerState, shown: Entry[], question: string, failure: Failure): void {
    answer.live = false;
    if (answer.id) {
      answer.state = "interrupted";
      answer.failure ??= failure;
    } else {
      this.entries = shown;
      this.refused = { failure, question };
    }
  }

  #take(answer: AnswerState, events: readonly AnswerEvent[]): void {
    if (this.#disposed) return;
    for (const event of events) {
      answer.apply(event);
      this.#hear(answer, event);
    }
  }

  /** What an event says of the chat. */
  #hear(answer: AnswerState, event: AnswerEvent): void {
    if (event.type === "started") {
      const question = this.entries[this.entries.indexOf(answer) - 1];
      if (question instanceof QuestionState && !question.id) {
        question.id = event.question_id;
        question.siblings = [...question.siblings, event.question_id];
      }
      if (!this.id) {
        this.id = event.chat_id;
        this.oncreated(event.chat_id);
      }
      if (this.#unwanted === answer) void this.stop();
    } else if (event.type === "titled" && this.chat) {
      this.chat = { ...this.chat, title: event.title };
    }
  }

  /** An answer that has ended is read once more: the store has its citations as they are kept. */
  async #settle(answer: AnswerState): Promise<void> {
    if (this.#disposed || !answer.id) return;
    try {
      const [message, { chat }] = await Promise.all([
        this.platform.openMessage(answer.id),
        this.platform.openChat(this.id!, null, 1),
      ]);
      if (this.#disposed) return;
      answer.fill(message);
      if (answer.research) answer.research = (await this.platform.findResearch(answer.id)) ?? answer.research;
      this.chat = chat;
    } catch {
      // It stays as it was told.
    }
    answer.live = false;
    if (answer.state === "streaming") answer.state = "interrupted";
  }

  async #reattach(): Promise<void> {
    if (this.#disposed || !this.id) return;
    const running = await this.platform.runningAnswers().catch(() => []);
    for (const { answer_id } of running.filter(({ chat_id }) => chat_id === this.id)) {
      const answer = this.entries.find((entry) => entry.id === answer_id);
      if (answer instanceof AnswerState && !answer.live) void this.#watch(answer);
    }
  }

  async #watch(answer: AnswerState): Promise<void> {
    let isFirst = true;
    answer.live = true;
    answer.state = "streaming";
    try {
      await this.platform.watchAnswer(answer.id, (events) => {
        if (this.#disposed) return;
        if (isFirst) answer.replay(events);
        else this.#take(answer, events);
        isFirst = false;
      });
    } catch (error) {
      answer.failure = asFailure(error);
    }
    await this.#settle(answer);
  }

  async #load(
    read: (isCurrent: () => boolean) => Promise<Entry[] | null>,
    what: "newest" | "older" = "newest",
  ): Promise<void> {
    const load = ++this.#loads;
    const isCurrent = () => load === this.#loads && !this.#disposed;
    this.loading = what;
    this.failure = null;
    try {
      const entries = await read(isCurrent);
      if (isCurrent() && entries) this.#show(entries);
    } catch (error) {
      if (isCurrent()) this.failure = asFailure(error);
    }
    if (load === this.#loads) this.loading = null;
    if (isCurrent()) await this.#recallResearch();
    if (isCurrent() && this.#missed) await this.refresh();
  }

  /** Of an answer with sections, or one that was cut off, the store knows whether it was a research. */
  async #recallResearch(): Promise<void> {
    const reports = this.entries.filter(
      (entry): entry is AnswerState =>
        entry instanceof AnswerState &&
        !entry.research &&
        entry.id !== "" &&
        (entry.state === "interrupted" || headingsOf(entry.content).length > 0),
    );
    for (const answer of reports) {
      const research = await this.platform.findResearch(answer.id).catch(() => null);
      if (research && !this.#disposed) answer.research ??= research;
    }
  }

  async #newest(isCurrent: () => boolean): Promise<Entry[] | null> {
    const page = await this.platform.openChat(this.id!, null, PAGE);
    if (!isCurrent()) return null;
    this.chat = page.chat;
    this.hasOlder = page.has_older;
    this.places = page.places;
    return this.#entriesOf(page.messages);
  }

  /** The end of the chat, from some way above this message. */
  async #upTo(message: MessageId, isCurrent: () => boolean): Promise<Entry[] | null> {
    let entries = await this.#newest(isCurrent);
    for (let page = 1; entries && this.hasOlder && !has(entries, message) && page < MOST_PAGES; page++) {
      const older = await this.platform.openChat(this.id!, entries[0]!.id, PAGE);
      if (!isCurrent()) return null;
      this.hasOlder = older.has_older;
      entries = [...this.#entriesOf(older.messages), ...entries];
    }
    return entries;
  }

  #show(entries: Entry[]): void {
    const isSame = entries.length === this.entries.length && entries.every((entry, at) => entry === this.entries[at]);
    if (!isSame) this.entries = entries;
  }

  /** What is shown already stays the same entry, with what is being written or changed in it. */
  #entriesOf(messages: readonly OpenMessage[]): Entry[] {
    const shown = new Map(this.entries.map((entry) => [entry.id, entry]));
    return messages.flatMap((message, at): Entry[] => {
      const known = shown.get(message.id);
      if (!known) return entryOf(message);
      if (known instanceof QuestionState) known.fill(message);
      else if (!known.live) known.renew(message, at === messages.length - 1);
      return [known];
    });
  }
}

function entryOf(message: OpenMessage): Entry[] {
  if (message.role === "user") return [new QuestionState(message)];
  return message.role === "assistant" ? [new AnswerState(message)] : [];
}

function before(entries: readonly Entry[], entry: Entry): Entry[] {
  return entries.slice(0, entries.indexOf(entry));
}

function has(entries: readonly Entry[], message: MessageId): boolean {
  return entries.some((entry) => entry.id === message);
}
