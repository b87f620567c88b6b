// What is kept of a search asks the same again, on a later day too.

import { expect, it } from "vitest";
import type { SavedQuery } from "../../../bindings/bindings";
import { asHistoryFilter, type Period, type SearchFilter } from "../search.svelte";
import { asSavedQuery, asSearchFilter } from "./saved";

const monday = new Date(2026, 10, 23, 15, 30);
const friday = new Date(2026, 10, 27, 9);

function filterOf(period: Period): SearchFilter {
  return {
    period,
    view: "archived",
    pinned: true,
    host: "example.org",
    chat: null,
    collection: "coll_1",
    tag: "Physics",
  };
}

function again(period: Period, later: Date): SearchFilter {
  const query: SavedQuery = JSON.parse(JSON.stringify(asSavedQuery("magnets", filterOf(period), monday)));
  return asSearchFilter({ id: "srch_1", name: "Magnets", query }, later);
}

it("keeps every filter", () => {
  expect(again({ kind: "any" }, friday)).toEqual(filterOf({ kind: "any" }));
});

it("moves the last days along with the calendar", () => {
  const filter = again({ kind: "days", days: 7 }, friday);
  expect(filter.period).toEqual({ kind: "days", days: 7 });
  expect(asHistoryFilter(filter, friday).from).toBe(new Date(2026, 10, 21).toISOString());
});

it("keeps two dates as they are, both days included", () => {
  const range: Period = { kind: "range", from: "2026-03-01", until: "2026-03-31" };
  expect(again(range, friday).period).toEqual(range);
});

it("closes a range that the command has left open", () => {
  const filter = asHistoryFilter(filterOf({ kind: "any" }), monday);
  const from = new Date(2026, 10, 20).toISOString();
  const query = { text: "magnets", filter: { ...filter, from }, days: null };
  const { period } = asSearchFilter({ id: "srch_1", name: "Magnets", query }, friday);
  expect(period).toEqual({ kind: "range", from: "2026-11-20", until: "2026-11-27" });
});
