// The global shortcut: what it is, recording another one, and what stands in its way.

import type { Failure, Shortcut } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";
import { isComposing } from "../../../shared/shortcuts";
import { type Os, type Pressed, read } from "./keys";

export class Recorder {
  /** As the system has it; `null` until it is known. */
  shortcut = $state.raw<Shortcut | null>(null);
  recording = $state(false);
  /** What is held down or was not accepted while recording. */
  pressed = $state.raw<Pressed | null>(null);
  saving = $state(false);
  /** Why the last one was not taken; the old one is still there. */
  refused = $state.raw<{ keys: string; failure: Failure } | null>(null);
  failure = $state.raw<Failure | null>(null);

  constructor(private readonly platform: Platform) {}

  async load(): Promise<void> {
    try {
      this.shortcut = await this.platform.shortcut();
      this.failure = null;
    } catch (error) {
      this.failure = asFailure(error);
    }
  }

  start(): void {
    this.recording = true;
    this.pressed = null;
    this.refused = null;
  }

  cancel(): void {
    this.recording = false;
    this.pressed = null;
  }

  /** Takes a key press while recording; whether it was ours. Esc ends it, Tab alone moves on as everywhere. */
  press(event: KeyboardEvent, os: Os): boolean {
    if (!this.recording || isComposing(event)) return false;
    const bare = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (bare && event.key === "Tab") {
      this.cancel();
      return false;
    }
    if (bare && event.key === "Escape") {
      this.cancel();
      return true;
    }
    this.pressed = read(event, os);
    if (this.pressed.kind === "chord") void this.take(this.pressed.keys);
    return true;
  }

  /** Nothing is held any more, and no whole shortcut was. */
  release(): void {
    if (this.pressed?.kind === "held") this.pressed = null;
  }

  /** Empty keys take it away. */
  async take(keys: string): Promise<void> {
    this.cancel();
    this.refused = null;
    this.saving = true;
    try {
      this.shortcut = await this.platform.updateShortcut(keys);
    } catch (error) {
      this.refused = { keys, failure: asFailure(error) };
    } finally {
      this.saving = false;
    }
  }
}
