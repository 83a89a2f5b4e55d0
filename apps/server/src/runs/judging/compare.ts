/** Compares what a program printed with what was expected. Each answers null when they agree, else what differs, in a line. */

const shownCharacters = 80;

/** Byte for byte. */
export function compareExact(expected: Buffer, actual: Buffer): string | null {
  if (expected.equals(actual)) return null;
  const difference = compareLines(linesOf(expected), linesOf(actual));
  return difference ?? `${describeSize(expected, actual)}: line ends or the end of the text differ`;
}

/** Without spaces at the ends of lines, empty lines at the end, and CR before LF. */
export function compareTrimmed(expected: Buffer, actual: Buffer): string | null {
  return compareLines(trimmedLines(expected), trimmedLines(actual));
}

/** Word by word; numbers may differ by `tolerance`, absolutely or in relation to the expected one. */
export function compareTolerant(expected: Buffer, actual: Buffer, tolerance: number): string | null {
  const [wanted, got] = [wordsOf(expected), wordsOf(actual)];
  for (let index = 0; index < Math.max(wanted.length, got.length); index += 1) {
    const [a, b] = [wanted[index], got[index]];
    if (a === undefined || b === undefined) return `${got.length} words instead of ${wanted.length}`;
    if (!agree(a, b, tolerance)) return `word ${index + 1}: ${show(b)} instead of ${show(a)}`;
  }
  return null;
}

function agree(expected: string, actual: string, tolerance: number): boolean {
  if (expected === actual) return true;
  const [a, b] = [toNumber(expected), toNumber(actual)];
  if (a === null || b === null) return false;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
}

/** As programs print numbers: `1e-5`, `+.5`, `inf`, `nan`; null for anything else. */
function toNumber(word: string): number | null {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(word)) return Number(word);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(word);
  if (special === null) return null;
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function compareLines(expected: readonly string[], actual: readonly string[]): string | null {
  for (let index = 0; index < Math.max(expected.length, actual.length); index += 1) {
    const [wanted, got] = [expected[index], actual[index]];
    if (wanted === got) continue;
    if (got === undefined) return `line ${index + 1} is missing: ${show(wanted ?? "")}`;
    if (wanted === undefined) return `line ${index + 1} is too many: ${show(got)}`;
    return `line ${index + 1}: ${show(got)} instead of ${show(wanted)}`;
  }
  return null;
}

/** Latin-1 keeps bytes apart that are not text. */
function linesOf(bytes: Buffer): string[] {
  return bytes.toString("latin1").split("\n");
}

function trimmedLines(bytes: Buffer): string[] {
  const lines = linesOf(bytes).map((line) => line.replace(/[ \t\r]+$/, ""));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function wordsOf(bytes: Buffer): string[] {
  return bytes
    .toString("latin1")
    .split(/[ \t\r\n\v\f]+/)
    .filter((word) => word !== "");
}

function show(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString();
  return JSON.stringify(text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text);
}

function describeSize(expected: Buffer, actual: Buffer): string {
  return `${actual.length} bytes instead of ${expected.length}`;
}
