import { describe, expect, it } from "vitest";
import type {
  AnswerEvent,
  Citation,
  Failure,
  Message,
  OpenMessage,
  ResearchProgress,
  SentenceCheck,
} from "../../bindings/bindings";
import { AnswerState } from "./answer.svelte";

const FAILURE: Failure = { code: "captcha", message: "DuckDuckGo wants proof.", hint: "Use another engine." };
const SOURCE = { title: "Water", url: "https://a.example/water", snippet: "Water boils." };
const CITATION: Citation = {
  number: 1,
  marker: { start: 15, end: 18 },
  sentence: { start: 0, end: 18 },
  page_id: "page_1",
  page_span: { start: 4, end: 20 },
  quote: "Water boils at 100 °C.",
};
const CHECK: SentenceCheck = { sentence: { start: 0, end: 18 }, verdict: "partly", evidence: null };
const MESSAGE: Message = {
  id: "msg_a",
  chat_id: "chat_1",
  parent: "msg_q",
  role: "assistant",
  content: "Wässer kocht. [1]",
  sources: [SOURCE],
  metadata: { model: "ollama/llama3.2", tokens: { prompt: 1, completion: 2, total: 3 }, processingTime: 1200 },
  created_at: "2026-11-01T10:00:00Z",
  state: "complete",
};
const OPEN: OpenMessage = {
  ...MESSAGE,
  files: [],
  pages: [{ number: 1, page_id: "page_1", title: "Water", url: SOURCE.url, fetched_at: "2026-11-01T10:00:00Z" }],
  citations: [CITATION],
  checks: [CHECK],
  follow_ups: ["And tea?"],
  siblings: ["msg_0", "msg_a"],
  recheck: null,
};
const STARTED: AnswerEvent = {
  type: "started",
  chat_id: "chat_1",
  question_id: "msg_q",
  answer_id: "msg_a",
  model: "ollama/llama3.2",
};

function after(...events: AnswerEvent[]): AnswerState {
  const answer = new AnswerState();
  for (const event of [STARTED, ...events]) answer.apply(event);
  return answer;
}

