// An import: a file is chosen or dropped, looked through, and brought in when what is in it was seen.

import type { AttachedFile, Failure, ImportProgress, ImportReport } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

type Stage =
  | { at: "idle" }
  | { at: "reading" | "importing"; file: AttachedFile; progress: ImportProgress | null; total: number | null }
  | { at: "preview" | "done"; file: AttachedFile; report: ImportReport };

export class ImportState {
  stage = $state.raw<Stage>({ at: "idle" });
  failure = $state.raw<Failure | null>(null);
  choosing = $state(false);
  /** What was begun last; what an earlier one tells comes too late. */
  #turn = 0;

  constructor(private readonly platform: Platform) {}

  get busy(): boolean {
    return this.choosing || this.stage.at === "reading" || this.stage.at === "importing";
  }

  /** Follows files that are dropped on the window; the returned function ends that, and a look that is under way. */
  listen = (): (() => void) => {
    const listening = this.platform.onFilesDropped(([file]) => file && void this.look(file));
    return () => {
      void listening.then((end) => end());
      if (this.stage.at === "reading") this.stop();
    };
  };

  choose = async (): Promise<void> => {
    // A second press while the first still asks is one press.
    if (this.busy) return;
    this.choosing = true;
    this.failure = null;
    try {
      const file = await this.platform.chooseArchive();
      this.choosing = false;
      if (file) await this.look(file);
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.choosing = false;
    }
  };

  /** Looks through a file; nothing is written. */
  async look(file: AttachedFile): Promise<void> {
    if (this.busy) return;
    await this.#work("reading", file, null, async (told) => {
      const report = await this.platform.previewImport(file.url, told);
      return report.stopped ? { at: "idle" } : { at: "preview", file, report };
    });
  }

  import = async (): Promise<void> => {
    const { stage } = this;
    if (stage.at !== "preview") return;
    const { file } = stage;
    const total = Object.values(stage.report.chats).reduce((sum: number, count) => sum + (count ?? 0), 0);
    await this.#work("importing", file, total, async (told) => {
      const report = await this.platform.importChats(file.url, told);
      return { at: "done", file, report };
    });
  };

  stop = (): void => {
    void this.platform.stopCarrying().catch(() => undefined);
  };

  close = (): void => {
    this.stage = { at: "idle" };
    this.failure = null;
  };

  async #work(
    at: "reading" | "importing",
    file: AttachedFile,
    total: number | null,
    work: (told: (progress: ImportProgress) => void) => Promise<Stage>,
  ): Promise<void> {
    const turn = ++this.#turn;
    this.failure = null;
    this.stage = { at, file, progress: null, total };
    try {
      const next = await work((progress) => {
        if (turn === this.#turn && this.stage.at === at) this.stage = { at, file, progress, total };
      });
      if (turn === this.#turn) this.stage = next;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stage = { at: "idle" };
      this.failure = asFailure(error);
    }
  }
}
