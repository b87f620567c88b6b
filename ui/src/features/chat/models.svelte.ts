// The models and engines that can be used now: who would answer, and who would be asked.

import type { EngineId, EngineStatus, ModelId, ModelInfo } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import type { Platform } from "../../platform/platform";

export class Equipment {
  /** Whether it is known yet what there is. */
  known = $state(false);
  models = $state.raw<ModelInfo[]>([]);
  /** What answers when nothing is chosen; `null` where that cannot be used. */
  model = $state.raw<ModelInfo | null>(null);
  engines = $state.raw<EngineStatus[]>([]);

  used = $derived(this.engines.filter((engine) => engine.used && engine.kind === "web"));

  constructor(private readonly platform: Platform) {}

  /** Each part by itself: that one cannot be had says nothing of the others. */
  async load(): Promise<void> {
    const { platform } = this;
    const [models, model, engines] = await Promise.allSettled([
      platform.listModels(),
      platform.defaultModel(),
      platform.listEngines(),
    ]);
    this.models = models.status === "fulfilled" ? models.value : [];
    this.model = model.status === "fulfilled" ? model.value : null;
    this.engines = engines.status === "fulfilled" ? engines.value : [];
    this.known = true;
  }

  /** What an engine is called; the guide and past chats are engines too. */
  engineName(id: EngineId): string {
    if (id === "guide") return m.chat_engine_guide();
    if (id === "files") return m.folders_scope_files();
    if (id === "chats") return m.chat_engine_chats();
    return this.engines.find(({ engine }) => engine === id)?.name ?? id;
  }
}

/** A model's own name: `gpt-5-mini` of `openai/gpt-5-mini`. */
export function modelName(id: ModelId): string {
  return id === "extractive" ? m.chat_model_extractive() : id.slice(id.indexOf("/") + 1);
}
