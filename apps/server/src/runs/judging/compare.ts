import { setImmediate as yieldToOthers } from "node:timers/promises";

/**
 * Compares what a program printed with what was expected. Each answers null when they agree, else what differs, in a line. Outputs are large
 * and hostile: all of it takes linear time, and lets others go on in between.
 */

const shownBytes = 80;
/** Longer words are no numbers. */
const numberBytes = 64;
const partsAtOnce = 50_000;

const newline = 0x0a;
const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d;
const isSpace = (byte: number | undefined): boolean => isBlank(byte) || byte === newline || byte === 0x0b || byte === 0x0c;

/** Byte for byte. */
export async function compareExact(expected: Buffer, actual: Buffer): Promise<string | null> {
  if (expected.equals(actual)) return null;
  const difference = await compareParts(linesOf(expected), linesOf(actual), equal, "line");
  return difference ?? `${actual.length} bytes instead of ${expected.length}`;
}

/** Without spaces at the ends of lines, empty lines at the end, and CR before LF. */
export async function compareTrimmed(expected: Buffer, actual: Buffer): Promise<string | null> {
  return await compareParts(linesOf(trimEnd(expected, isSpace), isBlank), linesOf(trimEnd(actual, isSpace), isBlank), equal, "line");
}

/** Word by word; numbers may differ by `tolerance`, absolutely or in relation to the expected one. */
export async function compareTolerant(expected: Buffer, actual: Buffer, tolerance: number): Promise<string | null> {
  return await compareParts(wordsOf(expected), wordsOf(actual), (a, b) => agree(a, b, tolerance), "word");
}

type Same = (expected: Buffer, actual: Buffer) => boolean;

async function compareParts(
  expected: Iterator<Buffer>,
  actual: Iterator<Buffer>,
  same: Same,
  what: "line" | "word",
): Promise<string | null> {
  for (let number = 1; ; number += 1) {
    const [wanted, got] = [expected.next(), actual.next()];
    if (wanted.done === true && got.done === true) return null;
    if (got.done === true) return `${what} ${number} is missing: ${show(wanted.value as Buffer)}`;
    if (wanted.done === true) return `${what} ${number} is too many: ${show(got.value)}`;
    if (!same(wanted.value, got.value)) return `${what} ${number}: ${show(got.value)} instead of ${show(wanted.value)}`;
    if (number % partsAtOnce === 0) await yieldToOthers();
  }
}

function equal(expected: Buffer, actual: Buffer): boolean {
  return expected.equals(actual);
}

function agree(expected: Buffer, actual: Buffer, tolerance: number): boolean {
  if (expected.equals(actual)) return true;
  const [a, b] = [toNumber(expected), toNumber(actual)];
  if (a === null || b === null) return false;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
}

/** As programs print numbers: `1e-5`, `+.5`, `inf`, `nan`; null for anything else. */
function toNumber(word: Buffer): number | null {
  if (word.length > numberBytes) return null;
  const text = word.toString("latin1");
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text);
  if (special === null) return null;
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The lines of a text, without what is trimmed from their ends. One that ends in a newline has an empty last line. */
function* linesOf(bytes: Buffer, trimmed: (byte: number | undefined) => boolean = () => false): Generator<Buffer, void, void> {
  for (let start = 0; start <= bytes.length;) {
    const found = bytes.indexOf(newline, start);
    const end = found === -1 ? bytes.length : found;
    yield trimEnd(bytes.subarray(start, end), trimmed);
    start = end + 1;
  }
}

function* wordsOf(bytes: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at < bytes.length;) {
    while (at < bytes.length && isSpace(bytes[at])) at += 1;
    const start = at;
    while (at < bytes.length && !isSpace(bytes[at])) at += 1;
    if (at > start) yield bytes.subarray(start, at);
  }
}

function trimEnd(bytes: Buffer, trimmed: (byte: number | undefined) => boolean): Buffer {
  let end = bytes.length;
  while (end > 0 && trimmed(bytes[end - 1])) end -= 1;
  return bytes.subarray(0, end);
}

function show(part: Buffer): string {
  return JSON.stringify(part.length > shownBytes ? `${part.subarray(0, shownBytes).toString()}…` : part.toString());
}
