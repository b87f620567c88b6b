import { fireEvent, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";
import { fakeWindow } from "../testing";
import Markdown from "./Markdown.svelte";

const LABELS = {
  citation: (number: number) => `Source ${number}`,
  verdict: (verdict: string) => verdict.replace("_", " "),
};

function shown(source: string, more: Record<string, unknown> = {}) {
  const { app, platform, context } = fakeWindow();
  const openLink = vi.spyOn(platform, "openLink").mockResolvedValue();
  const copyText = vi.spyOn(platform, "copyText").mockResolvedValue();
  const view = render(Markdown, { props: { source, labels: LABELS, ...more }, context });
  return { ...view, app, openLink, copyText };
}

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

describe("what is shown", () => {
  it("is there at once, in the elements it means", async () => {
    const { container } = shown("# Title\n\nA *word*.\n\n> quoted\n\n2. two\n3. three\n\n- [x] done\n\n---");
    expect(container.querySelector("h3")).toHaveTextContent("Title");
    expect(container.querySelector("p em")).toHaveTextContent("word");
    expect(container.querySelector("blockquote p")).toHaveTextContent("quoted");
    expect(container.querySelector("ol")).toHaveAttribute("start", "2");
    expect(container.querySelector("input")).toBeChecked();
    expect(container.querySelector("hr")).toBeInTheDocument();
  });

  it("lets wide tables scroll, by keyboard too", () => {
    const { getByRole } = shown("| a | b |\n|---|--:|\n| 1 | 2 |");
    expect(getByRole("table").parentElement).toHaveAttribute("tabindex", "0");
    expect(getByRole("cell", { name: "2" })).toHaveAttribute("data-align", "end");
    expect(getByRole("columnheader", { name: "a" })).toBeInTheDocument();
  });

  it("reads from the right where its words do", () => {
    const { container } = shown("مرحبا\n\nHello");
    expect([...container.querySelectorAll("p")].map((p) => p.dir)).toEqual(["rtl", "ltr"]);
  });

  it("draws formulas, and shows one that is wrong as it was written", async () => {
    const { container } = shown("So $x^2$ and\n\n$$\n\\frac{a}{b}\n$$\n\nand $\\nonsense{$ too.");
    await vi.waitFor(() => expect(container.querySelectorAll(".katex")).toHaveLength(2));
    expect(container.querySelector("annotation")).toHaveTextContent("x^2");
    expect(container.querySelector(".katex-display")).toBeInTheDocument();
    expect(container.querySelector("code")).toHaveTextContent("\\nonsense{");
  });
});

describe("marks", () => {
  it("come to a long answer a few paragraphs a frame, the last first", async () => {
    const texts = Array.from({ length: 40 }, (_, at) => `Paragraph ${at + 10}.`);
    const source = texts.join("\n\n");
    const { container, rerender } = shown(source, { showChecks: true });
    const kept = container.querySelector("p")!.firstChild;
    const checks = texts.map((text, at) => {
      const start = at * (text.length + 2);
      return { sentence: { start, end: start + text.length }, verdict: "not_found" as const, evidence: null };
    });
    await rerender({ checks });
    const marked = () =>
      [...container.querySelectorAll("p")].flatMap((p, at) => (p.querySelector("[data-check]") ? [at] : []));
    const first = marked();
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(20);
    expect(first.at(-1)).toBe(39);
    expect(container.querySelector("p")!.firstChild).toBe(kept);
    await vi.waitFor(() => expect(marked()).toHaveLength(40));
  });
});

describe("while it streams", () => {
  it("changes the page once a frame, and keeps what stands", async () => {
    const { container, rerender } = shown("One.\n\nTwo", { streaming: true });
    const first = container.querySelector("p");
    const word = container.querySelectorAll("p")[1]!.firstChild;
    await rerender({ source: "One.\n\nTwo th" });
    await rerender({ source: "One.\n\nTwo three" });
    expect(container).not.toHaveTextContent("three");
    await frame();
    await tick();
    expect(container.querySelectorAll("p")[1]).toHaveTextContent("Two three");
    expect(container.querySelector("p")).toBe(first);
    expect(container.querySelectorAll("p")[1]!.firstChild).toBe(word);
  });

  it("is whole at once when it ends", async () => {
    const { container, rerender } = shown("**On", { streaming: true });
    await rerender({ source: "**One** two", streaming: false });
    expect(container.querySelector("p")).toContainHTML("<strong>One</strong> two");
  });
});

describe("links", () => {
  const LINK = "A [paper](https://a.example/x) here.";

  it.each([
    ["click", 0],
    ["click with Ctrl", 0, { ctrlKey: true }],
    ["middle click", 1],
  ])("open in the browser by %s, and never here", async (_, button, more: MouseEventInit = {}) => {
    const { getByRole, openLink } = shown(LINK);
    const type = button === 0 ? "click" : "auxclick";
    const event = new MouseEvent(type, { button, bubbles: true, cancelable: true, ...more });
    await fireEvent(getByRole("link"), event);
    expect(event.defaultPrevented).toBe(true);
    expect(openLink).toHaveBeenCalledExactlyOnceWith("https://a.example/x");
  });

  it("say that the browser did not open, and try again", async () => {
    const { app, getByRole, openLink } = shown(LINK);
    openLink.mockRejectedValueOnce({ code: "internal", message: "No browser.", hint: null });
    await fireEvent.click(getByRole("link"));
    await vi.waitFor(() => expect(app.notices[0]?.failure.message).toBe("No browser."));
    app.notices[0]!.retry?.();
    expect(openLink).toHaveBeenCalledTimes(2);
  });

  it("keep the right button for the menu, and cannot be dragged", async () => {
    const { getByRole, openLink } = shown(LINK);
    await fireEvent(getByRole("link"), new MouseEvent("auxclick", { button: 2, bubbles: true, cancelable: true }));
    expect(openLink).not.toHaveBeenCalled();
    const drag = new Event("dragstart", { bubbles: true, cancelable: true });
    await fireEvent(getByRole("link"), drag);
    expect(drag.defaultPrevented).toBe(true);
  });

  it("say where they lead", () => {
    const link = shown(LINK).getByRole("link");
    expect(link).toHaveAccessibleName("paper a.example");
    expect(link).toHaveAttribute("href", "https://a.example/x");
  });
});

describe("citations", () => {
  it("are buttons that tell who points at them and presses them", async () => {
    const onpoint = vi.fn();
    const onactivate = vi.fn();
    const { getByRole } = shown("So [1][2].", { sources: 2, onpoint, onactivate });
    const chip = getByRole("button", { name: "Source 2" });
    const place = { number: 2, at: 6, element: chip };
    await fireEvent.pointerOver(chip);
    expect(onpoint).toHaveBeenLastCalledWith(place);
    await fireEvent.pointerOut(chip);
    expect(onpoint).toHaveBeenLastCalledWith(null);
    await fireEvent.focusIn(chip);
    expect(onpoint).toHaveBeenLastCalledWith(place);
    await fireEvent.click(chip);
    expect(onactivate).toHaveBeenCalledExactlyOnceWith(place);
  });
});

describe("marks", () => {
  const checks = [{ sentence: { start: 0, end: 12 }, verdict: "not_found" as const, evidence: null }];

  it("say after the sentence what the check found", async () => {
    const { container } = shown("It **is so**. And so on.", { checks, showChecks: true });
    const marks = [...container.querySelectorAll("[data-verdict=not_found]")];
    expect(marks.map((mark) => mark.firstChild?.textContent)).toEqual(["It ", "is so"]);
    expect(container.querySelector(".verdict")).toHaveTextContent("(not found)");
    expect(container.querySelectorAll(".verdict")).toHaveLength(1);
  });

  it("are drawn only when they are wanted, without making the text anew", async () => {
    const { container, rerender } = shown("It **is so**. And so on.", { checks });
    const mark = container.querySelector("[data-check]");
    expect(container.querySelector(".markdown")).not.toHaveClass("checked");
    await rerender({ showChecks: true });
    expect(container.querySelector(".markdown")).toHaveClass("checked");
    expect(container.querySelector("[data-check]")).toBe(mark);
  });
});

describe("code", () => {
  it("has its language's name and a button that copies it", async () => {
    const { getByRole, getByText, copyText, container } = shown("```ts\nconst a = 1;\n```");
    expect(getByText("TypeScript")).toBeInTheDocument();
    expect(container.querySelector("pre")).toHaveTextContent("const a = 1;");
    await fireEvent.click(getByRole("button"));
    expect(copyText).toHaveBeenCalledExactlyOnceWith("const a = 1;");
    await vi.waitFor(() => expect(getByText("Copied")).toBeInTheDocument());
  });

  it("does not say that it was copied where it was not", async () => {
    const { app, getByRole, queryByText, copyText } = shown("```ts\nconst a = 1;\n```");
    copyText.mockRejectedValueOnce({ code: "internal", message: "No clipboard.", hint: null });
    await fireEvent.click(getByRole("button"));
    await vi.waitFor(() => expect(app.notices[0]?.failure.message).toBe("No clipboard."));
    expect(queryByText("Copied")).toBeNull();
  });
});
