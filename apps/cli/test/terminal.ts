import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { cliEntry } from "./run-cli.ts";

/** What a terminal shows, as far as the monitor uses it: places, clearing, the alternate screen. */
class Display {
  #rows = new Map<number, string>();
  #row = 1;
  #column = 1;
  isAlternate = false;
  isCursorShown = true;
  hasColours = false;
  /** How often all of it was cleared. */
  clears = 0;

  take(text: string): void {
    for (const [piece] of text.matchAll(/\x1b\[[0-9;?]*[ -/]*[@-~]|[\s\S]/gu)) this.#step(piece);
  }

  #step(piece: string): void {
    if (!piece.startsWith("\x1b")) return this.#print(piece);
    const place = /^\x1b\[(\d+);(\d+)H$/.exec(piece);
    if (place) [this.#row, this.#column] = [Number(place[1]), Number(place[2])];
    else if (piece === "\x1b[2J") {
      this.#rows.clear();
      this.clears += 1;
    } else if (piece === "\x1b[K") this.#rows.set(this.#row, this.#before());
    else if (piece === "\x1b[?1049h" || piece === "\x1b[?1049l") this.isAlternate = piece.endsWith("h");
    else if (piece === "\x1b[?25h" || piece === "\x1b[?25l") this.isCursorShown = piece.endsWith("h");
    else if (/^\x1b\[(?!0?m$)[0-9;]+m$/.test(piece)) this.hasColours = true;
  }

  #before(): string {
    return Array.from(this.#rows.get(this.#row) ?? "")
      .slice(0, this.#column - 1)
      .join("");
  }

  #print(character: string): void {
    if (character === "\r") this.#column = 1;
    else if (character === "\n") this.#row += 1;
    else {
      const line = Array.from((this.#rows.get(this.#row) ?? "").padEnd(this.#column - 1));
      line[this.#column - 1] = character;
      this.#rows.set(this.#row, line.join(""));
      this.#column += 1;
    }
  }

  get lines(): readonly string[] {
    const last = Math.max(0, ...this.#rows.keys());
    return Array.from({ length: last }, (_, index) => (this.#rows.get(index + 1) ?? "").trimEnd());
  }
}

/** A command of the CLI on a terminal. */
export interface TerminalRun {
  readonly display: Display;
  /** All that was written, as it came. */
  readonly written: () => string;
  readonly lines: () => readonly string[];
  readonly text: () => string;
  readonly press: (keys: string) => void;
  readonly resize: (rows: number, columns: number) => void;
  readonly signal: (number: number) => void;
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;
}

/** Runs a command on a terminal of this size. */
export function runOnTerminal(args: readonly string[], env: Readonly<Record<string, string>>, rows = 24, columns = 80): TerminalRun {
  const helper = join(import.meta.dirname, "on_terminal.py");
  const child = spawn("python3", [helper, String(rows), String(columns), process.execPath, cliEntry, ...args], {
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm-256color", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const display = new Display();
  let written = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text;
    display.take(text);
  });
  const wish = (document: object) => child.stdin.write(`${JSON.stringify(document)}\n`);
  return {
    display,
    written: () => written,
    lines: () => display.lines,
    text: () => display.lines.join("\n"),
    press: (keys) => wish({ write: keys }),
    resize: (newRows, newColumns) => wish({ size: [newRows, newColumns] }),
    signal: (number) => wish({ signal: number }),
    ended: new Promise((resolve) => child.on("close", resolve)),
    child,
  };
}
