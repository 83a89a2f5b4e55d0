import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";

type Format = Parameters<typeof style>[1];

/** A piece of a line with one look. */
export interface Cell {
  readonly text: string;
  readonly format?: Format | undefined;
}

/** How many columns of a terminal a text takes: two for most of East Asia and for emoji, none for what is put upon a letter. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  if (/^[\p{M}\p{Cf}]$/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x1100) return 1;
  const isWide =
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}

/** The beginning of a text that fits; one that does not ends with `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let taken = "";
  let used = 0;
  for (const character of text) {
    const more = widthOfCharacter(character);
    if (used + more > width - 1) break;
    taken += character;
    used += more;
  }
  return width < 1 ? "" : `${taken}…`;
}

/** Harmless text in a column of this width. */
export function column(text: string, width: number, align: "left" | "right" = "left"): string {
  const shown = cut(plainLine(text), width);
  const padding = " ".repeat(Math.max(0, width - widthOf(shown)));
  return align === "right" ? padding + shown : shown + padding;
}

/** One line of a screen: what does not fit is cut off. */
export function renderLine(stream: NodeJS.WriteStream, cells: readonly Cell[], width: number): string {
  let left = width;
  let line = "";
  for (const { text, format } of cells) {
    if (left <= 0) break;
    const shown = cut(text, left);
    left -= widthOf(shown);
    line += format === undefined || shown.trim() === "" ? shown : style(stream, format, shown);
  }
  return line;
}
