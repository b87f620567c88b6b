// The words of a ledger, and what it comes to.

import type { Contact, Errand, Ledger, Role } from "../../bindings/bindings";
import { m } from "../../shared/messages";

const ERRANDS: Record<Errand, () => string> = {
  search: m.evidence_errand_search,
  search_cache: m.evidence_errand_search_cache,
  page: m.evidence_errand_page,
  robots: m.evidence_errand_robots,
  icon: m.evidence_errand_icon,
  picture: m.evidence_errand_picture,
  model: m.evidence_errand_model,
  model_list: m.evidence_errand_model_list,
  gateway: m.evidence_errand_gateway,
  database: m.evidence_errand_database,
};

const ROLES: Record<Role, () => string> = {
  system: m.evidence_role_system,
  user: m.evidence_role_user,
  assistant: m.evidence_role_assistant,
};

export function errandWords(errand: Errand): string {
  return ERRANDS[errand]();
}

export function roleWords(role: Role): string {
  return ROLES[role]();
}

export type Sum = { hosts: number; out: number; back: number };

/** What went to other computers, and came from them. */
export function sumOf(ledger: Ledger): Sum {
  const elsewhere = ledger.contacts.filter((contact) => !contact.local);
  const add = (of: (contact: Contact) => number) => elsewhere.reduce((sum, contact) => sum + of(contact), 0);
  return {
    hosts: new Set(elsewhere.map(({ host }) => host)).size,
    out: add(({ bytes_out }) => bytes_out),
    back: add(({ bytes_in }) => bytes_in),
  };
}

/** Those elsewhere first, and of them first whoever got most. */
export function byWeight(contacts: readonly Contact[]): Contact[] {
  return contacts.toSorted((a, b) => Number(a.local) - Number(b.local) || b.bytes_out - a.bytes_out);
}
