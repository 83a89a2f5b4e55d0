/** A release of Python: its numbers. */
type Release = readonly number[];

const term = /(\^|~=|~|===?|!=|<=|>=|<|>)? ?v?(\d{1,4}(?:\.\d{1,4}){0,3})(\.\*)?/g;
const whole = new RegExp(`^${term.source}(?:(?: ?, ?| )${term.source})*$`);

/**
 * Which of these versions is one that all constraints ask for, the first of them; null when none is. A constraint is as manifests write it:
 * PEP 440 (`>=3.10,<3.13`), Poetry's `^3.9`, `~3.9` and `3.9 || 3.11`. One that cannot be read refuses nothing. Of `==3.12` any 3.12 is one,
 * as `.python-version` means it. Where no version is exactly that, one of its minor version will do.
 *
 * Source: https://packaging.python.org/en/latest/specifications/version-specifiers/
 */
export function pickPython(versions: readonly string[], constraints: readonly string[]): string | null {
  const fits = (version: string, isStrict: boolean) => constraints.every((one) => isOneOf(version, one, isStrict));
  return versions.find((version) => fits(version, true)) ?? versions.find((version) => fits(version, false)) ?? null;
}

function isOneOf(version: string, constraint: string, isStrict: boolean): boolean {
  const numbers = /^\d+(?:\.\d+)*/.exec(version)?.[0];
  if (numbers === undefined) return false;
  const release = numbers.split(".").map(Number);
  const parts = constraint.split("||").map((part) => part.trim().replaceAll(/\s+/g, " "));
  return parts.some((part) => {
    if (!whole.test(part)) return true;
    return [...part.matchAll(term)].every(([, operator = "==", text = ""]) =>
      holds(release, operator, text.split(".").map(Number), isStrict),
    );
  });
}

function holds(release: Release, operator: string, wanted: Release, isStrict: boolean): boolean {
  const order = compare(release, wanted);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0 || (!isStrict && begins(release, wanted));
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "!=":
      return !begins(release, wanted);
    case "^":
      return order >= 0 && begins(release, wanted.slice(0, 1));
    case "~":
      return order >= 0 && begins(release, wanted.slice(0, 2));
    case "~=":
      return order >= 0 && begins(release, wanted.slice(0, -1));
    default:
      return begins(release, isStrict ? wanted : wanted.slice(0, 2));
  }
}

/** What is missing at the end is 0. */
function compare(one: Release, other: Release): number {
  const length = Math.max(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function begins(release: Release, wanted: Release): boolean {
  return wanted.every((number, index) => release[index] === number);
}
