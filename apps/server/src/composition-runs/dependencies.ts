import { AppError } from "@syla/contracts/errors";
import { parse } from "smol-toml";
import type { EnvironmentRequest } from "../environments/service.ts";
import { problemOf } from "../environments/service.ts";
import { canAgree } from "./version-specifiers.ts";

/** What compositions need that ask models, unless a program of theirs says which version. */
const mellea = "mellea>=0.8,<0.9";

/** What a program of a composition asks for by itself. */
export interface ProgramNeeds {
  readonly name: string;
  /** The paths of the nodes that use it. */
  readonly nodes: readonly string[];
  readonly request: EnvironmentRequest;
}
/** One line of requirements, who asks for it, and where. */
interface Wish {
  readonly by: string;
  readonly nodes: readonly string[];
  readonly package: string;
  readonly constraint: string;
  readonly marker: string;
  readonly line: string;
}

const requirement = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*([^;]*?)\s*(?:;\s*(.*))?$/s;

/**
 * What the programs of a composition need together; null: nothing. Their locks are for each by itself: together their versions are chosen anew,
 * within what each has written.
 *
 * @throws AppError `dependency_conflict`, `dependencies_unsupported`
 */
export function unionOfNeeds(
  programs: readonly ProgramNeeds[],
  runtime: Pick<EnvironmentRequest, "language" | "runtimeVersion">,
  asksModels: boolean,
): EnvironmentRequest | null {
  const wishes = programs.flatMap((program) => linesOf(program).flatMap((line) => toWish(program, line)));
  const constraints = programs.flatMap((program) => textLines(program.request, "constraints.txt").flatMap((line) => toWish(program, line)));
  for (const [name, asked] of Map.groupBy([...wishes, ...constraints], (wish) => wish.package)) requireTogether(name, asked);
  const options = programs.flatMap(({ request }) => textLines(request, "requirements.txt").filter(isOption));
  const own = asksModels && wishes.every((wish) => wish.package !== "mellea") ? [mellea] : [];
  const lines = sorted([...wishes.map(({ line }) => line), ...own]);
  if (lines.length === 0) return null;
  const limits = sorted(constraints.map(({ line }) => line));
  return {
    manager: "uv",
    ...runtime,
    source: "manual",
    dependencies: lines,
    files: {
      "requirements.txt": toText([...sorted(options), ...lines]),
      ...(limits.length === 0 ? {} : { "constraints.txt": toText(limits) }),
    },
  };
}

function isOption(line: string): boolean {
  // Hashes are of versions that may not be those that are chosen together.
  return line.startsWith("-") && !line.startsWith("--require-hashes");
}

function sorted(lines: readonly string[]): string[] {
  return [...new Set(lines)].toSorted();
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function textLines({ files }: EnvironmentRequest, name: string): string[] {
  return (files[name] ?? "").split("\n").filter((line) => line.trim() !== "");
}

/** The requirements of one program, whatever they were written in. */
function linesOf({ name, request }: ProgramNeeds): string[] {
  const project = request.files["pyproject.toml"];
  if (project === undefined)
    return ["lock.txt", "requirements.txt"].flatMap((file) => textLines(request, file)).filter((line) => !line.startsWith("-"));
  let document: unknown;
  try {
    document = parse(project);
  } catch (cause) {
    throw unsupported(name, "its pyproject.toml, or what stands for it in its script, cannot be read", cause);
  }
  const found = dependenciesOf(document);
  if (found === null) throw unsupported(name, "`dependencies` of its pyproject.toml is not a list of texts");
  // Those that its configuration says besides are the same, read before.
  return found;
}

/** Nothing counts but the list of dependencies, that of a project or that of a script. */
function dependenciesOf(document: unknown): string[] | null {
  const field = (value: unknown, name: string): unknown =>
    typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  const found = field(field(document, "project") ?? document, "dependencies") ?? [];
  return Array.isArray(found) && found.every((line): line is string => typeof line === "string") ? found : null;
}

function toWish({ name, nodes }: ProgramNeeds, written: string): Wish[] {
  const line = (written.split(/\s--hash[=\s]/, 1)[0] ?? "").replaceAll(/\s+/g, " ").trim();
  if (line === "") return [];
  const problem = /[\n\r#]/.test(line) ? "is not a requirement" : problemOf(line);
  const [, package_ = "", , constraint = "", marker = ""] = requirement.exec(line) ?? [];
  if (problem !== null || package_ === "")
    throw unsupported(name, `${JSON.stringify(line.slice(0, 200))} ${problem ?? "is not a requirement"}`);
  const plain = constraint.replace(/^\((.*)\)$/, "$1").trim();
  return [{ by: name, nodes, package: package_.toLowerCase().replaceAll(/[-_.]+/g, "-"), constraint: plain, marker: marker.trim(), line }];
}

function unsupported(name: string, problem: string, cause?: unknown): AppError {
  return new AppError("dependencies_unsupported", {
    message: `The dependencies of ${name} cannot be installed: ${problem}.`,
    ...(cause !== undefined && { cause }),
  });
}

function requireTogether(name: string, asked: readonly Wish[]): void {
  for (const [index, one] of asked.entries()) {
    const other = asked.slice(index + 1).find((each) => each.marker === one.marker && !canAgree(one.constraint, each.constraint));
    if (other === undefined) continue;
    throw new AppError("dependency_conflict", {
      message: `The programs of the composition need different versions of ${name}: ${describe(one)}, ${describe(other)}.`,
      hint: "Change what one of them asks for, or let another program take its place.",
      details: { package: name, wishes: asked.map(({ by, nodes, constraint }) => ({ by, nodes, constraint })) },
    });
  }
}

const mostNodes = 5;

function describe({ by, constraint, nodes }: Wish): string {
  const shown = nodes.slice(0, mostNodes).join(", ");
  const more = nodes.length > mostNodes ? ` and ${nodes.length - mostNodes} more` : "";
  return `${by} ${constraint} (${nodes.length === 1 ? "node" : "nodes"} ${shown}${more})`;
}
