import type { FieldProblem } from "@syla/contracts/errors";

/** What a requirements file of pip asks for, as far as it may ask here. Format: the "Requirements File Format" page of pip's reference. */
export interface Requirements {
  /** One requirement a line, with its hashes and markers. */
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  /** Where the program itself is to be installed, which is not done. */
  readonly skipped: readonly string[];
  readonly problems: readonly FieldProblem[];
}

const maxFiles = 20;
const kept = /^--(?:pre|prefer-binary|require-hashes|only-binary|no-binary)(?:[ =]|$)/;
const index = /^(?:-i|-f|--(?:index-url|extra-index-url|no-index|find-links|trusted-host))(?:[ =]|$)/;
const include = /^(?:-(?<short>[rc])\s*|--(?<long>requirement|constraint)[ =]\s*)(?<path>\S+)$/;
/** The program's own folder, alone. */
const itself = /^(?:(?:-e|--editable)[ =]?\s*)?\.\/?$/;
const named = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[^\]]*\]\s*)?(?<rest>.*)$/s;

/** Reads a file and those that it includes. `read` answers a file's text, undefined for one that is not there. */
export function readRequirements(path: string, read: (path: string) => string | undefined): Requirements {
  const found = { requirements: [] as string[], constraints: [] as string[], skipped: [] as string[], problems: [] as FieldProblem[] };
  const seen = new Set<string>();
  const visit = (file: string, into: string[], from: string): void => {
    if (seen.has(file) || seen.size >= maxFiles) return;
    seen.add(file);
    const text = read(file);
    if (text === undefined)
      return void found.problems.push({ path: from, message: `${JSON.stringify(file.slice(0, 200))} is not among the files` });
    for (const { line, number } of logicalLines(text)) {
      const place = `${file}:${number}`;
      const included = include.exec(line)?.groups;
      if (included !== undefined) {
        const isConstraint = included["short"] === "c" || included["long"] === "constraint";
        visit(beside(file, included["path"] ?? ""), isConstraint ? found.constraints : into, place);
        continue;
      }
      if (itself.test(line)) {
        found.skipped.push(place);
        continue;
      }
      const problem = problemOf(line);
      if (problem === null) into.push(line);
      else found.problems.push({ path: place, message: problem });
    }
  };
  visit(path, found.requirements, path);
  return found;
}

/** Lines without comments, those that end in `\` joined with the next. */
function logicalLines(text: string): { line: string; number: number }[] {
  const lines: { line: string; number: number }[] = [];
  let [joined, began] = ["", 1];
  const end = () => {
    const line = joined.trim().replaceAll(/\s+/g, " ");
    if (line !== "") lines.push({ line, number: began });
    joined = "";
  };
  text
    .replace(/^\u{feff}/u, "")
    .split(/\r\n?|\n/)
    .forEach((raw, at) => {
      if (joined === "") began = at + 1;
      const bare = raw.replace(/(?:^|(?<!\s)\s+)#.*$/s, "");
      joined += bare.endsWith("\\") ? `${bare.slice(0, -1)} ` : bare;
      if (!bare.endsWith("\\")) end();
    });
  end();
  return lines;
}

function beside(file: string, other: string): string {
  const parts = [...file.split("/").slice(0, -1), ...other.split("/")];
  const path: string[] = [];
  for (const part of parts) {
    if (part === "..") path.pop();
    else if (part !== "." && part !== "") path.push(part);
  }
  return path.join("/");
}

/** Why a line is refused; null when it may stay. */
export function problemOf(line: string): string | null {
  if (kept.test(line)) return null;
  if (index.test(line)) return "names an index of its own; packages come from the one that this server is set up with";
  if (/^(?:-e|--editable)(?:[ =]|$)/.test(line)) return "installs a folder of the program; only packages of the index can be installed";
  if (line.startsWith("-")) return `has the option ${JSON.stringify(line.split(/[ =]/, 1)[0]?.slice(0, 100))}, which cannot be used here`;
  if (/^[a-z+]+:\/\//i.test(line) || /^(?:git|hg|svn|bzr)\+/.test(line))
    return "is an address; only packages of the index can be installed";
  if (/^[A-Za-z0-9._-]+\s*(?:\[[^\]]*\]\s*)?@/.test(line)) return "is an address; only packages of the index can be installed";
  if (/^[./~]|^\w:[\\/]|\.whl$|\.tar\.gz$|\.zip$/.test(line.split(/[ ;]/)[0] ?? ""))
    return "is a path; only packages of the index can be installed";
  const rest = named.exec(line)?.groups?.["rest"];
  if (rest === undefined) return "is not a requirement";
  return rest.startsWith("@") ? "is an address; only packages of the index can be installed" : null;
}
