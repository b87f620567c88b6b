// The fake platform of a window in the browser, from the test's side.

import type { Page } from "playwright-core";
import type { Deed, FakePlatform } from "../../src/platform/fake";

declare global {
  /** In the page. */
  var fakePlatform: FakePlatform;
}

/** What the window did to the world, of one kind. */
export function deeds(page: Page, what: string): Promise<Deed["about"][]> {
  return page.evaluate(
    (what) => fakePlatform.deeds.filter((deed) => deed.what === what).map(({ about }) => about),
    what,
  );
}
