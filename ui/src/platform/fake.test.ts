// The fake is what every other test stands on, so its own promises are kept here.

import { expect, it } from "vitest";
import type { AnswerEvent, AskRequest } from "../bindings/bindings";
import { ByteIndex } from "../shared/bytes";
import { EVERYWHERE } from "../shared/history";
import { FakePlatform } from "./fake";
import { topics } from "./fake/topics";

const request = (question: string, rest: Partial<AskRequest> = {}): AskRequest => ({
  question,
  turn: "new",
  scope: null,
  model: null,
  time_range: null,
  depth: "quick",
  research: { steps: null, pages: null, minutes: null, tokens: null, money: null, plan_first: false },
  ...rest,
});

it.each(["wal", "heat", "leave", "astrolabe", "crab", "battery"])(
  "binds every citation of %s to its words",
  async (name) => {
    const platform = new FakePlatform();
    const { citations, content, checks } = await platform.openMessage(`msg_${name}_a`);
    expect(citations.length).toBeGreaterThan(0);
    const answer = new ByteIndex(content);
    for (const citation of citations) {
      const page = await platform.openPage(citation.page_id);
      expect(answer.slice(citation.marker)).toBe(`[${citation.number}]`);
      expect(answer.slice(citation.sentence)).toContain(`[${citation.number}]`);
      expect(new ByteIndex(page.text).slice(citation.page_span)).toBe(citation.quote);
      expect(page.sentences).toContainEqual(citation.page_span);
    }
    for (const check of checks) expect(answer.slice(check.sentence).trim()).not.toBe("");
  },
);

it("plays an answer from start to finish, in order", async () => {
  const platform = new FakePlatform("main", { speed: 0 });
  const events: AnswerEvent[] = [];
  await platform.ask(request(topics[0]!.question), (some) => events.push(...some));
  const kinds = [...new Set(events.map((event) => event.type))];
  expect(kinds).toEqual([
    "started",
    "planned",
    "search_failed",
    "searched",
    "source_read",
    "source_failed",
    "ranked",
    "token",
    "cited",
    "checked",
    "titled",
    "suggested",
    "finished",
  ]);
  const told = events.map((event) => (event.type === "token" ? event.text : "")).join("");
  const last = events.at(-1)!;
  expect(last.type === "finished" && last.message.content).toBe(told);
});

it("lets a second window join late and see the same answer", async () => {
  const platform = new FakePlatform("main", { scenario: "running", speed: 20_000 });
  const [running] = await platform.runningAnswers();
  const events: AnswerEvent[] = [];
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await platform.watchAnswer(running!.answer_id, (some) => events.push(...some))).toBe(true);
  expect(events[0]!.type).toBe("started");
  expect(events.at(-1)!.type).toBe("finished");
  expect(await platform.watchAnswer(running!.answer_id, () => undefined)).toBe(false);
});

it.each([
  ["key_refused", "key_refused"],
  ["broken", "upstream"],
  ["offline", "offline"],
] as const)("fails with %s as %s and keeps what came", async (ask, code) => {
  const platform = new FakePlatform("main", { speed: 0, ask });
  const events: AnswerEvent[] = [];
  await platform.ask(request(topics[0]!.question), (some) => events.push(...some));
  const last = events.at(-1)!;
  expect(last.type === "failed" && last.failure.code).toBe(code);
  expect(last.type === "failed" && last.message?.state).toBe("interrupted");
});

it("continues an interrupted answer where it stopped", async () => {
  const platform = new FakePlatform("main", { speed: 0 });
  const before = (await platform.openMessage("msg_crab_a")).content;
  await platform.ask(request("", { turn: { continuing: "msg_crab_a" } }), () => undefined);
  const after = await platform.openMessage("msg_crab_a");
  expect(after.state).toBe("complete");
  expect(after.content.startsWith(before)).toBe(true);
  expect(after.content.length).toBeGreaterThan(before.length);
});

it("pages through chats without losing or repeating one", async () => {
  const platform = new FakePlatform();
  const ids: string[] = [];
  let page = await platform.listChats("active", null, 7);
  while (page.length > 0) {
    ids.push(...page.map((chat) => chat.id));
    page = await platform.listChats("active", page.at(-1)!, 7);
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBe((await platform.listChats("active", null, 1000)).length);
});

it("holds a hundred thousand chats", async () => {
  const platform = new FakePlatform("main", { scenario: "huge" });
  expect(platform.library.chats.size).toBe(100_000);
  const [chat] = await platform.listChats("active", null, 1);
  expect(chat).toBeDefined();
});

it("finds words in history and marks them in bytes", async () => {
  const platform = new FakePlatform();
  const { hits } = await platform.searchHistory({ text: "有給", filter: EVERYWHERE, limit: 20, after: null });
  expect(hits.length).toBeGreaterThan(0);
  for (const hit of hits) {
    const index = new ByteIndex(hit.snippet);
    expect(hit.highlights.map((span) => index.slice(span))).toContain("有給");
  }
});
