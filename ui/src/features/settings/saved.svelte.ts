// The settings as a page shows them: a change is there at once, is saved at once, and goes back when it is refused.

import { getContext, setContext } from "svelte";
import { SvelteMap } from "svelte/reactivity";
import type { AppState } from "../../app-state.svelte";
import type { Failure } from "../../bindings/bindings";
import { asFailure } from "../../shared/failure";

/** Who decides a setting that cannot be changed here. */
export type Lock = "file" | "environment";

type Running = { next: { text: string | null } | null; done: Promise<boolean> };

export class Saved {
  /** What was refused last, by key; gone with the next try. */
  readonly failures = new SvelteMap<string, Failure>();
  /** Texts on their way; `null` is the way back to the default. */
  readonly #sent = new SvelteMap<string, string | null>();
  /** What is being saved, by key, and what is to follow it. */
  readonly #running: Record<string, Running | null> = {};

  constructor(readonly app: AppState) {}

  text(key: string, otherwise = ""): string {
    const value = this.#value(key);
    return typeof value === "string" ? value : otherwise;
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.#value(key);
    if (typeof value === "string") return value === "true";
    return typeof value === "boolean" ? value : otherwise;
  }

  number(key: string, otherwise: number): number {
    const value = this.#value(key);
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? number : otherwise;
  }

  list(key: string): string[] {
    const value = this.#value(key);
    if (Array.isArray(value)) return value.map(String);
    return typeof value === "string" && value !== "" ? value.split(",") : [];
  }

  /** Whether somebody chose it, here or elsewhere; of a secret, whether there is one. */
  isChosen(key: string): boolean {
    if (this.#sent.has(key)) return this.#sent.get(key) !== null;
    const setting = this.app.settings.get(key);
    return setting !== undefined && setting.origin !== "default";
  }

  lock(key: string): Lock | null {
    const origin = this.app.settings.get(key)?.origin;
    return origin === "file" || origin === "environment" ? origin : null;
  }

  /** `false` when it was refused; the failure is then in `failures`. Of several changes in haste the last one counts. */
  save(key: string, text: string | null): Promise<boolean> {
    this.failures.delete(key);
    this.#sent.set(key, text);
    const running = this.#running[key];
    if (running) {
      running.next = { text };
      return running.done;
    }
    const started: Running = { next: { text }, done: Promise.resolve(true) };
    this.#running[key] = started;
    started.done = this.#run(key, started);
    return started.done;
  }

  /** A secret is handed on and kept nowhere, not even until it is saved. */
  async saveSecret(key: string, secret: string | null): Promise<boolean> {
    this.failures.delete(key);
    return this.#try(key, secret);
  }

  dismiss(key: string): void {
    this.failures.delete(key);
  }

  async #run(key: string, running: Running): Promise<boolean> {
    let saved = true;
    while (running.next) {
      const { text } = running.next;
      running.next = null;
      this.failures.delete(key);
      saved = await this.#try(key, text);
    }
    this.#running[key] = null;
    this.#sent.delete(key);
    return saved;
  }

  async #try(key: string, text: string | null): Promise<boolean> {
    try {
      await this.app.updateSetting(key, text);
      return true;
    } catch (error) {
      this.failures.set(key, asFailure(error));
      return false;
    }
  }

  #value(key: string): unknown {
    return this.#sent.has(key) ? (this.#sent.get(key) ?? undefined) : this.app.settings.get(key)?.value;
  }
}

/** Exported so that a test can put one of its own into `render(…, { context })`. */
export const SAVED = Symbol("saved settings");

export function setSaved(saved: Saved): Saved {
  return setContext(SAVED, saved);
}

export function useSaved(): Saved {
  return getContext<Saved>(SAVED);
}
