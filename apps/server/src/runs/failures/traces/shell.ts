import { frameOf, type Trace } from "../trace.ts";

/** `main.sh: line 3: nope: command not found`, and without the word `line` as other shells say it. */
const said = /^(?:\/workspace\/)?([^\s:][^:]{0,300}): (?:line )?(\d{1,9}): (.+)$/;
const kinds: readonly (readonly [RegExp, string])[] = [
  [/^syntax error/i, "syntax error"],
  [/(?:command )?not found$/, "command not found"],
  [/Permission denied$/, "permission denied"],
  [/No such file or directory$/, "no such file"],
  [/Is a directory$/, "is a directory"],
  [/unbound variable$|parameter not set$|parameter null or not set$/, "unbound variable"],
  [/bad substitution$/i, "bad substitution"],
  [/cannot execute|Exec format error$/, "cannot execute"],
  [/Killed\b|Segmentation fault\b|Aborted\b/, "killed"],
  [/division by 0|arithmetic syntax error|syntax error: operand expected/, "arithmetic"],
  [/readonly variable$/, "readonly variable"],
];
/** What a program prints after the line that made it end is short. */
const mostLinesAfter = 8;

/** The last complaint of the shell itself, which names the line of the script. */
export function readShellTrace(lines: readonly string[]): Trace | null {
  const begin = Math.max(0, lines.length - mostLinesAfter - 1);
  for (let index = lines.length - 1; index >= begin; index -= 1) {
    const [, path, line, text] = said.exec(lines[index] ?? "") ?? [];
    if (path === undefined || line === undefined || text === undefined) continue;
    const kind = kinds.find(([pattern]) => pattern.test(text))?.[1];
    if (kind === undefined) continue;
    const frame = frameOf(path, line);
    const ends = kind === "unbound variable" || kind === "bad substitution";
    return {
      code: kind === "syntax error" ? "syntax_error" : ends ? "uncaught_exception" : "nonzero_exit",
      kind,
      message: text.replace(/^ *\d{1,9} +/, "").replaceAll(/ {2,20}/g, " "),
      frames: [],
      place: frame.own ? frame : null,
      causes: [],
    };
  }
  return null;
}
