// Sums of what models used.

import type { UsedModel } from "../../bindings/bindings";

export type Sum = { answers: number; prompt: number; completion: number; cost: number | null };

/** The cost is known where any model's is: what has no price is said beside it. */
export function sumOf(models: readonly UsedModel[]): Sum {
  const add = (of: (model: UsedModel) => number) => models.reduce((sum, model) => sum + of(model), 0);
  return {
    answers: add(({ answers }) => answers),
    prompt: add(({ prompt }) => prompt),
    completion: add(({ completion }) => completion),
    cost: models.some(({ cost }) => cost !== null) ? add(({ cost }) => cost ?? 0) : null,
  };
}

/** Whether a price would tell more; the extractive writer costs nothing. */
export function lacksPrice(models: readonly UsedModel[]): boolean {
  return models.some(({ model, cost }) => cost === null && model !== "extractive");
}
