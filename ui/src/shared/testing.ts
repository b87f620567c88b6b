// What a component test stands its component on: a fake platform, a window state and the context that holds both.

import { APP, AppState } from "../app-state.svelte";
import { PLATFORM } from "../platform/context";
import { FakePlatform } from "../platform/fake";
import type { FakeOptions } from "../platform/fake/options";

export function fakeWindow(options: Partial<FakeOptions> = {}): {
  platform: FakePlatform;
  app: AppState;
  context: Map<symbol, unknown>;
} {
  const platform = new FakePlatform("main", { speed: 0, ...options });
  const app = new AppState(platform);
  return {
    platform,
    app,
    context: new Map<symbol, unknown>([
      [PLATFORM, platform],
      [APP, app],
    ]),
  };
}
