// What a research may use, as a person says it: five limits, each of which can be left to what is usual.

import type { ModelId, ResearchBudget, ResearchOptions, ResearchProgress } from "../../bindings/bindings";

/** `null` is the usual limit; of money, none. */
export type Limits = Required<Omit<ResearchOptions, "plan_first">>;
export type Limit = keyof Limits;

export const LIMITS: readonly Limit[] = ["steps", "pages", "minutes", "tokens", "money"];
export const AS_USUAL: Limits = { steps: null, pages: null, minutes: null, tokens: null, money: null };

// As the engine has them, which a test holds against the bindings.
export const USUAL: Limits = { steps: 16, pages: 30, minutes: 10, tokens: 120_000, money: null };
export const MOST: Limits = { steps: 60, pages: 120, minutes: 180, tokens: 2_000_000, money: null };
/** Without a token, the report is made of the sources' own sentences. */
export const LEAST = { steps: 1, pages: 1, minutes: 1, tokens: 0, money: 0 };

/** Whether money can be limited: only a known price says what a model costs. */
export type Priced = "known" | "unknown" | "free";

export function pricedness(model: ModelId | null, prices: ReadonlyMap<ModelId, unknown>): Priced {
  if (model === "extractive") return "free";
  return model !== null && prices.has(model) ? "known" : "unknown";
}

/** What stands in the fields. */
export type Typed = Record<Limit, string>;

export function typed(limits: Limits): Typed {
  const text = (limit: Limit) => limits[limit]?.toString() ?? "";
  return {
    steps: text("steps"),
    pages: text("pages"),
    minutes: text("minutes"),
    tokens: text("tokens"),
    money: text("money"),
  };
}

/** What a field says: a limit, `null` where it is empty, `undefined` where it is none. */
export function limitOf(limit: Limit, text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const number = Number(text);
  if (limit === "money") return number > LEAST.money && Number.isFinite(number) ? number : undefined;
  const fits = Number.isInteger(number) && number >= LEAST[limit] && number <= (MOST[limit] ?? Infinity);
  return fits ? number : undefined;
}

/** The limits as far as they can be read; what cannot is as usual. */
export function limitsOf(texts: Typed): Limits {
  const limits = { ...AS_USUAL };
  for (const limit of LIMITS) limits[limit] = limitOf(limit, texts[limit]) ?? null;
  return limits;
}

export function isAsUsual(limits: Limits): boolean {
  return LIMITS.every((limit) => limits[limit] === null);
}

/** A budget that a research has, in the words of a person. */
export function limitsIn({ steps, pages, seconds, tokens, money }: ResearchBudget): Limits {
  return { steps, pages, minutes: Math.ceil(seconds / 60), tokens, money };
}

/** `limits` as the budget of a research that has `now`. */
export function budgetOf(limits: Limits, now: ResearchBudget): ResearchBudget {
  const minutes = limits.minutes ?? USUAL.minutes!;
  return {
    steps: limits.steps ?? USUAL.steps!,
    pages: limits.pages ?? USUAL.pages!,
    // Seconds that nobody has touched stay as they are.
    seconds: minutes === limitsIn(now).minutes ? now.seconds : minutes * 60,
    tokens: limits.tokens ?? USUAL.tokens!,
    money: limits.money,
  };
}

const BY_END = { steps: "steps", pages: "pages", time: "minutes", tokens: "tokens", money: "money" } as const;

/** The limit that ended a research, if one did. */
export function reached({ ended }: ResearchProgress): Limit | null {
  return ended !== null && ended in BY_END ? BY_END[ended as keyof typeof BY_END] : null;
}

/** A budget like the last one, with twice as much of what there was too little of. */
export function larger(progress: ResearchProgress): Limits {
  const limits = limitsIn(progress.budget);
  const limit = reached(progress);
  if (limit === null) return limits;
  const twice = 2 * (limits[limit] ?? 0);
  return { ...limits, [limit]: Math.min(twice, MOST[limit] ?? Infinity) };
}
