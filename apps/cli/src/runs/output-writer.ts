import { createTerminalFilter } from "../output/terminal-text.ts";

/** Writes one stream of a program's output to one of ours. */
export interface OutputWriter {
  write(text: string): Promise<void>;
  /** Writes what is missing once the run has ended; `readLog` gives the exact bytes. */
  finish(readLog: () => Promise<Uint8Array>): Promise<void>;
}

/**
 * A terminal gets filtered text. A pipe or a file gets the program's bytes: the live events carry text, in which bytes that are
 * not UTF-8 have become U+FFFD, so from the first of these on it waits for the log, which has them as they were.
 */
export function createOutputWriter(stream: NodeJS.WriteStream): OutputWriter {
  return stream.isTTY ? writeToTerminal(stream) : writeExactly(stream);
}

/** The same for one of several at once: whole lines, each after the name of whose it is. */
export function createNamedWriter(stream: NodeJS.WriteStream, name: string): OutputWriter {
  const filter = createTerminalFilter();
  let rest = "";
  return {
    write: (text) => {
      const lines = (rest + (stream.isTTY ? filter.push(text) : text)).split("\n");
      rest = lines.pop() ?? "";
      return send(stream, lines.map((line) => `${name} | ${line}\n`).join(""));
    },
    finish: () => send(stream, (rest === "" ? "" : `${name} | ${rest}\n`) + (stream.isTTY ? filter.end() : "")),
  };
}

function writeToTerminal(stream: NodeJS.WriteStream): OutputWriter {
  const filter = createTerminalFilter();
  return {
    write: (text) => send(stream, filter.push(text)),
    finish: () => send(stream, filter.end()),
  };
}

function writeExactly(stream: NodeJS.WriteStream): OutputWriter {
  let written = 0;
  let waiting = false;
  return {
    write: async (text) => {
      if (waiting) return;
      const doubtful = text.indexOf("\uFFFD");
      waiting = doubtful >= 0;
      const bytes = Buffer.from(waiting ? text.slice(0, doubtful) : text);
      written += bytes.length;
      await send(stream, bytes);
    },
    finish: async (readLog) => {
      if (waiting) await send(stream, (await readLog()).subarray(written));
    },
  };
}

/** Resolves when the stream has taken the data, so that a slow reader slows us and not our memory. */
function send(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  if (data.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}