describe("each event of an answer", () => {
  it("started: it has an id, a model and its question", () => {
    const answer = after();
    expect(answer).toMatchObject({ id: "msg_a", parent: "msg_q", model: "ollama/llama3.2", state: "streaming" });
    expect(answer.siblings).toEqual(["msg_a"]);
    expect(answer.steps.phase).toBe("planning");
  });

  it("planned: it says what is searched for, or that nothing needs to be", () => {
    const plan = (queries: string[]) => after({ type: "planned", question: "q", queries }).steps;
    expect(plan(["boiling water"])).toMatchObject({ phase: "searching", queries: ["boiling water"] });
    expect(plan([]).phase).toBe("reading");
  });

  it("searched: it says who found how much, and whether that is old", () => {
    const hit = { title: "Water", url: SOURCE.url, snippet: "", published_at: "2025-01-01T00:00:00Z" };
    const answer = after({ type: "searched", engine: "brave", query: "q", hits: [hit], cached: true, stale: true });
    expect(answer.steps.searches).toEqual([
      { engine: "brave", query: "q", hits: 1, cached: true, stale: true, failure: null, next: null },
    ]);
    expect(answer.steps).toMatchObject({ stale: true, phase: "reading" });
    expect(answer.steps.found.get(SOURCE.url)?.published_at).toBe("2025-01-01T00:00:00Z");
  });

  it("search_failed: it says why and who is asked next, until something goes right", () => {
    const failed: AnswerEvent = {
      type: "search_failed",
      engine: "duckduckgo",
      query: "q",
      failure: FAILURE,
      next: "brave",
    };
    expect(after(failed).steps.trouble).toMatchObject({ engine: "duckduckgo", failure: FAILURE, next: "brave" });
    const found: AnswerEvent = { type: "searched", engine: "brave", query: "q", hits: [], cached: false, stale: false };
    expect(after(failed, found).steps.trouble).toBeNull();
  });

  it("source_read and source_failed: pages are counted apart", () => {
    const answer = after(
      { type: "source_read", url: SOURCE.url, title: "Water", favicon: null },
      { type: "source_failed", url: "https://b.example/", failure: FAILURE },
    );
    expect(answer.steps.read.map(({ url }) => url)).toEqual([SOURCE.url]);
    expect(answer.steps.failed).toEqual([{ url: "https://b.example/", title: "", failure: FAILURE }]);
  });

  it("reranked: which model put the passages in order, or why none did", () => {
    const reranked: AnswerEvent = { type: "reranked", model: "ollama/all-minilm", passages: 30, failure: null };
    expect(after(reranked).steps.reranked).toEqual({ model: "ollama/all-minilm", failure: null });
    expect(after(reranked, { ...reranked, failure: FAILURE }).steps.reranked?.failure).toEqual(FAILURE);
  });

  it("ranked: sources have their pages", () => {
    const answer = after({ type: "ranked", sources: [SOURCE], pages: ["page_1"] });
    expect(answer.sources).toEqual([SOURCE]);
    expect(answer.pageOf(1)).toBe("page_1");
    expect(answer.pageOf(2)).toBeNull();
    expect(answer.steps.phase).toBe("writing");
  });

  it("token: text grows", () => {
    expect(after({ type: "token", text: "Wa" }, { type: "token", text: "ter" }).content).toBe("Water");
  });

  it("cited: a number in the text leads to its sentence, counted in bytes", () => {
    const answer = after({ type: "token", text: "Wässer kocht. [1]" }, { type: "cited", citation: CITATION });
    expect(answer.citationAt(1, 14)).toEqual(CITATION);
    expect(answer.citationAt(1, 3)).toBeNull();
    expect(answer.citationAt(1, null)).toEqual(CITATION);
    answer.apply({ type: "cited", citation: CITATION });
    expect(answer.citations).toHaveLength(1);
  });

  it("checked: the text is whole, and what is doubtful can be listed", () => {
    const answer = after({ type: "token", text: "Wässer kocht. [1]" }, { type: "checked", sentences: [CHECK] });
    expect(answer.written).toBe(true);
    expect(answer.state).toBe("streaming");
    expect(answer.doubts()).toEqual([{ text: "Wässer kocht. [1]", verdict: "partly", evidence: null }]);
  });

  it("titled: nothing of the answer's", () => {
    expect(after({ type: "titled", title: "Water" }).content).toBe("");
  });

  it("suggested: there are questions to go on with", () => {
    expect(after({ type: "suggested", questions: ["And tea?"] }).followUps).toEqual(["And tea?"]);
  });

  it("finished: it is as it was saved", () => {
    const answer = after({ type: "token", text: "W" }, { type: "finished", message: MESSAGE });
    expect(answer).toMatchObject({ state: "complete", content: MESSAGE.content, metadata: MESSAGE.metadata });
    expect(answer.steps.phase).toBe("done");
  });

  it("failed: what had come is kept, with the reason", () => {
    const saved = after({
      type: "failed",
      message: { ...MESSAGE, state: "interrupted", content: "Wä" },
      failure: FAILURE,
    });
    expect(saved).toMatchObject({ state: "interrupted", content: "Wä", failure: FAILURE });
    const lost = after({ type: "token", text: "Wä" }, { type: "failed", message: null, failure: FAILURE });
    expect(lost).toMatchObject({ state: "interrupted", content: "Wä", failure: FAILURE });
  });
});

describe("an answer that is opened", () => {
  it("has all that the store has", () => {
    const answer = new AnswerState(OPEN);
    expect(answer).toMatchObject({ id: "msg_a", model: "ollama/llama3.2", followUps: ["And tea?"], checks: [CHECK] });
    expect(answer.siblings).toEqual(["msg_0", "msg_a"]);
    expect(answer.pageOf(1)).toBe("page_1");
    expect(answer.steps.phase).toBe("done");
  });
});

