import { badBody } from "./protocol-error.ts";

/** Objects and lists within each other; some readers follow no further, and ours need not. */
const deepest = 200;
/** Members of one object. */
const mostMembers = 10_000;
/** From so many members on, their keys are looked up in a set. */
const manyMembers = 16;

/** One object that is open. */
interface OpenObject {
  /** Where its keys begin among all. */
  readonly from: number;
  /** Its keys, where they are many. */
  known: Set<string> | null;
}

/**
 * Looks through a JSON text once for what one reader takes for this and another for that: a key that stands twice in an object, and things
 * nested so deep that some give up. A text that is no JSON may pass: who parses it says so. Quick for tens of megabytes.
 * @throws AppError `invalid_request`
 */
export function requireOneReading(text: string): void {
  const keys: string[] = [];
  const open: (OpenObject | null)[] = [];
  /** The innermost that is open, if that is an object. */
  let object: OpenObject | null = null;
  let isKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Digits, letters, spaces.
    if (code < 0x22 || (code > 0x2c && code < 0x5b)) continue;
    if (code === 0x22) {
      const end = endOfString(text, at);
      if (isKey && object !== null) addKey(keys, object, keyOf(text.slice(at, end)));
      isKey = false;
      at = end - 1;
    } else if (code === 0x2c) isKey = object !== null;
    else if (code === 0x7b || code === 0x5b) {
      if (open.length >= deepest) throw badBody("", `must not be nested deeper than ${deepest} times`);
      object = code === 0x7b ? { from: keys.length, known: null } : null;
      open.push(object);
      isKey = object !== null;
    } else if (code === 0x7d || code === 0x5d) {
      if (object !== null) keys.length = object.from;
      open.pop();
      object = open.at(-1) ?? null;
      isKey = false;
    }
  }
}

function addKey(keys: string[], object: OpenObject, key: string): void {
  const count = keys.length - object.from;
  if (count >= mostMembers) throw badBody("", `must not have more than ${mostMembers} members in one object`);
  if (count === manyMembers) object.known = new Set(keys.slice(object.from));
  if (object.known?.has(key) ?? keys.includes(key, object.from)) throw badBody(key.slice(0, 100), "stands there twice");
  object.known?.add(key);
  keys.push(key);
}

/** A key as parsers read it: it may be written with escapes. */
function keyOf(written: string): string {
  if (!written.includes("\\")) return written.slice(1, -1);
  try {
    return JSON.parse(written) as string;
  } catch {
    return written;
  }
}

/** Behind the string that begins at a place. */
export function endOfString(text: string, at: number): number {
  for (let from = at + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c && quote - 1 - slashes > at) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
