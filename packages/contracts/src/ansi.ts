/**
 * SGR colours of a log line (ECMA-48 §8.3.117, xterm's 256 and true colours) turned into plain data that React renders as text.
 * Every other control sequence is dropped: a log can neither move the cursor nor write markup.
 */

/** How a piece of text looks. Colours are `0`-`15` of the palette, or `#rrggbb`. */
export interface AnsiStyle {
  readonly color: string | null;
  readonly background: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
}

/** A run of characters with one look. */
export interface AnsiSegment {
  readonly text: string;
  readonly style: AnsiStyle;
}

/** The look before any sequence. */
export const plainStyle: AnsiStyle = {
  color: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
};

// CSI …, OSC … (BEL or ST), two-byte escapes, and C0 controls other than tab, backspace and carriage return.
const controls =
  /\u001b\[([0-9:;<=>?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0007\u000a-\u000c\u000e-\u001f\u007f]/g;

/** Applies one SGR parameter list. */
export function applySgr(style: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters === "" ? [0] : parameters.split(/[;:]/).map(Number);
  let next = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const [color, used] = extendedColor(codes, index + 1);
      next = code === 38 ? { ...next, color } : { ...next, background: color };
      index += used;
    } else {
      next = applyCode(next, code);
    }
  }
  return next;
}

const switches: Readonly<Record<number, Partial<AnsiStyle>>> = {
  0: plainStyle,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { color: null },
  49: { background: null },
};

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  const change = switches[code];
  if (change) return { ...style, ...change };
  if (code >= 30 && code <= 37) return { ...style, color: String(code - 30) };
  if (code >= 90 && code <= 97) return { ...style, color: String(code - 82) };
  if (code >= 40 && code <= 47) return { ...style, background: String(code - 40) };
  if (code >= 100 && code <= 107) return { ...style, background: String(code - 92) };
  return style;
}

function extendedColor(codes: readonly number[], at: number): readonly [string | null, number] {
  if (codes[at] === 5) return [paletteColor(codes[at + 1] ?? 0), 2];
  if (codes[at] !== 2) return [null, 0];
  const channels = [codes[at + 1], codes[at + 2], codes[at + 3]].map((value) => Math.min(255, Math.max(0, value ?? 0)));
  return [hexColor(channels), 4];
}

function hexColor(channels: readonly number[]): string {
  return `#${channels
    .map((value) =>
      Math.trunc(value || 0)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

function paletteColor(index: number): string {
  if (!(index >= 0 && index <= 255)) return "7";
  if (index < 16) return String(index);
  if (index >= 232) return hexColor(Array.from({ length: 3 }, () => (index - 232) * 10 + 8));
  const level = (value: number) => (value === 0 ? 0 : value * 40 + 55);
  const cube = index - 16;
  return hexColor([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

/** The text without any control sequence, as a terminal would leave it on the line. */
export function stripAnsi(raw: string): string {
  if (!needsParsing(raw)) return raw;
  return parseAnsi(raw, plainStyle)
    .segments.map((segment) => segment.text)
    .join("");
}

/** Whether a line holds anything but plain text. */
export function needsParsing(raw: string): boolean {
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(raw);
}

/** The look after a line, without building its segments. */
export function styleAfter(raw: string, style: AnsiStyle): AnsiStyle {
  if (!raw.includes("\u001b")) return style;
  let next = style;
  for (const match of raw.matchAll(controls)) if (match[2] === "m") next = applySgr(next, match[1] ?? "");
  return next;
}

/** Splits a line into segments. A carriage return or a backspace moves back, and what follows overwrites, as progress bars expect. */
export function parseAnsi(raw: string, before: AnsiStyle): { readonly segments: readonly AnsiSegment[]; readonly after: AnsiStyle } {
  const overwrites = /[\r\b]/.test(raw);
  const sink = overwrites ? createCells() : createSegments();
  let style = before;
  let from = 0;
  for (const match of raw.matchAll(controls)) {
    sink.write(raw.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[2] === "m") style = applySgr(style, match[1] ?? "");
    else if (match[2] === "K") sink.erase(match[1] ?? "");
  }
  sink.write(raw.slice(from), style);
  return { segments: sink.read(), after: style };
}

interface Sink {
  write(text: string, style: AnsiStyle): void;
  erase(mode: string): void;
  read(): readonly AnsiSegment[];
}

function createSegments(): Sink {
  const segments: AnsiSegment[] = [];
  return {
    write: (text, style) => void (text && segments.push({ text, style })),
    erase: () => {},
    read: () => segments,
  };
}

function createCells(): Sink {
  const cells: { text: string; style: AnsiStyle }[] = [];
  let column = 0;
  return {
    write(text, style) {
      for (const char of text) {
        if (char === "\r") column = 0;
        else if (char === "\b") column = Math.max(0, column - 1);
        else cells[column++] = { text: char, style };
      }
    },
    erase(mode) {
      if (mode === "" || mode === "0") cells.length = Math.min(cells.length, column);
      else for (let index = 0; index < (mode === "2" ? cells.length : column); index += 1) cells[index] = { text: " ", style: plainStyle };
    },
    read: () => joinCells(cells),
  };
}

function joinCells(cells: readonly ({ text: string; style: AnsiStyle } | undefined)[]): readonly AnsiSegment[] {
  const segments: { text: string; style: AnsiStyle }[] = [];
  for (let index = 0; index < cells.length; index += 1) {
    const cell = cells[index] ?? { text: " ", style: plainStyle };
    const last = segments.at(-1);
    if (last && last.style === cell.style) last.text += cell.text;
    else segments.push({ ...cell });
  }
  return segments;
}
