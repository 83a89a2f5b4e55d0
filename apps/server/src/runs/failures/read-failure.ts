import type { RunFrame } from "@syla/contracts/runs";
import type { ErrorPattern } from "../../runtimes/definition.ts";
import { matchAll } from "../match-text.ts";
import { frameOf, linesOf, type ReadTrace, type Trace } from "./trace.ts";
import { readFrames } from "./traces/frame-formats.ts";
import { readGoTrace } from "./traces/go.ts";
import { readNodeTrace } from "./traces/node.ts";
import { readPythonTrace } from "./traces/python.ts";
import { readShellTrace } from "./traces/shell.ts";

/** What a language's failures are read with. */
export interface ReadLanguage {
  readonly name: string;
  readonly errors: readonly ErrorPattern[];
}

const readers: Readonly<Record<string, ReadTrace>> = {
  python: readPythonTrace,
  node: readNodeTrace,
  go: readGoTrace,
  bash: readShellTrace,
};

const kindOf = /^(?:(?:PHP )?Fatal error: +)?(?:Uncaught )?([A-Za-z_$][\w.$:]{0,200}(?:Error|Exception))\b|\(([A-Z][\w:]{0,100})\)$/;

/**
 * What went wrong, told from the (bounded) error output: by the reader of the language, else by the patterns of its runtime. A line without
 * a file is one of `entrypoint`. Null: the output does not say.
 */
export function readFailure(language: ReadLanguage, text: string, entrypoint: string | undefined): Trace | null {
  const lines = linesOf(text);
  return readers[language.name]?.(lines) ?? readByPattern(language, text, lines, entrypoint);
}

function readByPattern(
  { name, errors }: ReadLanguage,
  text: string,
  lines: readonly string[],
  entrypoint: string | undefined,
): Trace | null {
  const matches = matchAll(
    errors.map(({ pattern }) => pattern),
    text,
    true,
  );
  const found = matches.at(-1) ?? null;
  const code = errors[matches.length - 1]?.code;
  if (found === null || code === undefined) return null;
  const { file = entrypoint, line, column, message = "", kind } = found.groups ?? {};
  const { frames, causes } = readFrames(name, lines);
  const place = file === undefined || line === undefined ? null : placeOf(frameOf(file, line, column ?? null), frames);
  const named = kindOf.exec(message);
  return { code, kind: kind ?? named?.[1] ?? named?.[2] ?? null, message, frames, place, causes };
}

/** The frame of that line knows more than the line; of a library's line, the one that led there is the program's. */
function placeOf(told: RunFrame, frames: readonly RunFrame[]): RunFrame | null {
  if (!told.own) return frames.find(({ own }) => own) ?? null;
  const same = frames.findLast(({ path, line }) => path === told.path && line === told.line);
  return same === undefined ? told : { ...same, column: told.column ?? same.column };
}
