// The data folder: its size, its backups, and looking whether all is well.

import type { Backup, DataFolder, Failure, Finding } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

type Doing = "loading" | "backing_up" | "restoring" | "examining" | "opening";

export class DataState {
  folder = $state.raw<DataFolder | null>(null);
  backups = $state.raw<Backup[] | null>(null);
  findings = $state.raw<Finding[] | null>(null);
  doing = $state.raw<Doing | null>(null);
  failure = $state.raw<{ doing: Doing; failure: Failure } | null>(null);

  constructor(private readonly platform: Platform) {}

  load = () =>
    this.#do("loading", async () => {
      [this.folder, this.backups] = await Promise.all([this.platform.dataFolder(), this.platform.listBackups()]);
    });

  openFolder = () => this.#do("opening", () => this.platform.openDataFolder());

  createBackup = () =>
    this.#do("backing_up", async () => {
      const made = await this.platform.createBackup();
      this.backups = [made, ...(this.backups ?? []).filter((backup) => backup.path !== made.path)];
      this.folder = await this.platform.dataFolder();
    });

  /** The app starts again with it; nothing is to be done here afterwards. */
  restore = (backup: Backup) => this.#do("restoring", () => this.platform.restoreBackup(fileName(backup.path)));

  examine = () =>
    this.#do("examining", async () => {
      this.findings = null;
      this.findings = await this.platform.examine();
    });

  async #do(doing: Doing, work: () => Promise<void>): Promise<void> {
    // A second press while the first still works is one press.
    if (this.doing) return;
    this.doing = doing;
    this.failure = null;
    try {
      await work();
    } catch (error) {
      this.failure = { doing, failure: asFailure(error) };
    } finally {
      this.doing = null;
    }
  }
}

/** The last part of a path, of any system. */
export function fileName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}
