// Which embedding model puts passages in order, which could, and whether the chosen one works.

import type { Failure, Reranking } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

export const EMBEDDING_MODEL = "rank.embedding_model";

export class RerankingState {
  now = $state.raw<Reranking | null>(null);
  /** While the model is tried, which may take some seconds. */
  loading = $state(false);
  failure = $state.raw<Failure | null>(null);
  #wanted = 0;

  constructor(private readonly platform: Platform) {}

  /** Of several loads that run at once only the last one is shown. */
  async load(): Promise<void> {
    const wanted = ++this.#wanted;
    this.loading = true;
    try {
      const now = await this.platform.reranking();
      if (wanted !== this.#wanted) return;
      this.now = now;
      this.failure = null;
    } catch (error) {
      if (wanted === this.#wanted) this.failure = asFailure(error);
    } finally {
      if (wanted === this.#wanted) this.loading = false;
    }
  }
}

/** What of the offered models holds every word of what was typed. */
export function matchingIds(offered: readonly string[], typed: string): string[] {
  const words = typed
    .toLowerCase()
    .split(/[\s/]+/)
    .filter(Boolean);
  return offered.filter((id) => words.every((word) => id.toLowerCase().includes(word)));
}

/** Whether what was typed names a model, whether or not it is among those that were found. */
export function namesModel(typed: string): boolean {
  return /^[a-z0-9_-]{1,40}\/\S+$/.test(typed.trim());
}
