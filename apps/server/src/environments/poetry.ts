import type { FieldProblem } from "@syla/contracts/errors";
import { parse } from "smol-toml";

/** What a project of Poetry needs, as a requirements file says it. */
export interface PoetryRequirements {
  readonly requirements: readonly string[];
  readonly problems: readonly FieldProblem[];
}

type Table = Readonly<Record<string, unknown>>;
/** One comparison: what a version specifier of PEP 440 has. */
interface Comparison {
  readonly operator: string;
  readonly version: string;
}

const name = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,212}[A-Za-z0-9])?$/;
const marker = /^[\w '"()<>=!~.,*+-]{1,2000}$/;
const maxConstraint = 500;
const separator = String.raw`[-_.]?`;
/** A version of PEP 440, with the numbers of its release. */
const version = String.raw`v?(?<epoch>\d{1,6}!)?(?<release>\d{1,9}(?:\.\d{1,9}){0,9})(?:${separator}(?:a|b|c|rc|alpha|beta|pre|preview)${separator}\d{0,9})?(?:-\d{1,9}|${separator}(?:post|rev|r)${separator}\d{0,9})?(?:${separator}dev${separator}\d{0,9})?(?:\+[a-z0-9]{1,50}(?:[-_.][a-z0-9]{1,50}){0,9})?`;
const ranged = new RegExp(`^(?<operator>\\^|~)(?<version>${version})$`, "i");
const compared = new RegExp(`^(?<operator>~=|===?|!=|<>|<=|>=|=|<|>)?(?<version>${version})$`, "i");
const wildcard = /^(?<operator>==?|!=)?v?(?<release>(?:\d{1,6}!)?\d{1,9}(?:\.\d{1,9}){0,9})(?:\.[*x])+$/i;
/** What each part of the table means that leads elsewhere than to the index. */
const elsewhere: Readonly<Record<string, string>> = {
  git: "is an address; only packages of the index can be installed",
  url: "is an address; only packages of the index can be installed",
  path: "is a path; only packages of the index can be installed",
  file: "is a path; only packages of the index can be installed",
  source: "names an index of its own; packages come from the one that this server is set up with",
};

/**
 * The main group of a pyproject.toml that Poetry wrote; null where it is not Poetry's to say, or cannot be read. `python` is not among them, nor
 * is what is optional, nor other groups.
 *
 * Source: https://python-poetry.org/docs/dependency-specification/
 */
export function readPoetry(file: string, text: string): PoetryRequirements | null {
  if (!text.includes("poetry")) return null;
  let document: Table;
  try {
    document = parse(text);
  } catch {
    return null; // the build says where
  }
  const project = tableOf(document["project"]);
  const poetry = tableOf(tableOf(document["tool"])?.["poetry"]);
  const isDynamic = Array.isArray(project?.["dynamic"]) && project["dynamic"].includes("dependencies");
  if (poetry === undefined || (project?.["dependencies"] !== undefined && !isDynamic)) return null;
  const found = { requirements: [] as string[], problems: [] as FieldProblem[] };
  const main = tableOf(tableOf(poetry["group"])?.["main"])?.["dependencies"];
  for (const [table, wanted] of [
    ["tool.poetry.dependencies", poetry["dependencies"]],
    ["tool.poetry.group.main.dependencies", main],
  ] as const) {
    if (wanted === undefined) continue;
    const entries = tableOf(wanted);
    if (entries === undefined) found.problems.push({ path: `${file} ${table}`, message: "is not a table" });
    for (const [key, value] of Object.entries(entries ?? {})) {
      if (key.toLowerCase() === "python") continue;
      for (const one of Array.isArray(value) ? value : [value]) {
        const { line, problem } = requirementOf(key, one);
        if (problem !== undefined) found.problems.push({ path: `${file} ${table}.${key.slice(0, 100)}`, message: problem });
        else if (line !== undefined) found.requirements.push(line);
      }
    }
  }
  return found;
}

/** Neither: it is optional. */
function requirementOf(key: string, value: unknown): { line?: string; problem?: string } {
  if (!name.test(key)) return { problem: "is not the name of a package" };
  const facts: Table | undefined = typeof value === "string" ? { version: value } : tableOf(value);
  if (facts === undefined) return { problem: "is neither a version nor a table" };
  const { version: wanted = "*", extras = [], markers, python, platform, optional } = facts;
  if (optional === true) return {};
  const place = Object.keys(elsewhere).find((one) => facts[one] !== undefined);
  if (place !== undefined) return { problem: elsewhere[place] ?? "" };
  const alternatives = readConstraint(wanted);
  if (alternatives === null) return { problem: "has a version that cannot be read" };
  if (alternatives.length > 1) return { problem: "joins versions by ||, which no requirement can; name one range" };
  if (!Array.isArray(extras) || !extras.every((one) => typeof one === "string" && name.test(one)))
    return { problem: "has extras that are not a list of names" };
  const specifiers = (alternatives[0] ?? []).map((one) => one.operator + one.version);
  // Any version is one of these: what allows pre-releases is that it names one.
  if (facts["allow-prereleases"] === true) specifiers.push(">=0.dev0");
  const conditions: string[] = [];
  if (python !== undefined) {
    const versions = readConstraint(python);
    if (versions === null) return { problem: "has a version of Python that cannot be read" };
    const condition = pythonMarker(versions);
    if (condition !== null) conditions.push(condition);
  }
  if (platform !== undefined) {
    if (typeof platform !== "string" || !/^\w{1,50}$/.test(platform)) return { problem: "has a platform that cannot be read" };
    conditions.push(`sys_platform == "${platform}"`);
  }
  if (markers !== undefined) {
    const condition = typeof markers === "string" ? markers.replaceAll(/\s+/g, " ").trim() : "";
    if (!marker.test(condition) || condition.includes("--")) return { problem: "has markers that cannot be read" };
    conditions.push(condition);
  }
  const together = conditions.length > 1 ? conditions.map((one) => `(${one})`) : conditions;
  const suffix = together.length === 0 ? "" : ` ; ${together.join(" and ")}`;
  return { line: `${key}${extras.length === 0 ? "" : `[${extras.join(",")}]`}${specifiers.join(",")}${suffix}` };
}

/** What Poetry's text asks for: one of these, and of that each. Null: it is no constraint. An empty one fits every version. */
function readConstraint(text: unknown): Comparison[][] | null {
  if (typeof text !== "string" || text.length > maxConstraint) return null;
  const alternatives: Comparison[][] = [];
  for (const part of text.split(/\|\|?/)) {
    const terms = part
      .trim()
      .replaceAll(/([\^~=<>!])\s+/g, "$1")
      .split(/\s*,\s*|\s+/)
      .filter((term) => term !== "");
    if (terms.length === 0) return null;
    const comparisons = terms.map(readTerm);
    if (comparisons.includes(null)) return null;
    alternatives.push(comparisons.flatMap((one) => one ?? []));
  }
  return alternatives.some((one) => one.length === 0) ? [[]] : alternatives;
}

function readTerm(term: string): Comparison[] | null {
  if (/^[*x](?:\.[*x])*$/i.test(term)) return [];
  const any = wildcard.exec(term)?.groups;
  if (any !== undefined) return [{ operator: any["operator"] === "!=" ? "!=" : "==", version: `${any["release"]}.*` }];
  const range = ranged.exec(term)?.groups;
  if (range !== undefined) {
    const numbers = (range["release"] ?? "").split(".").map(Number);
    const at = range["operator"] === "^" ? firstThatCounts(numbers) : Math.min(1, numbers.length - 1);
    // As long as it was written, of three numbers at most.
    const end = numbers.slice(0, 3).map((number, index) => (index < at ? number : index === at ? number + 1 : 0));
    return [
      { operator: ">=", version: plain(range["version"]) },
      { operator: "<", version: `${range["epoch"] ?? ""}${end.join(".")}` },
    ];
  }
  const one = compared.exec(term)?.groups;
  if (one === undefined) return null;
  const { operator = "==", release = "" } = one;
  if (operator === "~=" && !release.includes(".")) return null;
  return [{ operator: operator === "=" ? "==" : operator === "<>" ? "!=" : operator, version: plain(one["version"]) }];
}

/** Which number a caret raises: the leftmost that is not 0, or the last that is written, up to the third. */
function firstThatCounts(numbers: readonly number[]): number {
  const first = numbers.findIndex((number) => number > 0);
  return first === -1 ? Math.min(2, numbers.length - 1) : Math.min(2, first);
}

function plain(text = ""): string {
  return text.replace(/^v/i, "");
}

/** When it is one of these versions of Python: of two numbers, whatever the third is. */
function pythonMarker(alternatives: readonly (readonly Comparison[])[]): string | null {
  const parts = alternatives.map((comparisons) => {
    const terms = comparisons.map((one) => {
      const isMinor = /^\d+(?:\.\d+)?$/.test(one.version) && one.operator !== "~=";
      return `${isMinor ? "python_version" : "python_full_version"} ${one.operator} "${one.version}"`;
    });
    return terms.join(" and ");
  });
  if (parts.includes("")) return null;
  return parts.length > 1 ? parts.map((part) => `(${part})`).join(" or ") : (parts[0] ?? null);
}

function tableOf(value: unknown): Table | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date) ? (value as Table) : undefined;
}
