import { describe, expect, it, vi } from "vitest";
import type { AttachedFile, Failure, ImportReport } from "../../../bindings/bindings";
import type { Platform } from "../../../platform/platform";
import { ImportState } from "./import.svelte";
import { asText, leftOut } from "./import-words";

const file: AttachedFile = { url: "files:ab/export.zip", name: "export.zip" };
const damaged: Failure = { code: "invalid", message: "The archive is damaged.", hint: null };
const report: ImportReport = {
  chats: { chat_gpt: 3, claude: 1 },
  messages: 20,
  from: null,
  until: null,
  samples: ["One"],
  added: 3,
  extended: 0,
  unchanged: 1,
  left_out: { empty: 1, attachment: 5 },
  notes: [
    { what: "New chat", reason: "empty", count: 1 },
    { what: "", reason: "attachment", count: 5 },
  ],
  ended_early: null,
  stopped: false,
};

function state(over: Partial<Platform>) {
  const platform = {
    chooseArchive: async () => file,
    previewImport: async () => report,
    importChats: async () => report,
    stopCarrying: vi.fn(async () => undefined),
    onFilesDropped: async () => () => undefined,
    ...over,
  };
  return new ImportState(platform as Partial<Platform> as Platform);
}

describe("an import", () => {
  it("shows what is in the file, and brings nothing in before it is told to", async () => {
    const importChats = vi.fn(async () => report);
    const kept = state({ importChats });
    await kept.choose();
    expect(kept.stage).toEqual({ at: "preview", file, report });
    expect(importChats).not.toHaveBeenCalled();
    await kept.import();
    expect(importChats).toHaveBeenCalledWith(file.url, expect.anything());
    expect(kept.stage).toEqual({ at: "done", file, report });
  });

  it("is as it was when the dialog is called off", async () => {
    const kept = state({ chooseArchive: async () => null });
    await kept.choose();
    expect(kept.stage).toEqual({ at: "idle" });
    expect(kept.busy).toBe(false);
  });

  it("says what is wrong with a file, and takes another", async () => {
    const previewImport = vi.fn<Platform["previewImport"]>(() => Promise.reject(damaged));
    const kept = state({ previewImport });
    await kept.choose();
    expect(kept.failure).toEqual(damaged);
    expect(kept.stage).toEqual({ at: "idle" });
    previewImport.mockResolvedValueOnce(report);
    await kept.choose();
    expect(kept.failure).toBeNull();
    expect(kept.stage.at).toBe("preview");
  });

  it("tells how far it is, of as many as were found", async () => {
    let tell: Parameters<Platform["importChats"]>[1] = () => undefined;
    let finish: (report: ImportReport) => void = () => undefined;
    const kept = state({
      importChats: (_file, onProgress) => {
        tell = onProgress;
        return new Promise((resolve) => (finish = resolve));
      },
    });
    await kept.choose();
    const importing = kept.import();
    tell({ chats: 2, messages: 9 });
    expect(kept.stage).toEqual({ at: "importing", file, progress: { chats: 2, messages: 9 }, total: 4 });
    finish({ ...report, stopped: true });
    await importing;
    tell({ chats: 3, messages: 10 });
    expect(kept.stage.at).toBe("done");
  });

  it("forgets a file whose look was stopped", async () => {
    const kept = state({ previewImport: async () => ({ ...report, stopped: true }) });
    await kept.choose();
    expect(kept.stage).toEqual({ at: "idle" });
  });

  it("takes a file that is dropped, but none while it works", async () => {
    let drop: (files: AttachedFile[]) => void = () => undefined;
    const previewImport = vi.fn(() => new Promise<ImportReport>(() => undefined));
    const kept = state({
      previewImport,
      onFilesDropped: async (listener) => {
        drop = listener;
        return () => undefined;
      },
    });
    const end = kept.listen();
    drop([file]);
    drop([{ url: "files:cd/other.zip", name: "other.zip" }]);
    expect(previewImport).toHaveBeenCalledTimes(1);
    end();
  });
});

describe("what was left out", () => {
  it("is told the most of it first, with names where there are any", () => {
    expect(leftOut(report).map(({ reason, count, notes }) => [reason, count, notes.length])).toEqual([
      ["attachment", 5, 0],
      ["empty", 1, 1],
    ]);
  });

  it("can be sent to somebody as text", () => {
    const text = asText("export.zip", { ...report, ended_early: "The file ends in the middle." });
    expect(text).toContain("export.zip\nChatGPT: 3\nClaude: 1\nMessages: 20");
    expect(text).toContain("The rest of the file was not read: The file ends in the middle.");
    expect(text).toContain("1 × Chats in which nothing is said\n- New chat");
  });
});
