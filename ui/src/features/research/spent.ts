// What a research has spent of what it may, as words and as a share.

import type { ResearchProgress } from "../../bindings/bindings";
import { m } from "../../shared/messages";
import { formatNumber } from "../../shared/i18n.svelte";
import { formatCost } from "../../shared/prices";

/** `elapsed` are the milliseconds since that was told, as long as it goes on. */
export function spentLine({ spent, budget }: ResearchProgress, elapsed: number): string[] {
  const of = (done: number, most: number) => ({ spent: formatNumber(done), budget: formatNumber(most) });
  const line: string[] = [
    m.research_budget_steps(of(spent.steps, budget.steps)),
    m.research_budget_pages(of(spent.pages, budget.pages)),
    m.research_budget_time({
      spent: clock((spent.milliseconds + elapsed) / 1_000),
      budget: clock(budget.seconds),
    }),
  ];
  if (spent.usage.total > 0) line.push(m.research_budget_tokens(of(spent.usage.total, budget.tokens)));
  if (spent.money !== null && spent.money > 0) {
    const cost = formatCost(spent.money);
    line.push(budget.money === null ? cost : m.research_budget_time({ spent: cost, budget: formatCost(budget.money) }));
  }
  return line;
}

/** The part of the budget that is nearest to its end, 0 to 1. */
export function share({ spent, budget }: ResearchProgress, elapsed: number): number {
  const shares = [
    spent.steps / budget.steps,
    spent.pages / budget.pages,
    (spent.milliseconds + elapsed) / (budget.seconds * 1_000),
    budget.tokens > 0 ? spent.usage.total / budget.tokens : 0,
    budget.money ? (spent.money ?? 0) / budget.money : 0,
  ];
  return Math.min(1, Math.max(0, ...shares));
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
