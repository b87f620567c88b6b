// The fake's folders: two that are indexed, one of which lies on a disk that is away, and some files that cannot be read.

import type { Folder, FolderList, FolderProblem, FolderStanding, OfferedFolder } from "../../bindings/bindings";

const PROBLEMS: readonly FolderProblem[] = [
  { path: "/home/ada/Documents/contracts/lease-2019.pdf", reason: "It holds no text; a scan has only pictures of it." },
  { path: "/home/ada/Documents/private/diary.md", reason: "You have no permission to read it." },
  {
    path: "/home/ada/Documents/talks/keynote.pptx",
    reason: "It cannot be read: the office document is damaged: invalid Zip archive.",
  },
];

export class FakeFolders {
  #folders: Folder[];
  /** What was dropped last and can be added. */
  offered: string[] = [];
  #paused = false;
  #looks = 0;

  constructor(hasFolders: boolean) {
    this.#folders = hasFolders
      ? [
          { path: "/home/ada/Documents", exists: true, files: 4_812, problems: PROBLEMS.length },
          { path: "/media/ada/archive/papers", exists: false, files: 963, problems: 0 },
        ]
      : [];
  }

  list(): FolderList {
    // The first looks find it at work.
    const working = !this.#paused && this.#folders.length > 0 && this.#looks++ < 2;
    const folder = working ? "/home/ada/Documents" : null;
    return {
      folders: this.#folders,
      progress: { folder, seen: working ? 3_200 : 0, read: working ? 41 : 0, paused: this.#paused },
    };
  }

  add(): FolderList {
    this.#folders = [...this.#folders, { path: "/home/ada/src/notes", exists: true, files: 212, problems: 0 }];
    return this.list();
  }

  offer(paths: string[]): OfferedFolder[] {
    const folders = paths.map((path) => ({
      name: path.split("/").at(-1) ?? path,
      path,
      standing: this.#standing(path),
    }));
    this.offered = folders.filter(({ standing }) => standing.kind === "new").map(({ path }) => path);
    return folders;
  }

  addOffered(): FolderList {
    for (const path of this.offered) {
      if (path.includes("locked")) {
        const message = "`folders.paths` is set by the environment, which goes before what is stored.";
        throw { code: "invalid", message, hint: "Change it there." };
      }
      this.#folders = this.#folders.filter((folder) => !folder.path.startsWith(`${path}/`));
      this.#folders.push({ path, exists: true, files: 1_204, problems: 0 });
    }
    this.offered = [];
    return this.list();
  }

  #standing(path: string): FolderStanding {
    if (path.includes("forbidden")) {
      const message = `The folder \`${path}\` cannot be read.`;
      const failure = { code: "not_found" as const, message, hint: "Check its name, and that you may read it." };
      return { kind: "refused", failure };
    }
    if (this.#folders.some((folder) => folder.path === path)) return { kind: "known" };
    const around = this.#folders.find((folder) => path.startsWith(`${folder.path}/`));
    if (around) return { kind: "within", path: around.path };
    return { kind: "new", contains: this.#folders.filter((folder) => folder.path.startsWith(`${path}/`)).length };
  }

  remove(path: string): FolderList {
    this.#folders = this.#folders.filter((folder) => folder.path !== path);
    return this.list();
  }

  pause(paused: boolean): FolderList {
    this.#paused = paused;
    return this.list();
  }

  problems(after: string, limit: number): FolderProblem[] {
    return PROBLEMS.filter(({ path }) => path > after).slice(0, limit);
  }
}
