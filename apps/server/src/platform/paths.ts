import { AppError, type FieldProblem } from "@syla/contracts/errors";

const maxLevels = 20;
const maxPartBytes = 255;
/** Linux takes paths up to 4,095 bytes; the workspace is in front. */
const maxPathBytes = 4000;

/** Why a relative path of a file tree is not allowed; null when it is. */
export function pathProblem(path: string): string | null {
  if (path === "") return "is empty";
  if (path.includes("\0")) return "contains a NUL byte";
  if (!path.isWellFormed()) return "is not valid Unicode";
  if (path.startsWith("/")) return "is absolute";
  const parts = path.split("/");
  if (parts.length > maxLevels) return `is deeper than ${maxLevels} levels`;
  for (const part of parts) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `contains "${part}"`;
    if (Buffer.byteLength(part) > maxPartBytes) return `has a part of more than ${maxPartBytes} bytes`;
  }
  return Buffer.byteLength(path) > maxPathBytes ? `is longer than ${maxPathBytes} bytes` : null;
}

/** Checks the paths of a tree: each one, and that none is given twice or is a file and a folder at once. @throws AppError `invalid_path` */
export function checkPaths(paths: readonly string[]): void {
  const problems: FieldProblem[] = [];
  const files = new Set<string>();
  paths.forEach((path, index) => {
    const problem = pathProblem(path) ?? (files.has(path) ? "is given twice" : null);
    if (problem !== null) problems.push({ path: `files.${index}.path`, message: `${JSON.stringify(path)} ${problem}` });
    files.add(path);
  });
  for (const path of problems.length === 0 ? paths : []) {
    const folder = parents(path).find((parent) => files.has(parent));
    if (folder !== undefined) problems.push({ path: "files", message: `${JSON.stringify(folder)} is a file and a folder` });
  }
  if (problems.length > 0)
    throw new AppError("invalid_path", { message: `A file path is not allowed: ${problems[0]?.message}.`, fields: problems });
}

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The most of a tree: files, and bytes of all of them. */
export const mostTreeFiles = 10_000;
export const mostTreeBytes = 100 * 1024 * 1024;

/** A file or a folder of a tree, and what lies in it. */
interface Place {
  readonly name: string;
  /** Other spellings of the name, once they are told. */
  readonly others: Set<string>;
  readonly inside: Map<string, Place>;
}

/**
 * Files or folders that differ in nothing but case, or in how their letters are composed: no two of them fit into every file system. What
 * lies in a folder that is told is not looked at. Names are kept, never whole paths, so that deep trees take no more than their names do.
 */
export function* findCaseCollisions(paths: Iterable<string>): Generator<[string, string]> {
  const root = new Map<string, Place>();
  for (const path of paths) {
    let inside = root;
    let isTold = false;
    for (let from = 0; from <= path.length && !isTold;) {
      const slash = path.indexOf("/", from);
      const end = slash < 0 ? path.length : slash;
      const name = path.slice(from, end);
      const key = name.normalize("NFC").toLowerCase();
      let place = inside.get(key);
      if (place === undefined) inside.set(key, (place = { name, others: new Set(), inside: new Map() }));
      isTold = place.name !== name;
      if (isTold && !place.others.has(name)) {
        place.others.add(name);
        yield [path.slice(0, from) + place.name, path.slice(0, end)];
      }
      inside = place.inside;
      from = end + 1;
    }
  }
}
