import { style } from "./style.ts";

/** What is going on, on one line of stderr that is wiped before anything else is written. Silent when stderr is not a terminal. */
export interface Progress {
  show(text: string): void;
  clear(): void;
}

/** What is over sooner is not worth a flicker. */
const patienceMs = 200;

/** Makes a progress line; it appears only when something takes long enough to wonder. */
export function createProgress(): Progress {
  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  const clear = () => {
    clearTimeout(timer);
    if (shown) process.stderr.write("\r\x1b[K");
    shown = false;
  };
  const write = (text: string) => {
    clear();
    process.stderr.write(style(process.stderr, "dim", text));
    shown = true;
  };
  return {
    clear,
    show: (text) => {
      if (!process.stderr.isTTY) return;
      if (shown) return write(text);
      clearTimeout(timer);
      timer = setTimeout(write, patienceMs, text).unref();
    },
  };
}

/** A remark on stderr; it is not part of any result. */
export function note(text: string): void {
  process.stderr.write(`syla: ${text}\n`);
}