describe("an answer that is read once more", () => {
  it("keeps all that is the same, so that nothing of it is drawn anew", () => {
    const answer = new AnswerState(structuredClone(OPEN));
    const before = [answer.sources, answer.saved, answer.citations, answer.checks];
    answer.fill(structuredClone(OPEN));
    const after = [answer.sources, answer.saved, answer.citations, answer.checks];
    expect(after.map((each, at) => each === before[at])).toEqual([true, true, true, true]);
    answer.fill({ ...structuredClone(OPEN), checks: [{ ...CHECK, verdict: "supported" }] });
    expect(answer.checks[0]?.verdict).toBe("supported");
  });
});

describe("a research", () => {
  const PROGRESS: ResearchProgress = {
    phase: "gather",
    at: 1,
    parts: [],
    budget: { steps: 16, pages: 30, seconds: 600, tokens: 120_000, money: null },
    spent: {
      steps: 1,
      pages: 2,
      milliseconds: 900,
      usage: { prompt: 0, completion: 0, total: 0 },
      money: null,
    },
    conflicts: 0,
    ended: null,
    trouble: null,
  };

  it("is shown as it is now, and its text is taken back where its plan has changed", () => {
    const answer = after(STARTED, { type: "research", progress: PROGRESS }, { type: "token", text: "## One [1]" });
    answer.apply({ type: "cited", citation: CITATION });
    expect(answer.research).toEqual(PROGRESS);
    answer.apply({ type: "replaced", content: "## Two" });
    expect(answer).toMatchObject({ content: "## Two", citations: [] });
    answer.apply({ type: "token", text: " and three" });
    expect(answer.content).toBe("## Two and three");
  });

  it("is joined with its text whole, wherever it was gone on with", () => {
    const joined = (content: string, ...told: AnswerEvent[]) => {
      const answer = new AnswerState({ ...OPEN, content, state: "streaming" });
      answer.replay([STARTED, { type: "research", progress: PROGRESS }, ...told]);
      return answer.content;
    };
    // Gone on with at "One.", of which the store has more by now.
    expect(joined("One. Two.", { type: "token", text: " Two. Three." })).toBe("One. Two. Three.");
    // The report of an earlier stop is not what comes now.
    expect(joined("Stopped.", { type: "replaced", content: "Anew." }, { type: "token", text: " More." })).toBe(
      "Anew. More.",
    );
  });
});

describe("joining an answer half-way", () => {
  const streaming: OpenMessage = { ...OPEN, state: "streaming", content: "One two ", citations: [], checks: [] };
  const replayed = (content: string, told: string) => {
    const answer = new AnswerState({ ...streaming, content });
    answer.replay([STARTED, { type: "token", text: told }]);
    return answer.content;
  };

  it("says nothing twice and leaves nothing out", () => {
    expect(replayed("", "One")).toBe("One");
    expect(replayed("One two ", "One two three")).toBe("One two three");
    expect(replayed("Before. ", "One")).toBe("Before. One");
    expect(replayed("Before. One", "One two")).toBe("Before. One two");
  });

  it("goes on with what comes then", () => {
    const answer = new AnswerState(streaming);
    answer.replay([STARTED, { type: "token", text: "One two three" }]);
    answer.apply({ type: "token", text: " four" });
    expect(answer.content).toBe("One two three four");
  });

  it("is the saved answer when it has ended meanwhile", () => {
    const answer = new AnswerState(streaming);
    answer.replay([STARTED, { type: "token", text: "One" }, { type: "finished", message: MESSAGE }]);
    expect(answer.content).toBe(MESSAGE.content);
  });
});

it("forgets its end when it is gone on with", () => {
  const answer = after({ type: "failed", message: { ...MESSAGE, state: "interrupted" }, failure: FAILURE });
  answer.resume();
  expect(answer).toMatchObject({ state: "streaming", failure: null, content: MESSAGE.content });
  answer.apply(STARTED);
  answer.apply({ type: "token", text: " More." });
  expect(answer.content).toBe(`${MESSAGE.content} More.`);
});
