import type { RunError } from "@syla/sdk";
import { style } from "./style.ts";
import { plainLine } from "./terminal-text.ts";

/** An error with what an older server does not tell left empty. */
export function completeError(error: RunError): RunError {
  const { location } = error;
  const place =
    location === null
      ? null
      : { ...location, path: location.path ?? location.file, column: location.column ?? null, function: location.function ?? null };
  return { ...nothingTold, ...error, location: place };
}

const nothingTold = { kind: null, frames: [], causes: [], excerpt: null, suggestion: null };

/** Where a program failed: the lines around it, with the place marked. */
export function renderExcerpt(stream: NodeJS.WriteStream, { excerpt, location }: RunError): string {
  if (excerpt === null) return "";
  const width = String(excerpt.firstLine + excerpt.lines.length).length;
  const lines = excerpt.lines.flatMap((text, index) => {
    const number = excerpt.firstLine + index;
    const plain = plainLine(text.replaceAll("\t", "    "));
    const failed = number === excerpt.line;
    const line = `${failed ? ">" : " "} ${String(number).padStart(width)} | ${plain}`;
    if (!failed) return [line];
    const column = location?.column ?? null;
    const before = column === null ? "" : text.slice(0, column - 1).replaceAll("\t", "    ");
    const caret = column === null ? [] : [`  ${" ".repeat(width)} | ${" ".repeat(before.length)}^`];
    return [style(stream, "red", line), ...caret];
  });
  return `${lines.join("\n")}\n`;
}

/** `main.py:3:7 in load`. */
export function describePlace(location: NonNullable<RunError["location"]>): string {
  const column = location.column === null ? "" : `:${location.column}`;
  return plainLine(`${location.path}:${location.line}${column}${location.function === null ? "" : ` in ${location.function}`}`);
}
