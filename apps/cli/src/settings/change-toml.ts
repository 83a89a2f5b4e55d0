import { isDeepStrictEqual } from "node:util";
import { stringify } from "smol-toml";

type Table = Readonly<Record<string, unknown>>;

/** A table of a document: its header with the lines below it. */
interface Section {
  /** The words of its header, as written: `profiles.work`; empty for what stands above the first one. */
  readonly header: string;
  readonly lines: readonly string[];
}

/**
 * A TOML text with other values, by replacing only the lines of what is another: comments and order stay. It knows the shapes that we
 * write ourselves (a value at the top, `[table]`, `[table.name]`); whether the result means what it should is for the caller to check.
 */
export function changeToml(text: string, before: Table, after: Table): string {
  let sections: readonly Section[] = split(text);
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    sections =
      isTable(before[key]) || isTable(after[key])
        ? changeTable(sections, [key], before[key], after[key])
        : changeValue(sections, "", key, after[key]);
  }
  return sections.flatMap(({ lines }) => lines).join("\n");
}

function changeTable(sections: readonly Section[], path: readonly string[], before: unknown, after: unknown): readonly Section[] {
  const [old, fresh] = [isTable(before) ? before : {}, isTable(after) ? after : {}];
  let changed = sections;
  for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const [was, is] = [old[key], fresh[key]];
    if (isDeepStrictEqual(was, is)) continue;
    const place = [...path, key];
    if (isTable(is) && !isTable(was)) changed = [...closed(changed), section(place, is)];
    else if (isTable(was) && is === undefined) changed = changed.filter(({ header }) => header !== nameOf(place));
    else if (isTable(was)) changed = changeTable(changed, place, was, is);
    else changed = changeValue(changed, nameOf(path), key, is);
  }
  return changed;
}

/** Sets, adds or (undefined) removes the line of one value. */
function changeValue(sections: readonly Section[], header: string, key: string, value: unknown): readonly Section[] {
  const line = value === undefined ? [] : [stringify({ [key]: value }).trim()];
  const known = sections.some((one) => one.header === header);
  if (!known) return line.length === 0 ? sections : [...closed(sections), { header, lines: [`[${header}]`, ...line] }];
  return sections.map((one) => {
    if (one.header !== header) return one;
    const at = one.lines.findIndex((text) => keyOf(text) === key);
    if (at >= 0) return { ...one, lines: [...one.lines.slice(0, at), ...line, ...one.lines.slice(at + 1)] };
    const last = one.lines.findLastIndex((text) => text.trim() !== "") + 1;
    return { ...one, lines: [...one.lines.slice(0, last), ...line, ...one.lines.slice(last)] };
  });
}

function split(text: string): Section[] {
  const sections: { header: string; lines: string[] }[] = [{ header: "", lines: [] }];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const [, header] = /^\s*\[([^[\]]+)\]\s*(#.*)?$/.exec(line) ?? [];
    if (header === undefined) sections.at(-1)?.lines.push(line);
    else sections.push({ header: header.trim(), lines: [line] });
  }
  return sections;
}

/** An empty line before what is added at the end. */
function closed(sections: readonly Section[]): readonly Section[] {
  const last = sections.at(-1);
  return last === undefined || last.lines.at(-1)?.trim() === "" || last.lines.length === 0
    ? sections
    : [...sections.slice(0, -1), { ...last, lines: [...last.lines, ""] }];
}

function section(path: readonly string[], values: Table): Section {
  return { header: nameOf(path), lines: [`[${nameOf(path)}]`, ...stringify(values).trim().split("\n")] };
}

function nameOf(path: readonly string[]): string {
  return path.map(quoteKey).join(".");
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

function keyOf(line: string): string | null {
  const [, bare, quoted] = /^\s*(?:([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*"))\s*=/.exec(line) ?? [];
  if (bare !== undefined) return bare;
  try {
    return quoted === undefined ? null : String(JSON.parse(quoted));
  } catch {
    return null;
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
