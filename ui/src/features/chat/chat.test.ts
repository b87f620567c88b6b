import { describe, expect, it, vi } from "vitest";
import type { AnswerEvent, AskRequest, Failure, MessageId, OpenMessage, Scope } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import type { AnswerState } from "./answer.svelte";
import { ChatState, type Choices, PAGE } from "./chat.svelte";
import type { QuestionState } from "./question.svelte";

const CHAT = {
  id: "chat_1",
  title: "Water",
  created_at: "2026-11-01T10:00:00Z",
  updated_at: "2026-11-01T10:00:00Z",
  deleted_at: null,
  pinned: false,
  archived: false,
  leaf: null,
};
const AS_SET: Choices = { scope: null, model: null, timeRange: null, depth: "quick" };
const FAILURE: Failure = { code: "key_refused", message: "The key was refused.", hint: null };

function message(id: MessageId, more: Partial<OpenMessage> = {}): OpenMessage {
  const role = id.startsWith("q") ? "user" : "assistant";
  return {
    ...{ id, chat_id: "chat_1", parent: null, role, content: id, sources: null, metadata: null, state: "complete" },
    ...{
      created_at: "2026-11-01T10:00:00Z",
      files: [],
      pages: [],
      citations: [],
      checks: [],
      follow_ups: [],
      siblings: [id],
      recheck: null,
    },
    ...more,
  };
}

/** A world with one chat of so many questions and answers, in which a test decides when an answer says what. */
class World {
  messages: OpenMessage[] = [];
  places: Scope[] = [];
  asked: AskRequest[] = [];
  running: MessageId[] = [];
  say: (...events: AnswerEvent[]) => void = () => undefined;
  end: (failure?: Failure) => void = () => undefined;

  readonly platform = {
    openChat: vi.fn(async (_: string, before: MessageId | null, limit: number) => {
      const end = before ? this.messages.findIndex(({ id }) => id === before) : this.messages.length;
      const start = Math.max(0, end - limit);
      return { chat: CHAT, messages: this.messages.slice(start, end), has_older: start > 0, places: this.places };
    }),
    openMessage: vi.fn(
      async (id: MessageId) => this.messages.find((known) => known.id === id) ?? Promise.reject(FAILURE),
    ),
    runningAnswers: async () => this.running.map((answer_id) => ({ chat_id: "chat_1", question_id: "q1", answer_id })),
    watchAnswer: vi.fn(async (_: MessageId, onEvents: (events: AnswerEvent[]) => void) => {
      await this.#answering(onEvents);
      return true;
    }),
    ask: vi.fn(async (request: AskRequest, onEvents: (events: AnswerEvent[]) => void) => {
      this.asked.push(request);
      await this.#answering(onEvents);
    }),
    stopAnswer: vi.fn(async () => true),
    findResearch: vi.fn(async () => null),
    showBranch: vi.fn(async () => undefined),
  };

  constructor(turns: number) {
    for (let turn = 1; turn <= turns; turn++)
      this.messages.push(message(`q${turn}`), message(`a${turn}`, { parent: `q${turn}` }));
  }

  chat(oncreated?: (id: string) => void): ChatState {
    return new ChatState(this.platform as unknown as Platform, oncreated);
  }

  #answering(onEvents: (events: AnswerEvent[]) => void): Promise<void> {
    this.say = (...events) => onEvents(events);
    return new Promise((resolve, reject) => (this.end = (failure) => (failure ? reject(failure) : resolve())));
  }
}

const started = (answer_id = "a9", question_id = "q9"): AnswerEvent => ({
  ...{ type: "started", chat_id: "chat_1", model: "m" },
  ...{ question_id, answer_id },
});
const ids = (chat: ChatState) => chat.entries.map(({ id }) => id);
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("opening", () => {
  it("shows the newest page, and older ones before it", async () => {
    const world = new World(25);
    const chat = world.chat();
    await chat.open("chat_1");
    expect(ids(chat)).toHaveLength(PAGE);
    expect(ids(chat).at(-1)).toBe("a25");
    expect(chat.hasOlder).toBe(true);
    await Promise.all([chat.loadOlder(), chat.loadOlder()]);
    expect(ids(chat)).toHaveLength(40);
    await chat.loadOlder();
    expect(ids(chat)[0]).toBe("q1");
    expect(chat.hasOlder).toBe(false);
    await chat.loadOlder();
    expect(world.platform.openChat).toHaveBeenCalledTimes(3);
  });

  it("goes up to the message that was asked for", async () => {
    const world = new World(40);
    const chat = world.chat();
    await chat.open("chat_1", "q3");
    expect(world.platform.showBranch).toHaveBeenCalledWith("q3");
    expect(ids(chat)).toContain("q3");
    expect(ids(chat).at(-1)).toBe("a40");
  });

  it("goes to a message that is here already without beginning anew", async () => {
    const world = new World(30);
    const chat = world.chat();
    await chat.open("chat_1");
    await chat.loadOlder();
    const shown = chat.entries;
    await chat.open("chat_1", "q12");
    expect(world.platform.showBranch).not.toHaveBeenCalled();
    expect(chat.entries).toBe(shown);
  });

  it("says why it failed, and can be tried again", async () => {
    const world = new World(1);
    world.platform.openChat.mockRejectedValueOnce(FAILURE);
    const chat = world.chat();
    await chat.open("chat_1");
    expect(chat).toMatchObject({ failure: FAILURE, loading: null });
    await chat.open("chat_1");
    expect(chat.failure).toBeNull();
    expect(ids(chat)).toEqual(["q1", "a1"]);
  });

  it("takes up an answer that is being written", async () => {
    const world = new World(1);
    world.messages[1] = message("a1", { parent: "q1", state: "streaming", content: "One " });
    world.running = ["a1"];
    const chat = world.chat();
    await chat.open("chat_1");
    expect(chat.running?.id).toBe("a1");
    world.say(started("a1", "q1"), { type: "token", text: "One two" });
    world.say({ type: "token", text: " three" });
    expect(chat.running?.content).toBe("One two three");
    world.messages[1] = message("a1", { parent: "q1", content: "One two three." });
    world.end();
    await settled();
    expect(chat.running).toBeUndefined();
    expect(chat.entries[1]).toMatchObject({ content: "One two three.", state: "complete" });
  });
});

