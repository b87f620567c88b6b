// The models that can answer and who provides them; which one answers when none is named.

import type { Failure, ModelInfo, ProviderStatus } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

/** The writer that needs no model: it puts sentences of the sources together. */
export const EXTRACTIVE = "extractive";

export class Models {
  models = $state.raw<ModelInfo[] | null>(null);
  providers = $state.raw<ProviderStatus[] | null>(null);
  /** The one that answers now, chosen or not; `null` while unknown and when the chosen one cannot be used. */
  answering = $state.raw<ModelInfo | null>(null);
  /** Why the chosen one cannot be used. */
  unusable = $state.raw<Failure | null>(null);
  loading = $state(false);
  failure = $state.raw<Failure | null>(null);
  #wanted = 0;

  readonly hosted = $derived(this.providers?.filter((provider) => !provider.local && !isOwn(provider)) ?? []);

  /** Whether a model of this id is of a provider elsewhere, who may want money for it. */
  isHosted(model: string): boolean {
    return this.hosted.some((provider) => model.startsWith(`${provider.id}/`));
  }
  readonly local = $derived(this.providers?.filter((provider) => provider.local && !isOwn(provider)) ?? []);
  readonly own = $derived(this.providers?.filter(isOwn) ?? []);

  constructor(private readonly platform: Platform) {}

  /** Of several loads that run at once only the last one is shown. */
  async load(): Promise<void> {
    const wanted = ++this.#wanted;
    this.loading = true;
    try {
      const [models, providers, answering] = await Promise.all([
        this.platform.listModels(),
        this.platform.listProviders(),
        this.platform.defaultModel().catch((error: unknown) => asFailure(error)),
      ]);
      if (wanted !== this.#wanted) return;
      this.models = models;
      this.providers = providers;
      this.answering = "id" in answering ? answering : null;
      this.unusable = "id" in answering ? null : answering;
      this.failure = null;
    } catch (error) {
      if (wanted === this.#wanted) this.failure = asFailure(error);
    } finally {
      if (wanted === this.#wanted) this.loading = false;
    }
  }

  modelsOf(provider: string): ModelInfo[] {
    return this.models?.filter((model) => model.provider === provider) ?? [];
  }

  nameOf(provider: string): string {
    return this.providers?.find((known) => known.id === provider)?.name ?? provider;
  }
}

/** A provider that a person added is called what they called it. */
export function isOwn(provider: ProviderStatus): boolean {
  return provider.name === provider.id;
}

/** The model's own name, without its provider's. */
export function shortName(model: ModelInfo): string {
  return model.id.startsWith(`${model.provider}/`) ? model.id.slice(model.provider.length + 1) : model.id;
}

export type NameProblem = "empty" | "letters" | "taken";

/** What is wrong with a name for a new provider; `null` when nothing is. */
export function nameProblem(name: string, providers: readonly ProviderStatus[]): NameProblem | null {
  if (name === "") return "empty";
  if (!/^[a-z0-9_-]{1,40}$/.test(name)) return "letters";
  return providers.some((provider) => provider.id === name) ? "taken" : null;
}

/** Models that hold every word of what was typed, in the order they came. */
export function matching(models: readonly ModelInfo[], typed: string): ModelInfo[] {
  const words = typed
    .toLowerCase()
    .split(/[\s/]+/)
    .filter(Boolean);
  return models.filter((model) => words.every((word) => model.id.toLowerCase().includes(word)));
}
