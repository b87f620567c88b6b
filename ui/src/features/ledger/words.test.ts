import { describe, expect, it } from "vitest";
import type { Contact, Ledger } from "../../bindings/bindings";
import { byWeight, sumOf } from "./words";

const contact = (host: string, bytes_out: number, over: Partial<Contact> = {}): Contact => ({
  host,
  errand: "page",
  service: "",
  local: false,
  requests: 1,
  bytes_out,
  bytes_in: 100,
  ...over,
});
const ledger = (contacts: Contact[]): Ledger => ({ contacts, texts: [], unlisted: 0 });

describe("what left", () => {
  it("counts a host once, however much it was asked for, and this computer not at all", () => {
    const contacts = [
      contact("a.example", 10),
      contact("a.example", 5, { errand: "robots" }),
      contact("b.example", 1),
      contact("127.0.0.1:11434", 9_000, { errand: "model", local: true }),
    ];
    expect(sumOf(ledger(contacts))).toEqual({ hosts: 2, out: 16, back: 300 });
    expect(sumOf(ledger([]))).toEqual({ hosts: 0, out: 0, back: 0 });
  });

  it("is listed with what went furthest and was most first", () => {
    const contacts = [contact("here", 900, { local: true }), contact("little", 1), contact("much", 50)];
    expect(byWeight(contacts).map(({ host }) => host)).toEqual(["much", "little", "here"]);
  });
});
