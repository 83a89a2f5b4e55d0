import { dirname } from "node:path";
import { ProjectFile, ProjectResources } from "@syla/contracts/project-file";
import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { CliError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { readInput } from "../runs/collect-files.ts";

/** A project file, and where it lies. */
export interface Project {
  readonly file: string;
  /** Its folder: what it names is relative to this. */
  readonly folder: string;
  readonly settings: ProjectFile;
}

type Issue = NonNullable<ReturnType<typeof ProjectFile.safeParse>["error"]>["issues"][number];
type Path = readonly PropertyKey[];

const mostBytes = 256 * 1024;

/** Reads and checks a project file. @throws CliError `project_file_invalid`, with the line of everything that is wrong */
export function readProject(file: string): Project {
  const bytes = readInput(file);
  if (bytes.length > mostBytes) throw invalid(file, [`${file} is larger than 256 KiB.`]);
  const lines = new LineCounter();
  const document = parseDocument(bytes.toString("utf8"), { lineCounter: lines, uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(file, [`${file}:${broken.linePos?.[0].line ?? 1}: ${broken.message.split("\n")[0]}`]);
  const checked = ProjectFile.safeParse(readValue(document, file));
  if (checked.success) return { file, folder: dirname(file), settings: checked.data };
  const place = (path: Path) => `${file}:${lineOf(document, lines, path)}`;
  throw invalid(
    file,
    checked.error.issues.flatMap((issue) => describe(issue, place)),
  );
}

/** Aliases may stand for other values, but not for more of them than a person writes. */
function readValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw invalid(file, [`${file}: ${(error as Error).message}`]);
  }
}

function describe(issue: Issue, place: (path: Path) => string): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(issue.path[0] === "resources" ? ProjectResources.shape : ProjectFile.shape);
    return issue.keys.map((key) => `${place([...issue.path, key])}: There is no key "${key}".${didYouMean(key, known)}`);
  }
  const name = issue.path.map(String).join(".");
  return [`${place(issue.path)}: ${name === "" ? "The file" : name}: ${issue.message}`];
}

/** Where a key stands; where it is not written, that of what is around it. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      const items = (node as { readonly items?: readonly { readonly range?: readonly number[] }[] } | null)?.items;
      node = items?.[Number(part)];
      offset = (node as { readonly range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    }
  }
  return lines.linePos(offset).line;
}

function invalid(file: string, problems: readonly string[]): CliError {
  return new CliError(problems.length > 0 ? problems.join("\n") : `${file} is no project file.`, {
    code: "project_file_invalid",
    exit: "config",
    hint: "docs/how-to/describe-a-project.md lists the keys; --no-project leaves the file out.",
  });
}
