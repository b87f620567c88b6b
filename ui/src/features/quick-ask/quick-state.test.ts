import { beforeEach, describe, expect, it } from "vitest";
import { FakePlatform } from "../../platform/fake";
import { type FakeOptions, withDefaults } from "../../platform/fake/options";
import { readNote, writeNote } from "./note";
import { QuickState } from "./quick-state.svelte";

function world(options: Partial<FakeOptions> = {}) {
  const platform = new FakePlatform("quick", withDefaults({ speed: 0, ...options }));
  return { platform, quick: new QuickState(platform) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 60));

beforeEach(() => localStorage.clear());

describe("quick ask", () => {
  it("asks what stands in the field and goes on in the same chat", async () => {
    const { quick, platform } = world();
    quick.draft = "  How do heat pumps work?  ";
    await quick.ask();
    expect(quick.draft).toBe("");
    expect(quick.question?.content).toBe("How do heat pumps work?");
    expect(quick.answer?.state).toBe("complete");
    const chat = quick.chat.id;
    await quick.ask(quick.answer!.followUps[0]);
    expect(quick.chat.id).toBe(chat);
    expect((await platform.openChat(chat!, null, 10)).messages).toHaveLength(4);
  });

  it("asks nothing where nothing is written, and one thing at a time", async () => {
    const { quick } = world();
    quick.draft = " \n ";
    await quick.ask();
    expect(quick.empty).toBe(true);
    const first = quick.ask("One?");
    await quick.ask("Two?");
    await first;
    expect(quick.question?.content).toBe("One?");
  });

  it("takes up its chat again in a window that was made anew", async () => {
    const { quick, platform } = world();
    await quick.ask("How do heat pumps work?");
    await quick.settle();
    quick.end();
    const next = new QuickState(platform);
    await next.resume();
    expect(next.chat.id).toBe(quick.chat.id);
    expect(next.answer?.content).toBe(quick.answer?.content);
  });

  it("takes up an answer that is still being written", async () => {
    const { quick, platform } = world({ speed: 2_000 });
    const asking = quick.ask("How do heat pumps work?");
    await settled();
    await quick.settle();
    quick.end();
    // However long ago it was noted.
    const next = new QuickState(platform, () => Date.now() + 86_400_000);
    await next.resume();
    expect(next.writing).toBe(true);
    await asking;
    await settled();
    expect(next.answer?.state).toBe("complete");
  });

  it("starts empty when the last answer is of another day", async () => {
    const { quick, platform } = world();
    await quick.ask("How do heat pumps work?");
    await quick.settle();
    const next = new QuickState(platform, () => Date.now() + 86_400_000);
    await next.resume();
    expect(next.empty).toBe(true);
  });

  it("is empty again when the hidden window comes back another day, unless something is half written in it", async () => {
    let now = Date.now();
    const { platform } = world();
    const quick = new QuickState(platform, () => now);
    await quick.ask("How do heat pumps work?");
    await quick.settle();
    await quick.resume();
    expect(quick.empty).toBe(false);
    now += 86_400_000;
    quick.draft = "And in win";
    await quick.resume();
    expect(quick.empty).toBe(false);
    quick.draft = "";
    await quick.resume();
    expect([quick.empty, readNote()]).toEqual([true, null]);
  });

  it("starts empty when its chat is gone", async () => {
    writeNote({ chat: "chat_gone", at: Date.now() });
    const { quick } = world();
    await quick.resume();
    expect([quick.empty, readNote()]).toEqual([true, null]);
  });

  it("carries on in the main window, and is empty then", async () => {
    const { quick, platform } = world();
    const carried: string[] = [];
    platform.carryOn = async (chat) => void carried.push(chat);
    await quick.carryOn();
    expect(carried).toEqual([]);
    await quick.ask("How do heat pumps work?");
    const chat = quick.chat.id!;
    await quick.carryOn();
    expect(carried).toEqual([chat]);
    expect([quick.empty, readNote()]).toEqual([true, null]);
  });

  it("asks first what is still in the field, and carries that on as soon as it has begun", async () => {
    const { quick, platform } = world();
    const carried: string[] = [];
    platform.carryOn = async (chat) => void carried.push(chat);
    quick.draft = "How do heat pumps work?";
    void quick.carryOn();
    expect(carried).toEqual([]);
    await settled();
    await quick.settle();
    expect(carried).toHaveLength(1);
    expect((await platform.openChat(carried[0]!, null, 5)).messages[0]!.content).toBe("How do heat pumps work?");
  });

  it("puts a question that could not be asked back into the field", async () => {
    const { quick, platform } = world();
    const failure = { code: "storage", message: "The disk is full.", hint: null } as const;
    const ask = platform.ask.bind(platform);
    platform.ask = () => Promise.reject(failure);
    await quick.ask("Why?");
    expect([quick.draft, quick.failure]).toEqual(["Why?", failure]);
    platform.ask = ask;
    quick.draft = "";
    await quick.retry();
    expect([quick.failure, quick.question?.content]).toEqual([null, "Why?"]);
  });

  it("shows a citation's quote, and on the second press no more", async () => {
    const { quick } = world();
    await quick.ask("How do heat pumps work?");
    const citation = quick.answer!.citations[0]!;
    quick.quote(citation);
    expect(quick.quoted).toBe(citation);
    quick.quote({ ...citation });
    expect(quick.quoted).toBeNull();
  });

  it("copies the answer with its sources", async () => {
    const { quick, platform } = world();
    let copied = "";
    platform.copyText = async (text) => void (copied = text);
    expect(await quick.copyAnswer("Sources")).toBe(false);
    await quick.ask("How do heat pumps work?");
    expect(await quick.copyAnswer("Sources")).toBe(true);
    expect(copied).toContain(quick.answer!.content.trim());
    expect(copied).toContain("## Sources");
    expect(quick.copied).toBe(true);
    quick.end();
  });

  it("says what went wrong beside the answer, until the next question", async () => {
    const { quick } = world();
    const failure = { code: "internal", message: "No browser.", hint: null } as const;
    await quick.attempt(() => Promise.reject(failure));
    expect(quick.failure).toEqual(failure);
    await quick.ask("Why?");
    expect(quick.failure).toBeNull();
  });
});

it("reads no note that is not one", () => {
  localStorage.setItem("quick-ask", '{"chat": 3}');
  expect(readNote()).toBeNull();
  localStorage.setItem("quick-ask", "{");
  expect(readNote()).toBeNull();
  writeNote({ chat: "chat_1", at: 2 });
  expect(readNote()).toEqual({ chat: "chat_1", at: 2 });
});
