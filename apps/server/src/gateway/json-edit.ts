import { endOfString } from "./json-scan.ts";

/** A member of the outermost object of a JSON text: its key, and where its value stands. */
interface Member {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Sets members of the outermost object, and leaves every other character of the text as it is: numbers keep their digits, keys their order.
 * `text` has to be a JSON object.
 */
export function setMembers(text: string, changes: Readonly<Record<string, unknown>>): string {
  const members = readMembers(text);
  const open = text.indexOf("{") + 1;
  const edits: { from: number; to: number; text: string }[] = [];
  for (const [key, value] of Object.entries(changes)) {
    const found = members.filter((member) => member.key === key);
    const written = JSON.stringify(value);
    for (const { from, to } of found) edits.push({ from, to, text: written });
    if (found.length === 0)
      edits.push({ from: open, to: open, text: `${JSON.stringify(key)}:${written}${members.length === 0 ? "" : ","}` });
  }
  let result = text;
  // From the end, so that places in front stay where they are. Those at the same place: in the order given.
  for (const edit of edits.toSorted((a, b) => b.from - a.from)) result = result.slice(0, edit.from) + edit.text + result.slice(edit.to);
  return result;
}

function readMembers(text: string): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const from = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const to = endOfValue(text, from);
    members.push({ key, from, to });
    const next = skipSpace(text, to);
    at = text[next] === "," ? skipSpace(text, next + 1) : text.length;
  }
  return members;
}

function skipSpace(text: string, at: number): number {
  while (" \t\r\n".includes(text[at] ?? "x")) at += 1;
  return at;
}

function endOfValue(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') {
      index = endOfString(text, index) - 1;
      if (depth === 0) return index + 1;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (character === "," || " \t\r\n".includes(character ?? ""))) return index;
  }
  return text.length;
}
