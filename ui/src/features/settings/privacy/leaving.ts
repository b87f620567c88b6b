// What leaves this machine as things are set: computed from the settings, so that the page never says more or less.

import type { EngineStatus, ModelInfo, ProviderStatus } from "../../../bindings/bindings";
import { hostOf } from "../address";

/** Where something goes: by name, and by host where that is known. */
export type Receiver = { name: string; host: string | null };

export type Leaving = {
  /** Search words go to each of these; `withKey` sees also who you are to it. */
  searches: (Receiver & { withKey: boolean; own: boolean })[];
  /** The first two are asked at once: each of those that need no setting up knows less. */
  inPairs: boolean;
  /** Whether that happens for every question, or only for those a search is turned on for. */
  byDefault: boolean;
  /** Pages that are asked for one answer, at most; none where nothing is searched. */
  pages: number;
  writer:
    /** Put together from sentences of the sources. */
    | { kind: "none" }
    | { kind: "local"; model: string }
    | { kind: "hosted"; model: string; provider: Receiver }
    /** The model that was chosen cannot be used, so nothing is sent until another is. */
    | { kind: "unusable" };
  /** Hosted providers that could be chosen for a question: they have a key, or are a server of one's own elsewhere. */
  others: Receiver[];
  sharedCache: boolean;
  /** Results lie in the team's database too. */
  teamCache: boolean;
};

export type Facts = {
  engines: readonly EngineStatus[];
  providers: readonly ProviderStatus[];
  /** What answers by default. */
  answering: ModelInfo | null;
  engineUrl: (engine: string) => string;
  hasKey: (engine: string) => boolean;
  searchByDefault: boolean;
  pages: number;
  sharedCache: boolean;
  teamCache: boolean;
};

export function leaving(facts: Facts): Leaving {
  const used = facts.engines.filter((engine) => engine.used);
  const answering = facts.answering;
  const by = answering && facts.providers.find((provider) => provider.id === answering.provider);
  const others = facts.providers.filter(
    (provider) =>
      provider.enabled &&
      !provider.held_back &&
      !provider.local &&
      provider.id !== answering?.provider &&
      (provider.has_key || !provider.needs_key),
  );
  return {
    searches: used.map((engine) => ({
      name: engine.name,
      host: hostOf(facts.engineUrl(engine.engine)),
      withKey: engine.needs_key || facts.hasKey(engine.engine),
      own: engine.needs_url,
    })),
    inPairs: used.length > 1 && !used[0]!.needs_key && !used[0]!.needs_url,
    byDefault: facts.searchByDefault,
    pages: used.length > 0 ? facts.pages : 0,
    writer: writer(answering, by ?? null),
    others: others.map((provider) => ({ name: provider.name, host: hostOf(provider.url ?? "") })),
    sharedCache: facts.sharedCache,
    teamCache: facts.teamCache,
  };
}

function writer(model: ModelInfo | null, provider: ProviderStatus | null): Leaving["writer"] {
  if (!model) return { kind: "unusable" };
  // Its provider is nobody: it is part of the app.
  if (model.id === "extractive") return { kind: "none" };
  if (model.local) return { kind: "local", model: model.id };
  const receiver = { name: provider?.name ?? model.provider, host: hostOf(provider?.url ?? "") };
  return { kind: "hosted", model: model.id, provider: receiver };
}
