import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AnalysisDocument } from "@syla/contracts/analysis";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";

const analyser = join(import.meta.dirname, "../../../src/programs/analysis/python");
const library = join(import.meta.dirname, "library");

/** Files by path, as text or bytes. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

/** A slot as Python itself has it. */
export interface RealSlot {
  readonly kind: string;
  readonly arguments: readonly (readonly [name: string, kind: string])[];
}

/** A file as Python itself has it: its slots by qualified name, or why it cannot be imported. */
export interface RealFile {
  readonly file: string;
  readonly slots: Readonly<Record<string, RealSlot>>;
  readonly error: string | null;
}

/** Writes a tree into a folder. */
export function writeTree(folder: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Analyses trees without a sandbox: what is tried is the analyser itself. */
export function analyseAll(trees: readonly Tree[]): AnalysisDocument[] {
  using folder = createTemporaryDirectory();
  const roots = writeAll(folder.path, trees);
  const lines = run([join(library, "analyse_each.py"), analyser, ...roots])
    .trim()
    .split("\n");
  return lines.map((line) => AnalysisDocument.parse(JSON.parse(line)));
}

/** Analyses a folder that is there. */
export function analyseFolder(folder: string): AnalysisDocument {
  return AnalysisDocument.parse(JSON.parse(run([join(library, "analyse_each.py"), analyser, folder])));
}

/** What comes of readers that are lost: the name of what was read, whether there is an answer, and why there is none. */
export function loseReaders(): unknown[] {
  const lines = run([join(library, "lost_readers.py"), analyser])
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Analyses one tree. */
export function analyse(tree: Tree): AnalysisDocument {
  const [document] = analyseAll([tree]);
  if (document === undefined) throw new Error("there is no document");
  return document;
}

/** Imports the files of each tree, with a stand-in for the library, and tells what became of them. */
export function importAllForReal(trees: readonly Tree[], byStatement = false): RealFile[][] {
  using folder = createTemporaryDirectory();
  const roots = writeAll(folder.path, trees);
  const words = [join(library, "oracle.py"), ...roots, ...(byStatement ? ["--by-statement"] : [])];
  const { SYLA_TEST_PYTHONPATH = library } = process.env;
  const printed = run(words, { PYTHONPATH: SYLA_TEST_PYTHONPATH });
  const lines = printed.split("\n").filter((line) => line !== "");
  const files = lines.map((line) => JSON.parse(line) as RealFile & { readonly root: string });
  return roots.map((root) => files.filter((file) => file.root === root));
}

function writeAll(folder: string, trees: readonly Tree[]): string[] {
  return trees.map((tree, index) => {
    const root = join(folder, `tree${index}`);
    mkdirSync(root);
    writeTree(root, tree);
    return root;
  });
}

function run(words: readonly string[], env: Record<string, string> = {}): string {
  const { SYLA_TEST_PYTHON = "/usr/bin/python3" } = process.env;
  const options = {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", PYTHONDONTWRITEBYTECODE: "1", ...env },
    maxBuffer: 256 * 1024 * 1024,
  } as const;
  const { status, stdout, stderr } = spawnSync(SYLA_TEST_PYTHON, words, options);
  if (status !== 0) throw new Error(`python ended with ${status}: ${stderr}`);
  return stdout;
}
