// An export of every chat, of a collection or of a tag: how far it is, where it went.

import type {
  ExportChoice,
  Exported,
  ExportProgress,
  Failure,
  ExportFormat,
  Sorting,
} from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

export class ExportState {
  format = $state<ExportFormat>("json");
  /** `all`, `collection:` with an id, or `tag:` with a name. */
  which = $state("all");
  sorting = $state.raw<Pick<Sorting, "collections" | "tags">>({ collections: [], tags: [] });
  exporting = $state(false);
  progress = $state.raw<ExportProgress | null>(null);
  exported = $state.raw<Exported | null>(null);
  failure = $state.raw<Failure | null>(null);

  constructor(private readonly platform: Platform) {}

  /** Learns what else than all can be exported; without it, all still can. */
  async load(): Promise<void> {
    try {
      this.sorting = await this.platform.sorting();
    } catch {
      // The list of chats tells of a store that cannot be read.
    }
  }

  get choice(): ExportChoice {
    const [kind, ...rest] = this.which.split(":");
    const name = rest.join(":");
    if (kind === "collection") return { kind, collection: name };
    return kind === "tag" ? { kind, tag: name } : { kind: "all" };
  }

  export = async (): Promise<void> => {
    // A second press while the first still works is one press.
    if (this.exporting) return;
    this.exporting = true;
    this.exported = this.failure = null;
    try {
      this.exported = await this.platform.exportChats(
        this.choice,
        this.format,
        (progress) => (this.progress = progress),
      );
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.exporting = false;
      this.progress = null;
    }
  };

  stop = (): void => {
    void this.platform.stopCarrying().catch(() => undefined);
  };

  show = async (): Promise<void> => {
    try {
      await this.platform.showExported();
    } catch (error) {
      this.failure = asFailure(error);
    }
  };
}
