// An export of every chat: how far it is, where it went.

import type { Exported, ExportProgress, Failure, ExportFormat } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { asFailure } from "../../../shared/failure";

export class ExportState {
  format = $state<ExportFormat>("json");
  exporting = $state(false);
  progress = $state.raw<ExportProgress | null>(null);
  exported = $state.raw<Exported | null>(null);
  failure = $state.raw<Failure | null>(null);

  constructor(private readonly platform: Platform) {}

  export = async (): Promise<void> => {
    // A second press while the first still works is one press.
    if (this.exporting) return;
    this.exporting = true;
    this.exported = this.failure = null;
    try {
      this.exported = await this.platform.exportChats([], this.format, (progress) => (this.progress = progress));
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
