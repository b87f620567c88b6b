import { describe, expect, it } from "vitest";
import { ComposerState, LONGEST_QUESTION } from "./composer.svelte";
import { asMarkdown } from "./copy";
import { Drafts } from "./drafts";
import { SentenceReader } from "./sentences";

describe("reading aloud", () => {
  it("says whole sentences, each once, without the signs of Markdown", () => {
    const reader = new SentenceReader("en");
    expect(reader.next("Water **boils** at", false)).toEqual([]);
    expect(reader.next("Water **boils** at 100 °C.[1] It", false)).toEqual(["Water boils at 100 °C."]);
    expect(reader.next("Water **boils** at 100 °C.[1] It is hot.\n\n- A [link](https://a.example/)", false)).toEqual([
      "It is hot.",
    ]);
    expect(reader.next("Water **boils** at 100 °C.[1] It is hot.\n\n- A [link](https://a.example/)", true)).toEqual([
      "A link",
    ]);
  });

  it("knows the sentences of other languages", () => {
    expect(new SentenceReader("ja").next("水は沸く。熱い。次", false)).toEqual(["水は沸く。", "熱い。"]);
  });

  it("says nothing of what was there before", () => {
    const reader = new SentenceReader("en");
    reader.skip("Known already. ");
    expect(reader.next("Known already. New. More", false)).toEqual(["New."]);
  });
});

describe("copying", () => {
  it("takes the sources along", () => {
    const sources = [
      { title: "A [b]\nc", url: "https://a.example/x(1)>", snippet: "" },
      { title: "", url: "https://b.example/", snippet: "" },
      { title: "SearXNG", url: "guide:searxng", snippet: "" },
    ];
    expect(asMarkdown("Text [1].\n", sources, "Sources")).toBe(
      "Text [1].\n\n## Sources\n\n1. [A \\[b\\] c](<https://a.example/x(1)%3E>)\n2. <https://b.example/>\n3. SearXNG\n",
    );
    expect(asMarkdown("Text.", [], "Sources")).toBe("Text.\n");
  });
});

describe("the question field", () => {
  it("cannot be sent empty or too long, and says so before", () => {
    const field = new ComposerState();
    field.text = " \n";
    expect(field.canSend).toBe(false);
    field.text = "a".repeat(LONGEST_QUESTION);
    expect(field).toMatchObject({ canSend: true, left: 0 });
    field.text += "a";
    expect(field).toMatchObject({ canSend: false, left: -1, tooLong: true });
  });

  it("limits the time only where the web is searched", () => {
    const field = new ComposerState();
    field.timeRange = "week";
    expect(field.choices.timeRange).toBe("week");
    field.scope = "chats";
    expect(field.choices.timeRange).toBeNull();
  });

  it("asks in places together where they can stand beside each other, and in past chats alone", () => {
    const field = new ComposerState();
    field.choose("files");
    field.choose("web");
    expect(field.choices).toMatchObject({ scope: "files", also: ["web"] });
    field.choose("files");
    expect(field.choices).toMatchObject({ scope: "web", also: [] });
    field.choose("chats");
    expect(field.choices).toMatchObject({ scope: "chats", also: [] });
    field.choose("academic");
    expect(field.choices).toMatchObject({ scope: "academic", also: [] });
    field.choose(null);
    expect(field.choices).toMatchObject({ scope: null, also: [] });
  });

  it("begins where the chat looked last, until somebody chooses", () => {
    const field = new ComposerState();
    field.recall(["files", "news"]);
    expect(field.choices).toMatchObject({ scope: "files", also: ["news"] });
    field.choose(null);
    field.recall(["files", "news"]);
    expect(field.choices.scope).toBeNull();
  });

  it("brings each file once, as many as a question may have, and only with the next question", () => {
    const field = new ComposerState();
    const file = (number: number) => ({ url: `files:${number}/a.md`, name: "a.md" });
    field.attach([file(1), file(1)]);
    field.attach([file(1), ...Array.from({ length: 9 }, (_, at) => file(at + 2))]);
    expect(field.choices.files).toHaveLength(8);
    field.detach("files:1/a.md");
    expect(field.choices.files).not.toContain("files:1/a.md");
    expect(field.take().choices.files).toHaveLength(7);
    expect(field.choices.files).toEqual([]);
  });

  it("keeps a draft for each chat", () => {
    const drafts = new Drafts();
    drafts.of("chat_1").text = "one";
    drafts.of(null).text = "new";
    expect(drafts.of("chat_1").text).toBe("one");
    drafts.adopt("chat_2");
    expect(drafts.of("chat_2").text).toBe("new");
    expect(drafts.of(null).text).toBe("");
  });
});
