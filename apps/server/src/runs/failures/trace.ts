import type { RunError, RunFrame } from "@syla/contracts/runs";

/** What a program printed when it failed, as its language prints it. */
export interface Trace {
  readonly code: "syntax_error" | "uncaught_exception" | "out_of_memory" | "nonzero_exit";
  readonly kind: string | null;
  readonly message: string;
  /** Innermost first. */
  readonly frames: readonly RunFrame[];
  /** Where in the program's own files. */
  readonly place: RunFrame | null;
  readonly causes: readonly string[];
}

/** Reads the error output of a program; null: it holds no error that is known. */
export type ReadTrace = (lines: readonly string[]) => Trace | null;

const mostLines = 4000;
const mostCharacters = 1000;
const mostFrames = 20;
const mostCauses = 5;
const messageCharacters = 1000;

/** The lines of an output, bounded: what comes after only matches single lines, each with patterns that take no more than its square. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n", mostLines);
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line).slice(0, mostCharacters));
}

const libraries = /(?:^|\/)(?:node_modules|site-packages|dist-packages|\.venv|venv|vendor|\.compiled)\//;

/** A frame with its path as the run knows it, and whether it is one of the run's own files. */
export function frameOf(path: string, line: string | number, column: string | number | null = null, name: string | null = null): RunFrame {
  const plain = path.replace(/^file:\/\//, "");
  const inside = plain.startsWith("/workspace/") ? plain.slice("/workspace/".length) : plain.replace(/^\.\//, "");
  const own = inside !== "" && !/^(?:\/|<|\[|node:|ext:|internal\/)/.test(inside) && !libraries.test(inside);
  const number = Number(line);
  return {
    path: inside,
    line: Number.isSafeInteger(number) ? number : 0,
    column: column === null ? null : Number(column),
    function: name === null || name === "" ? null : name.slice(0, 200),
    own,
  };
}

/** What is kept of a trace. */
export function traceFacts({ kind, message, frames, place, causes }: Trace): Partial<RunError> {
  return {
    kind,
    message: message.slice(0, messageCharacters),
    location: locationOf(place),
    frames: frames.slice(0, mostFrames),
    causes: causes.slice(0, mostCauses).map((cause) => cause.slice(0, messageCharacters)),
  };
}

/** A frame of the run's own files as the place of an error. */
export function locationOf(frame: RunFrame | null): RunError["location"] {
  if (frame === null) return null;
  return { path: frame.path, file: frame.path, line: frame.line, column: frame.column, function: frame.function };
}
