import { describe, expect, it, vi } from "vitest";
import type { Citation, Failure, Page } from "../../bindings/bindings";
import type { Platform } from "../../platform/platform";
import { ReaderState } from "./reader-state.svelte";

const page = (id: string, text = "Ünder. Then it boils.") =>
  ({ id, text, title: `Page ${id}`, url: `https://example.com/${id}` }) as Page;

function platform(openPage: (id: string) => Promise<Page>) {
  return { openPage: vi.fn(openPage), copyText: vi.fn(async () => undefined) };
}

function reader(fake: ReturnType<typeof platform>): ReaderState {
  return new ReaderState(fake as unknown as Platform);
}

const then = { start: 8, end: 22 };

describe("the reader", () => {
  it("opens the page and knows the cited sentence by its bytes", async () => {
    const state = reader(platform(async (id) => page(id)));
    await state.open({ page_id: "a", span: then });
    expect(state.quote).toBe("Then it boils.");
    expect(state.loading).toBe(false);
  });

  it("does not read a page again for another of its sentences", async () => {
    const fake = platform(async (id) => page(id));
    const state = reader(fake);
    await state.open({ page_id: "a", span: then });
    await state.open({ page_id: "a", span: { start: 0, end: 7 } });
    expect(fake.openPage).toHaveBeenCalledTimes(1);
    expect(state.quote).toBe("Ünder.");
  });

  it("shows the page that was asked for last, whichever comes first", async () => {
    const waiting = new Map<string, (page: Page) => void>();
    const state = reader(platform((id) => new Promise((resolve) => waiting.set(id, resolve))));
    const first = state.open({ page_id: "a", span: null });
    const second = state.open({ page_id: "b", span: null });
    waiting.get("b")!(page("b"));
    await second;
    waiting.get("a")!(page("a"));
    await first;
    expect(state.page?.id).toBe("b");
  });

  it("says what went wrong, and tries again", async () => {
    const failure: Failure = { code: "storage", message: "The store cannot be read.", hint: null };
    const fake = platform(async () => Promise.reject(failure));
    const state = reader(fake);
    await state.open({ page_id: "a", span: null });
    expect(state.failure).toEqual(failure);
    fake.openPage.mockImplementation(async (id) => page(id));
    await state.retry();
    expect([state.failure, state.page?.id]).toEqual([null, "a"]);
  });

  it("does not show the sentence of one page in another", async () => {
    let resolve!: (page: Page) => void;
    const fake = platform(async (id) => page(id));
    const state = reader(fake);
    await state.open({ page_id: "a", span: then });
    fake.openPage.mockImplementation(() => new Promise((done) => (resolve = done)));
    const opening = state.open({ page_id: "b", span: then });
    expect(state.units).toBeNull();
    resolve(page("b", "Short."));
    await opening;
    expect(state.quote).toBe("");
  });

  it("copies the words with where they stand", async () => {
    const fake = platform(async (id) => page(id));
    const state = reader(fake);
    await state.open({ page_id: "a", span: then });
    await state.copyQuote(state.quote);
    expect(fake.copyText).toHaveBeenCalledWith("Then it boils.\n— Page a, https://example.com/a");
    expect(state.copied).toBe(true);
    state.end();
  });

  it("leads through every cited place of the answer once", async () => {
    const cite = (page_id: string, start: number) =>
      ({ number: 1, page_id, page_span: { start, end: start + 5 } }) as Citation;
    const trail = [cite("a", 0), cite("b", 3), cite("a", 0), cite("a", 9)];
    const state = reader(platform(async (id) => page(id)));
    await state.open({ page_id: "b", span: { start: 3, end: 8 }, trail });
    expect(state.trail.at).toBe(1);
    expect(state.trail.stops.map(({ page_id, span }) => [page_id, span?.start])).toEqual([
      ["a", 0],
      ["b", 3],
      ["a", 9],
    ]);
  });
});
