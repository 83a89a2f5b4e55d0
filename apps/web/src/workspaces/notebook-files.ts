import { newNotebook, writeNotebook } from "@syla/contracts/notebook";
import type { TreeFile } from "@syla/sdk";

export function isNotebook(path: string): boolean {
  return /\.ipynb$/i.test(path);
}

/** What a new file begins with. */
export function initialContent(path: string): string {
  return isNotebook(path) ? writeNotebook(newNotebook("python")) : "";
}

/** A name for a new notebook that no file has. */
export function freeNotebookName(files: readonly Pick<TreeFile, "path">[], folder: string): string {
  for (let count = 1; ; count += 1) {
    const path = `${folder}Untitled${count === 1 ? "" : count}.ipynb`;
    if (!files.some((file) => file.path === path)) return path;
  }
}
