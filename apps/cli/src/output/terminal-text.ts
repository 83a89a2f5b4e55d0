/**
 * Programs that people do not trust print to people's terminals, and terminals obey escape sequences: they retitle windows,
 * write to the clipboard, answer queries as if typed, hide text. Of all of them only colours (SGR) are let through.
 * Source: ECMA-48, and the control sequences that xterm documents.
 */

type State = "text" | "escape" | "intermediate" | "csi" | "string" | "string-escape";

const newline = 0x0a;
const tab = 0x09;
const carriageReturn = 0x0d;
const escape = 0x1b;
const bell = 0x07;
const colourParameters = /^[0-9;:]{0,64}$/;

/** A filter for one stream: text in pieces in, harmless text out. */
export interface TerminalFilter {
  push(text: string): string;
  /** What puts the terminal's colours back, if any were changed. */
  end(): string;
}

/** Makes a filter that keeps text, line ends, tabs and colours. It remembers a sequence that is cut in two. */
export function createTerminalFilter(): TerminalFilter {
  let state: State = "text";
  let parameters = "";
  let coloured = false;

  function step(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    switch (state) {
      case "text":
        if (code === escape) state = "escape";
        else if (code === 0x9b) startCsi();
        else if (isStringStart(code - 0x40)) state = "string";
        return isPlain(code) ? character : "";
      case "escape":
        return afterEscape(code);
      case "intermediate":
        if (code < 0x20 || code > 0x2f) state = "text";
        return "";
      case "csi":
        return inCsi(character, code);
      case "string":
        if (code === bell || code === 0x9c) state = "text";
        if (code === escape) state = "string-escape";
        return "";
      case "string-escape":
        state = code === escape ? "string-escape" : code === 0x5c ? "text" : "string";
        return "";
    }
  }

  function startCsi(): void {
    state = "csi";
    parameters = "";
  }

  function afterEscape(code: number): string {
    if (code === escape) return "";
    if (code === 0x5b) startCsi();
    else if (isStringStart(code)) state = "string";
    else state = code >= 0x20 && code <= 0x2f ? "intermediate" : "text";
    return "";
  }

  function inCsi(character: string, code: number): string {
    if (code === escape) {
      state = "escape";
      return "";
    }
    if (code < 0x40 || code > 0x7e) {
      // a sequence that never ends would swallow all that follows it
      if (code < 0x20 || code > 0x7e || parameters.length > 256) state = "text";
      parameters += character;
      return code === newline ? character : "";
    }
    state = "text";
    if (character !== "m" || !colourParameters.test(parameters)) return "";
    coloured = true;
    return `\x1b[${parameters}m`;
  }

  return {
    push: (text) => Array.from(text, step).join(""),
    end: () => (coloured ? "\x1b[0m" : ""),
  };
}

/** ESC P, X, ], ^ and _ open strings that run to a terminator. Their C1 forms are 0x40 higher. */
function isStringStart(code: number): boolean {
  return code === 0x50 || code === 0x58 || code === 0x5d || code === 0x5e || code === 0x5f;
}

function isPlain(code: number): boolean {
  if (code < 0x20) return code === newline || code === tab || code === carriageReturn;
  return code !== 0x7f && !(code >= 0x80 && code <= 0x9f) && !isBidiOverride(code);
}

/** Characters that make text read in another order than it is written. */
function isBidiOverride(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/** One line of harmless text, for table cells and messages that quote what came from elsewhere. */
export function plainLine(text: string): string {
  const filter = createTerminalFilter();
  return filter
    .push(text)
    .replaceAll(/\x1b\[[0-9;:]*m/g, "")
    .replaceAll(/[\n\t\r]+/g, " ");
}

/** Lines of somebody else's, for a terminal. */
export function plainText(text: string): string {
  const filter = createTerminalFilter();
  return filter.push(text) + filter.end();
}
