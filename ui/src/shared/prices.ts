// What an answer cost: tokens times the prices that the person has entered. No price list of ours would stay true.

import type { TokenUsage } from "../bindings/bindings";
import { intlTag } from "./i18n.svelte";

/** US dollars for a million tokens. */
export type Price = { read: number; written: number };

export const PRICES = "models.prices";
const MILLION = 1_000_000;

/** The setting's entries, `provider/name=read/written`; what is none is left out. */
export function parsePrices(entries: readonly string[]): Map<string, Price> {
  const prices = new Map<string, Price>();
  for (const entry of entries) {
    const at = entry.lastIndexOf("=");
    const [read = NaN, written = NaN] = entry
      .slice(at + 1)
      .split("/")
      .map(Number);
    if (at > 0 && read >= 0 && written >= 0) prices.set(entry.slice(0, at).trim(), { read, written });
  }
  return prices;
}

/** What the setting holds. */
export function pricesIn(setting: unknown): Map<string, Price> {
  return parsePrices(Array.isArray(setting) ? setting.map(String) : []);
}

export function writePrices(prices: ReadonlyMap<string, Price>): string {
  return [...prices].map(([model, { read, written }]) => `${model}=${read}/${written}`).join(",");
}

export function costOf(tokens: TokenUsage, price: Price): number {
  return (tokens.prompt * price.read + tokens.completion * price.written) / MILLION;
}

/** What all of it cost, each model at its own price; `null` where one has none. */
export function costOfAll(
  spent: Readonly<Record<string, TokenUsage>>,
  prices: ReadonlyMap<string, Price>,
): number | null {
  const costs = Object.entries(spent).map(([model, tokens]) => {
    const price = prices.get(model);
    return price ? costOf(tokens, price) : null;
  });
  if (costs.length === 0) return null;
  return costs.reduce((sum, cost) => (sum === null || cost === null ? null : sum + cost));
}

/** With the digits that say something, however little it was. */
export function formatCost(dollars: number): string {
  const digits = dollars > 0 && dollars < 0.1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
  return new Intl.NumberFormat(intlTag(), { style: "currency", currency: "USD", ...digits }).format(dollars);
}
