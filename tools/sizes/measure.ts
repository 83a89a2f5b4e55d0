import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { SourceFile } from "../source-files.ts";
import { lineAt, visitNodes } from "../syntax.ts";

/** One file or one named function and its length in lines, first and last line included. */
export interface Size {
  readonly path: string;
  /** Of a function; empty for a file. */
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** A value that a name may hold; only functions are measured. */
interface Held {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Lines of a text; a newline at the end does not begin another line. */
export function countLines(text: string): number {
  return text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Sizes of the functions that have a name: declarations, methods, and functions that a variable or property holds. */
export function measureFunctions(file: SourceFile): Size[] {
  const sizes: Size[] = [];
  const add = (name: string, node: Omit<Held, "type">): void => {
    const line = lineAt(file.text, node.start);
    sizes.push({ path: file.path, name, line, lines: lineAt(file.text, node.end - 1) - line + 1 });
  };
  const addHeld = (name: string, value: Held | null): void => {
    if (value?.type === "ArrowFunctionExpression" || value?.type === "FunctionExpression") add(name, value);
  };
  const nameOf = (start: number, end: number): string => file.text.slice(start, end);
  visitNodes(file, {
    FunctionDeclaration: (node) => node.body !== null && add(node.id?.name ?? "default", node),
    MethodDefinition: (node) => node.value.body !== null && add(nameOf(node.key.start, node.key.end), node.value),
    Property: (node) => addHeld(nameOf(node.key.start, node.key.end), node.value),
    PropertyDefinition: (node) => addHeld(nameOf(node.key.start, node.key.end), node.value),
    VariableDeclarator: (node) => addHeld(nameOf(node.id.start, node.id.end), node.init),
  });
  return sizes;
}

/** The same for Python files, by CPython's own parser. */
export function measurePythonFunctions(root: string, paths: readonly string[]): Size[] {
  if (paths.length === 0) return [];
  const program = join(import.meta.dirname, "python_functions.py");
  const result = spawnSync("python3", ["-I", program, ...paths], { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(result.stderr);
  return parsePythonSizes(result.stdout);
}

function parsePythonSizes(output: string): Size[] {
  return output
    .split("\n")
    .filter((row) => row !== "")
    .map((row) => {
      const [path = "", name = "", line = "", lines = ""] = row.split("\t");
      return { path, name, line: Number(line), lines: Number(lines) };
    });
}
