import { setTimeout as sleep } from "node:timers/promises";
import { SylaConnectionError } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { printLine } from "./print.ts";
import { style } from "./style.ts";
import { plainLine } from "./terminal-text.ts";

const everyMs = 1000;
/** To the upper left corner, and everything from there on away (ECMA-48: CUP, ED). */
const clearScreen = "\x1b[H\x1b[2J";

/** Flags of a command that shows something that changes. */
export interface WatchFlags {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** Reads and shows something: once, or with `--watch` every second until Ctrl-C. A server that is away for a while does not end it. */
export async function showOrWatch<T>(flags: WatchFlags, read: () => Promise<T>, show: (value: T) => void): Promise<void> {
  if (flags.watch !== true) return show(await read());
  if (flags.json === true || !process.stdout.isTTY)
    throw usageError("--watch draws on a terminal.", "Leave it out, and ask again with --json as often as you like.");
  const leaving = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => leaving.abort());
  let last = await read();
  let away: string | null = null;
  while (!leaving.signal.aborted) {
    process.stdout.write(clearScreen);
    show(last);
    if (away !== null) printLine(`\n${style(process.stdout, "yellow", plainLine(away))}`);
    await sleep(everyMs, undefined, { signal: leaving.signal }).catch(() => undefined);
    if (leaving.signal.aborted) return;
    try {
      last = await read();
      away = null;
    } catch (error) {
      if (!(error instanceof SylaConnectionError)) throw error;
      away = error.message;
    }
  }
}
