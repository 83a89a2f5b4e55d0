import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileInput } from "@syla/contracts/runs";

/** The analyser's folder in the sandbox, beside the tree. A tree that has one of this name is refused: Python would take modules from it. */
export const analyserFolder = ".syla-analyser";

/** What is started: `main.py TREE RESULT`. */
export const analyserEntrypoint = `${analyserFolder}/main.py`;

/** The analyser itself, as files of a run. They are a part of what a kept result depends on. */
export function readAnalyser(): readonly FileInput[] {
  const folder = join(import.meta.dirname, "python");
  const paths = globSync("**/*.py", { cwd: folder }).toSorted();
  return paths.map((path) => ({ path: `${analyserFolder}/${path}`, content: readFileSync(join(folder, path), "utf8") }));
}
