import type { RunFrame } from "@syla/contracts/runs";
import { frameOf } from "../trace.ts";

/** How a language prints one step of a trace. Groups: `path`, `line`, and where they are printed `column` and `function`. */
interface FrameFormat {
  readonly frame: RegExp;
  /** Steps of these are the language's own. */
  readonly library?: RegExp;
  readonly cause?: RegExp;
}

const frameFormats: Readonly<Record<string, FrameFormat>> = {
  java: {
    frame: /^\tat (?:[\w.$@-]{1,60}\/)?(?<function>[\w.$<>]{1,200})\((?<path>[\w$]{1,100}\.java):(?<line>\d{1,9})\)$/,
    library: /^(?:java|javax|jdk|sun|com\.sun)\./,
    cause: /^Caused by: (.*)$/,
  },
  ruby: { frame: /^(?:\t(?:[ \d]*: )?from )?(?<path>[^:\s]{1,300}):(?<line>\d{1,9}):in [`'](?<function>[^']{1,200})'/ },
  php: { frame: /^#\d{1,4} (?<path>[^(]{1,300})\((?<line>\d{1,9})\): (?<function>[^(]{1,200})\(/ },
  perl: { frame: /^\t(?<function>[\w:]{1,200})\(.* called at (?<path>\S{1,300}) line (?<line>\d{1,9})$/ },
  lua: { frame: /^\t(?<path>[^:\s[]{1,300}):(?<line>\d{1,9}): in (?<function>.{1,200})$/ },
  rust: { frame: /^ {13,}at (?<path>\S{1,300}):(?<line>\d{1,9}):(?<column>\d{1,9})$/ },
  deno: {
    frame: /^ {4,}at (?:(?:async )?(?<function>[^(]{1,200}) \()?(?<path>[^()\s]{1,500}):(?<line>\d{1,9}):(?<column>\d{1,9})\)?$/,
    cause: /^Caused by: (.*)$/,
  },
  bun: { frame: /^ {4,}at (?:(?:async )?(?<function>[^(]{1,200}) \()?(?<path>[^()\s]{1,500}):(?<line>\d{1,9}):(?<column>\d{1,9})\)?$/ },
};

/** The steps that a language without a reader of its own has printed, innermost first, and what led to the error. */
export function readFrames(language: string, lines: readonly string[]): { frames: RunFrame[]; causes: string[] } {
  const format = frameFormats[language];
  const frames: RunFrame[] = [];
  const causes: string[] = [];
  if (format === undefined) return { frames, causes };
  for (const line of lines) {
    const { path, line: at, column = null, function: name = null } = format.frame.exec(line)?.groups ?? {};
    const led = format.cause?.exec(line)?.[1];
    if (led !== undefined) causes.push(led);
    if (path === undefined || at === undefined || causes.length > 0) continue;
    const frame = frameOf(path, at, column, name);
    frames.push(name !== null && format.library?.test(name) === true ? { ...frame, own: false } : frame);
  }
  return { frames, causes };
}
