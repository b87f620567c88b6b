// The plan of a research that the fake plays: what it is at, and what a person changes of it meanwhile.

import type { PartProgress, PlanEdit, ResearchOptions, ResearchProgress } from "../../bindings/bindings";

export const PLAN = [
  "What does WAL mode change when SQLite writes?",
  "Which workloads become faster, and by how much?",
  "When should WAL mode not be used?",
  "How are WAL databases backed up safely?",
];

export class FakeResearch {
  progress: ResearchProgress;
  #next = PLAN.length + 1;

  constructor(options: ResearchOptions | undefined) {
    this.progress = {
      phase: "plan",
      at: null,
      parts: [],
      budget: {
        steps: options?.steps ?? 16,
        pages: options?.pages ?? 30,
        seconds: 60 * (options?.minutes ?? 10),
        tokens: options?.tokens ?? 120_000,
        money: options?.money ?? null,
      },
      spent: {
        steps: 0,
        pages: 0,
        milliseconds: 0,
        usage: { prompt: 0, completion: 0, total: 0 },
        money: null,
      },
      conflicts: 0,
      ended: null,
      trouble: null,
    };
  }

  plan(agree: boolean): void {
    const parts = PLAN.map((question, at) => part(at + 1, question, "model"));
    this.#set({ phase: agree ? "agree" : "gather", parts });
    this.#spend({ milliseconds: 2_100, total: 640 });
  }

  /** The next part that is still to be looked into. */
  get open(): PartProgress | undefined {
    if (this.progress.ended !== null) return undefined;
    return this.progress.parts.find(({ stage }) => stage !== "noted");
  }

  begin(id: number): void {
    this.#set({ at: id });
    this.#update(id, { stage: "found" });
    this.#spend({ steps: 1, milliseconds: 3_400 });
  }

  note(id: number): void {
    const isLast = id === PLAN.length;
    this.#update(id, {
      stage: "noted",
      hosts: isLast ? 1 : 2 + (id % 3),
      passages: 4,
      missing: isLast ? ["safely"] : [],
    });
    this.#spend({ pages: 3, milliseconds: 5_200 });
    if (id === 2) this.#set({ conflicts: 1 });
    const { spent, budget } = this.progress;
    if (!this.open) return;
    if (spent.steps >= budget.steps) this.#set({ ended: "steps" });
    else if (spent.pages >= budget.pages) this.#set({ ended: "pages" });
  }

  write(id: number | null): void {
    this.#set({ phase: "write", at: id });
    this.#spend({ milliseconds: 4_000, total: 1_850 });
  }

  written(id: number): void {
    this.#update(id, { written: true });
  }

  end(): void {
    this.#set({ phase: "done", at: null, ended: this.progress.ended ?? "enough" });
  }

  edit(edit: PlanEdit): ResearchProgress {
    const { parts } = this.progress;
    switch (edit.type) {
      case "add":
        this.#set({ parts: [...parts, part(this.#next++, edit.question, "person")] });
        break;
      case "reword":
        this.#update(edit.part, { question: edit.question, stage: "planned", passages: 0, missing: [], hosts: 0 });
        break;
      case "remove":
        this.#set({ parts: parts.filter(({ id }) => id !== edit.part) });
        break;
      case "order":
        this.#set({ parts: edit.parts.flatMap((id) => parts.find((known) => known.id === id) ?? []) });
        break;
      case "budget":
        this.#set({ budget: edit.budget, ended: this.progress.ended === "person" ? "person" : null });
        break;
      case "agree":
        this.#set({ phase: "gather" });
        break;
      case "finish":
        this.#set({ ended: "person" });
        break;
    }
    return structuredClone(this.progress);
  }

  #set(change: Partial<ResearchProgress>): void {
    this.progress = { ...this.progress, ...change };
  }

  #update(id: number, change: Partial<PartProgress>): void {
    this.#set({ parts: this.progress.parts.map((known) => (known.id === id ? { ...known, ...change } : known)) });
  }

  #spend({ steps = 0, pages = 0, milliseconds = 0, total = 0 }): void {
    const { spent } = this.progress;
    const usage = {
      prompt: spent.usage.prompt + Math.round(total * 0.8),
      completion: spent.usage.completion + Math.round(total * 0.2),
      total: spent.usage.total + total,
    };
    this.#set({
      spent: {
        ...spent,
        steps: spent.steps + steps,
        pages: spent.pages + pages,
        milliseconds: spent.milliseconds + milliseconds,
        usage,
      },
    });
  }
}

function part(id: number, question: string, origin: PartProgress["origin"]): PartProgress {
  return {
    id,
    question,
    origin,
    stage: "planned",
    query: null,
    hosts: 0,
    passages: 0,
    missing: [],
    written: false,
  };
}

/** A report, one section a question, made of the paragraphs of an answer. */
export function reportOf(answer: string, questions: string[]): string {
  const paragraphs = answer
    .split("\n\n")
    .filter((paragraph) => /\[\d+:/.test(paragraph) && !/^[#|>]|```/.test(paragraph));
  const section = (question: string, at: number) =>
    `## ${question}\n\n${paragraphs[1 + (at % Math.max(1, paragraphs.length - 1))] ?? paragraphs[0]}`;
  return [paragraphs[0], ...questions.map(section)].join("\n\n");
}
