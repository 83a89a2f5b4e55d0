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
