// The folders that are searched, how far looking through them is, and what could not be read.

import type { Failure, FolderList, FolderProblem } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

type Doing = "loading" | "adding" | "removing" | "pausing" | "listing";

/** As many problems as one look brings. */
export const PROBLEMS = 50;
/** How often it is looked whether something has changed. */
const EVERY = 1_000;

export class FoldersState {
  told = $state.raw<FolderList | null>(null);
  problems = $state.raw<readonly FolderProblem[]>([]);
  hasMore = $state(false);
  doing = $state.raw<Doing | null>(null);
  failure = $state.raw<{ doing: Doing; failure: Failure } | null>(null);

  readonly folders = $derived(this.told?.folders ?? []);
  readonly unread = $derived(this.folders.reduce((sum, folder) => sum + folder.problems, 0));

  constructor(private readonly platform: Platform) {}

  /** Looks once, and then each second until what is returned is called. */
  watch(): () => void {
    void this.load();
    const timer = setInterval(() => void this.#look(), EVERY);
    return () => clearInterval(timer);
  }

  load = () => this.#do("loading", () => this.platform.listFolders());
  add = () => this.#do("adding", () => this.platform.addFolder());
  remove = (path: string) => this.#do("removing", () => this.platform.removeFolder(path));
  pause = (paused: boolean) => this.#do("pausing", () => this.platform.pauseFolders(paused));

  /** The next problems after those that are shown; from the beginning where `anew`. */
  async list(anew = false): Promise<void> {
    const shown = anew ? [] : this.problems;
    await this.#do("listing", async () => {
      const more = await this.platform.folderProblems(shown.at(-1)?.path ?? "", PROBLEMS);
      this.problems = [...shown, ...more];
      this.hasMore = more.length === PROBLEMS;
      return null;
    });
  }

  async #look(): Promise<void> {
    if (this.doing || document.hidden) return;
    try {
      const before = this.unread;
      this.told = await this.platform.listFolders();
      if (this.unread !== before && this.problems.length > 0) await this.list(true);
    } catch {
      // What failed once a second is not to be told once a second; the next deed tells it.
    }
  }

  async #do(doing: Doing, work: () => Promise<FolderList | null>): Promise<void> {
    if (this.doing) return;
    this.doing = doing;
    this.failure = null;
    try {
      this.told = (await work()) ?? this.told;
    } catch (error) {
      this.failure = { doing, failure: asFailure(error) };
    } finally {
      this.doing = null;
    }
  }
}
