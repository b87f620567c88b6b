// Runs before every unit test: matchers that speak of the DOM, and the browser parts jsdom leaves out.

import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/svelte";
import { afterEach } from "vitest";
import { language } from "../src/shared/i18n.svelte";
import { isOnPage } from "../src/shared/painted";

afterEach(cleanup);
await language.choose("en");
isOnPage();

globalThis.matchMedia ??= (query) => {
  const nothing = () => undefined;
  return Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: nothing,
    removeListener: nothing,
  });
};

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

Element.prototype.scrollIntoView ??= () => undefined;
Element.prototype.animate ??= () => ({ cancel() {}, finished: Promise.resolve() }) as unknown as Animation;
