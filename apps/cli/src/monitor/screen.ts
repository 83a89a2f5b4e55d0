import { writeSync } from "node:fs";
import { readKeys } from "./keys.ts";

/** Alternate screen on and off, cursor off and on, no wrapping (xterm's private modes 1049, 25 and 7). */
const enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** A terminal that knows mode 2026 shows all that is between at once; others ignore it. */
const beginUpdate = "\x1b[?2026h";
const endUpdate = "\x1b[?2026l";
/** An escape that comes by itself for so long is the key, not the beginning of a sequence that the network has cut. */
const escapeMs = 50;

interface ScreenOptions {
  readonly onKeys: (keys: readonly string[]) => void;
  readonly onResize: () => void;
}

/** A whole terminal: lines are drawn onto it, keys come from it. What was there before comes back however the process ends, but by SIGKILL. */
export class Screen {
  readonly #options: ScreenOptions;
  #lines: readonly string[] = [];
  #isOpen = false;
  #held = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  open(): void {
    process.once("exit", this.close);
    process.on("SIGCONT", this.#resume);
    process.stdout.on("resize", this.#resized);
    process.stdin.setEncoding("utf8").on("data", this.#take);
    this.#enter();
  }

  /** Gives the terminal back. */
  readonly close = (): void => {
    process.off("exit", this.close);
    process.off("SIGCONT", this.#resume);
    process.stdout.off("resize", this.#resized);
    process.stdin.off("data", this.#take);
    clearTimeout(this.#timer);
    this.#leave();
    process.stdin.pause();
  };

  /** Stops the process as Ctrl-Z does; it goes on where it was. */
  suspend(): void {
    this.#leave();
    process.kill(process.pid, "SIGTSTP");
  }

  /** Shows lines, one for each row; only those that changed are written. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const changes = lines.flatMap((line, row) => (line === this.#lines[row] ? [] : [`\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`]));
    this.#lines = lines;
    if (changes.length > 0) process.stdout.write(beginUpdate + changes.join("") + endUpdate);
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#lines = [];
    process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdout.write(enterScreen);
  }

  /** At once, whatever waits to be written: it may be the last thing that the process does. */
  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      process.stdin.setRawMode(false);
      writeSync(process.stdout.fd, endUpdate + leaveScreen);
    } catch {
      // The terminal is gone: there is nothing to give back.
    }
  }

  readonly #resume = (): void => {
    this.#enter();
    this.#options.onResize();
  };

  readonly #resized = (): void => {
    this.#lines = [];
    process.stdout.write("\x1b[2J");
    this.#options.onResize();
  };

  readonly #take = (text: string): void => {
    clearTimeout(this.#timer);
    const all = this.#held + text;
    const open = /\x1b(?:\[[0-9;?]*|O)?$/.exec(all)?.[0] ?? "";
    this.#held = open;
    const keys = readKeys(all.slice(0, all.length - open.length));
    if (keys.length > 0) this.#options.onKeys(keys);
    if (open === "") return;
    this.#timer = setTimeout(() => {
      this.#held = "";
      this.#options.onKeys(readKeys(open));
    }, escapeMs);
  };
}
