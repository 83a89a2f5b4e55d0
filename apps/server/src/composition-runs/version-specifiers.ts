/** Whether wishes for versions of a Python package can be met together. What is not understood is left to whoever installs. */

// https://packaging.python.org/en/latest/specifications/version-specifiers/
const version =
  /^v?(?:(?<epoch>\d{1,9})!)?(?<release>\d{1,15}(?:\.\d{1,15}){0,30})(?:[-_.]?(?<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?<preNumber>\d{0,15}))?(?:[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d{0,15})|-(?<postOnly>\d{1,15}))?(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d{0,15}))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;

/** A version as numbers that are compared one after the other; what is missing in the release is 0. */
interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  readonly rest: readonly number[];
}
interface Bound {
  readonly at: Version;
  readonly isInclusive: boolean;
}
/** One part of a wish. */
interface Clause {
  readonly lower?: Bound;
  readonly upper?: Bound;
  /** Nothing but this version. */
  readonly exact?: Version;
  /** Not this version. */
  readonly not?: Version;
}

const phases: Readonly<Record<string, number>> = { a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3, pre: 3, preview: 3 };

function parseVersion(text: string): Version | null {
  const parts = version.exec(text)?.groups;
  if (parts === undefined) return null;
  const isPost = parts["post"] !== undefined || parts["postOnly"] !== undefined;
  const isDev = parts["dev"] !== undefined;
  const pre = parts["pre"]?.toLowerCase();
  // A development version alone comes before all that is to be its release; a release behind its candidates.
  const phase = pre !== undefined ? (phases[pre] ?? 3) : isDev && !isPost ? 0 : 4;
  const number = (digits: string | undefined) => Number(digits ?? 0) || 0;
  return {
    epoch: number(parts["epoch"]),
    release: (parts["release"] ?? "0").split(".").map(Number),
    rest: [
      phase,
      number(parts["preNumber"]),
      isPost ? number(parts["postNumber"] ?? parts["postOnly"]) : -1,
      isDev ? number(parts["devNumber"]) : Number.MAX_SAFE_INTEGER,
    ],
  };
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compare(a: Version, b: Version): number {
  return a.epoch - b.epoch || compareNumbers(a.release, b.release) || compareNumbers(a.rest, b.rest);
}

/** All versions that begin with the same numbers: from the first development version on. */
function prefix({ epoch, release }: Version, length: number): Clause {
  const head = Array.from({ length }, (_, index) => release[index] ?? 0);
  const next = head.with(length - 1, (head[length - 1] ?? 0) + 1);
  const first = [0, 0, -1, 0];
  return {
    lower: { at: { epoch, release: head, rest: first }, isInclusive: true },
    upper: { at: { epoch, release: next, rest: first }, isInclusive: false },
  };
}

/** The parts of a wish; null when one is not understood. */
function parseClauses(constraint: string): Clause[] | null {
  const clauses: Clause[] = [];
  for (const part of constraint.split(",")) {
    const text = part.trim();
    if (text === "") continue;
    const [, operator = "", written = ""] = /^(===|==|!=|~=|<=|>=|<|>)\s*(\S+)$/.exec(text) ?? [];
    const isPrefix = written.endsWith(".*");
    const at = parseVersion(isPrefix ? written.slice(0, -2) : written);
    if (at === null || (isPrefix && operator !== "==" && operator !== "!=")) return null;
    const { length } = at.release;
    switch (operator) {
      case "==":
      case "===":
        clauses.push(isPrefix ? prefix(at, length) : { exact: at });
        break;
      case "!=":
        clauses.push(isPrefix ? {} : { not: at });
        break;
      case "~=":
        if (length < 2) return null;
        clauses.push(prefix(at, length - 1), { lower: { at, isInclusive: true } });
        break;
      case ">=":
      case ">":
        clauses.push({ lower: { at, isInclusive: operator === ">=" } });
        break;
      default:
        clauses.push({ upper: { at, isInclusive: operator === "<=" } });
    }
  }
  return clauses;
}

function isAbove(at: Version, bound: Bound): boolean {
  const order = compare(at, bound.at);
  return order > 0 || (order === 0 && bound.isInclusive);
}
function isBelow(at: Version, bound: Bound): boolean {
  const order = compare(at, bound.at);
  return order < 0 || (order === 0 && bound.isInclusive);
}

function lets({ lower, upper, exact, not }: Clause, at: Version): boolean {
  if (exact !== undefined && compare(exact, at) !== 0) return false;
  if (not !== undefined && compare(not, at) === 0) return false;
  return (lower === undefined || isAbove(at, lower)) && (upper === undefined || isBelow(at, upper));
}

/** Whether there can be a version that two wishes agree on, as far as they are understood: `>=2,<3`, `==1.4.*`, `~=1.4`. */
export function canAgree(one: string, other: string): boolean {
  const [first, second] = [parseClauses(one), parseClauses(other)];
  if (first === null || second === null) return true;
  const clauses = [...first, ...second];
  for (const { exact } of clauses) if (exact !== undefined) return clauses.every((clause) => lets(clause, exact));
  return clauses.every(({ lower }) =>
    clauses.every(({ upper }) => {
      if (lower === undefined || upper === undefined) return true;
      const order = compare(lower.at, upper.at);
      return order < 0 || (order === 0 && lower.isInclusive && upper.isInclusive);
    }),
  );
}