describe("asking", () => {
  it("shows question and answer at once, and what they are called when that is known", async () => {
    const created = vi.fn();
    const world = new World(0);
    const chat = world.chat(created);
    const asking = chat.ask("Why?", { scope: "web", model: "m", timeRange: "week", depth: "plan" });
    expect(chat.entries.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(world.asked).toEqual([
      {
        question: "Why?",
        turn: "new",
        scope: "web",
        also: [],
        files: [],
        model: "m",
        time_range: "week",
        depth: "deep",
        research: { steps: null, pages: null, minutes: null, tokens: null, money: null, plan_first: true },
      },
    ]);
    const [question, answer] = chat.entries;
    world.say(started(), { type: "token", text: "Because" });
    expect(created).toHaveBeenCalledExactlyOnceWith("chat_1");
    expect(ids(chat)).toEqual(["q9", "a9"]);
    expect(chat.running?.content).toBe("Because");
    world.messages = [message("q9"), message("a9", { content: "Because.", follow_ups: ["And?"] })];
    world.end();
    await asking;
    expect(chat.entries).toEqual([question, answer]);
    expect(chat.entries[1]).toMatchObject({ content: "Because.", followUps: ["And?"], live: false });
    expect(chat.chat?.title).toBe("Water");
  });

  it("goes on in its chat", async () => {
    const world = new World(1);
    const chat = world.chat();
    await chat.open("chat_1");
    void chat.ask("More?", AS_SET);
    expect(world.asked[0]?.turn).toEqual({ in: "chat_1" });
    world.end();
  });

  it("takes all back when the question is refused, and keeps its words", async () => {
    const world = new World(1);
    const chat = world.chat();
    await chat.open("chat_1");
    const asking = chat.ask("More?", AS_SET);
    world.end(FAILURE);
    await asking;
    expect(ids(chat)).toEqual(["q1", "a1"]);
    expect(chat.refused).toEqual({ failure: FAILURE, question: "More?" });
  });

  it("keeps what came before it broke off", async () => {
    const world = new World(0);
    const chat = world.chat();
    const asking = chat.ask("Why?", AS_SET);
    world.say(started(), { type: "token", text: "Be" });
    world.say({ type: "failed", message: null, failure: FAILURE });
    world.end();
    await asking;
    expect(chat.entries[1]).toMatchObject({ content: "Be", state: "interrupted", failure: FAILURE });
    expect(chat.refused).toBeNull();
  });

  it("hears nothing any more once it is left", () => {
    const world = new World(0);
    const chat = world.chat();
    void chat.ask("Why?", AS_SET);
    chat.dispose();
    world.say(started(), { type: "token", text: "Be" });
    expect(chat.entries[1]).toMatchObject({ content: "" });
  });

  it("stops an answer as soon as it can, when that is wanted before", async () => {
    const world = new World(0);
    const chat = world.chat();
    void chat.ask("Why?", AS_SET);
    await chat.stop();
    expect(world.platform.stopAnswer).not.toHaveBeenCalled();
    world.say(started());
    expect(world.platform.stopAnswer).toHaveBeenCalledExactlyOnceWith("a9");
  });

  it("stops an answer, but not one whose last word is written", async () => {
    const world = new World(0);
    const chat = world.chat();
    void chat.ask("Why?", AS_SET);
    world.say(started());
    await chat.stop();
    expect(world.platform.stopAnswer).toHaveBeenCalledWith("a9");
    world.say({ type: "checked", sentences: [] });
    await chat.stop();
    expect(world.platform.stopAnswer).toHaveBeenCalledTimes(1);
  });
});

describe("branches", () => {
  async function opened(turns = 2) {
    const world = new World(turns);
    const chat = world.chat();
    await chat.open("chat_1");
    return { world, chat };
  }

  it("another wording takes the place of the question and all after it", async () => {
    const { world, chat } = await opened();
    void chat.edit(chat.entries[0] as QuestionState, "Else?", AS_SET);
    expect(world.asked[0]).toMatchObject({ question: "Else?", turn: { editing: "q1" } });
    world.say(started("a9", "q9"));
    expect(ids(chat)).toEqual(["q9", "a9"]);
    expect(chat.entries[0]).toMatchObject({ content: "Else?", siblings: ["q1", "q9"] });
    world.end();
  });

  it("another answer takes the place of the answer and all after it", async () => {
    const { world, chat } = await opened();
    void chat.regenerate(chat.entries[1] as AnswerState, { ...AS_SET, model: "other" });
    expect(world.asked[0]).toMatchObject({ turn: { regenerating: "q1" }, model: "other" });
    world.say(started("a9", "q1"));
    expect(ids(chat)).toEqual(["q1", "a9"]);
    expect(chat.entries[1]?.siblings).toEqual(["a1", "a9"]);
    world.end();
  });

  it("come back whole when the other is refused", async () => {
    const { world, chat } = await opened();
    const asking = chat.regenerate(chat.entries[1] as AnswerState, AS_SET);
    world.end(FAILURE);
    await asking;
    expect(ids(chat)).toEqual(["q1", "a1", "q2", "a2"]);
    expect(chat.refused?.failure).toEqual(FAILURE);
  });

  it("an interrupted answer goes on where it stopped", async () => {
    const { world, chat } = await opened(1);
    const answer = chat.entries[1] as AnswerState;
    answer.state = "interrupted";
    const going = chat.continue(answer, AS_SET);
    expect(world.asked[0]?.turn).toEqual({ continuing: "a1" });
    world.say(started("a1", "q1"), { type: "token", text: " and more" });
    expect(answer.content).toBe("a1 and more");
    world.end(FAILURE);
    await going;
    expect(answer).toMatchObject({ live: false, failure: FAILURE });
  });

  it("are changed by the store, and shown as it has them", async () => {
    const { world, chat } = await opened();
    world.messages.splice(1, 3, message("a5", { parent: "q1", siblings: ["a1", "a5"] }));
    await chat.showBranch("a5");
    expect(world.platform.showBranch).toHaveBeenCalledWith("a5");
    expect(ids(chat)).toEqual(["q1", "a5"]);
  });
});

describe("changes from elsewhere", () => {
  it("are shown when nothing is being written here", async () => {
    const world = new World(1);
    const chat = world.chat();
    await chat.open("chat_1");
    world.messages.push(message("q2"), message("a2", { parent: "q2" }));
    await chat.refresh();
    expect(ids(chat)).toEqual(["q1", "a1", "q2", "a2"]);
  });

  it("take away neither what is being written nor what was loaded", async () => {
    const world = new World(25);
    const chat = world.chat();
    await chat.open("chat_1");
    await chat.loadOlder();
    const [shown, question] = [chat.entries, chat.entries.at(-2) as QuestionState];
    question.editing = "half a new wo";
    world.messages.at(-1)!.siblings = ["a25", "a25b"];
    world.messages.push(message("q26"), message("a26", { parent: "q26" }));
    await chat.refresh();
    expect(chat.entries.slice(0, 40)).toEqual(shown);
    expect(chat.entries.slice(0, 40).every((entry, at) => entry === shown[at])).toBe(true);
    expect(ids(chat).slice(-3)).toEqual(["a25", "q26", "a26"]);
    expect(question.editing).toBe("half a new wo");
    expect(chat.entries[39]?.siblings).toEqual(["a25", "a25b"]);
    expect(chat.hasOlder).toBe(true);
  });

  it("are taken up after the page that was being loaded when they were told", async () => {
    const world = new World(25);
    const chat = world.chat();
    await chat.open("chat_1");
    const loading = chat.loadOlder();
    world.messages.push(message("q26"), message("a26", { parent: "q26" }));
    await chat.refresh();
    await loading;
    expect(ids(chat)).toHaveLength(42);
    expect(ids(chat).at(-1)).toBe("a26");
  });

  it("show another branch from where it parts from the shown one", async () => {
    const world = new World(3);
    const chat = world.chat();
    await chat.open("chat_1");
    const [question] = chat.entries;
    world.messages.splice(1, 5, message("a9", { parent: "q1", siblings: ["a1", "a9"] }));
    await chat.refresh();
    expect(ids(chat)).toEqual(["q1", "a9"]);
    expect(chat.entries[0]).toBe(question);
  });

  it("leave the answer being written alone", async () => {
    const world = new World(1);
    const chat = world.chat();
    await chat.open("chat_1");
    void chat.ask("More?", AS_SET);
    world.say(started());
    await chat.refresh();
    expect(ids(chat)).toEqual(["q1", "a1", "q9", "a9"]);
    world.end();
  });
});
