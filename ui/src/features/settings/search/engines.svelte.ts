// The search engines with their health, in the order in which they are asked, and what turning one on or moving it means.

import type { EngineId, EngineStatus, EngineTrial, Failure } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";
import type { Saved } from "../saved.svelte";

export const ORDER = "engines.order";

export class Engines {
  #told = $state.raw<EngineStatus[] | null>(null);
  trials = $state.raw<readonly EngineTrial[]>([]);
  testing = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** The order as it would be if what is dragged were let go of. */
  #dragged = $state.raw<EngineId[] | null>(null);

  /** `null` until they are known. Where a person chose an order it is shown; engines it leaves out come last. */
  readonly rows = $derived.by(() => {
    const order = this.#dragged ?? this.saved.list(ORDER);
    if (!this.#told || order.length === 0) return this.#told;
    const place = (engine: EngineStatus) =>
      order.includes(engine.engine) ? order.indexOf(engine.engine) : order.length;
    return this.#told.toSorted((a, b) => place(a) - place(b));
  });

  constructor(
    private readonly platform: Platform,
    private readonly saved: Saved,
  ) {}

  async load(): Promise<void> {
    try {
      // Those of one kind of page are asked all at once, when that kind is asked for.
      this.#told = (await this.platform.listEngines()).filter(({ kind }) => kind === "web");
      this.failure = null;
    } catch (error) {
      this.failure = asFailure(error);
    }
  }

  /** Asks each engine that is in use one question; then their health is known anew. */
  async test(): Promise<void> {
    if (this.testing) return;
    this.testing = true;
    this.trials = [];
    try {
      this.trials = await this.platform.tryEngines();
      await this.load();
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.testing = false;
    }
  }

  trialOf(engine: EngineId): EngineTrial | undefined {
    return this.trials.find((trial) => trial.engine === engine);
  }

  isOn(engine: EngineId): boolean {
    return this.saved.flag(`engines.${engine}.enabled`, true) && !this.isLeftOut(engine);
  }

  /** Whether an order that was chosen does not name it. Then it is not asked. */
  isLeftOut(engine: EngineId): boolean {
    const order = this.saved.list(ORDER);
    return order.length > 0 && !order.includes(engine);
  }

  /** Whether what stands over the settings decides that. */
  isLocked(engine: EngineId): boolean {
    return (
      this.saved.lock(`engines.${engine}.enabled`) !== null ||
      (this.isLeftOut(engine) && this.saved.lock(ORDER) !== null)
    );
  }

  async setOn(engine: EngineId, on: boolean): Promise<void> {
    const key = `engines.${engine}.enabled`;
    if (on && this.isLeftOut(engine)) await this.saved.save(ORDER, [...this.saved.list(ORDER), engine].join(","));
    if (this.saved.flag(key, true) !== on) await this.saved.save(key, String(on));
  }

  /** Those that have a place in the order. */
  get #ordered(): EngineId[] {
    return (this.rows ?? []).map((row) => row.engine).filter((engine) => !this.isLeftOut(engine));
  }

  get movable(): number {
    return this.#ordered.length;
  }

  /** Puts an engine at a place; beyond either end is the end. Whether it moved. */
  move(engine: EngineId, to: number): boolean {
    const moved = this.drag(engine, to);
    if (moved) void this.drop();
    return moved;
  }

  /** Shows an engine at a place without saving that; `drop` does. */
  drag(engine: EngineId, to: number): boolean {
    const order = this.#ordered;
    const from = order.indexOf(engine);
    const place = Math.min(Math.max(to, 0), order.length - 1);
    if (from < 0 || place === from || this.saved.lock(ORDER)) return false;
    order.splice(from, 1);
    order.splice(place, 0, engine);
    this.#dragged = order;
    return true;
  }

  async drop(): Promise<void> {
    const order = this.#dragged;
    this.#dragged = null;
    if (!order) return;
    await this.saved.save(ORDER, order.join(","));
  }

  cancelDrag(): void {
    this.#dragged = null;
  }

  /** Back to: those with a key or an address of one's own first. */
  async resetOrder(): Promise<void> {
    await this.saved.save(ORDER, null);
  }
}
