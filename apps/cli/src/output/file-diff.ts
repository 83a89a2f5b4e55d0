import type { FileDiff } from "@syla/sdk";
import { printLine } from "./print.ts";
import { style } from "./style.ts";
import { plainLine } from "./terminal-text.ts";

const notes = { binary: "Binary files differ", large: "Too large to compare", omitted: "Not compared" };

/** As `diff -u` writes it, so that `patch` reads it. */
export function printFileDiff({ path, status, hunks, note }: FileDiff): void {
  const name = plainLine(path);
  printLine(style(process.stdout, "bold", `--- ${status === "added" ? "/dev/null" : `a/${name}`}`));
  printLine(style(process.stdout, "bold", `+++ ${status === "removed" ? "/dev/null" : `b/${name}`}`));
  if (note !== null) printLine(notes[note]);
  printHunks(hunks ?? []);
}

/** Lines that differ, with a few around them. */
export function printHunks(hunks: NonNullable<FileDiff["hunks"]>): void {
  for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
    printLine(style(process.stdout, "cyan", `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`));
    for (const line of lines) printLine(colored(line));
  }
}

function colored(line: string): string {
  const text = process.stdout.isTTY ? line[0] + plainLine(line.slice(1)) : line;
  if (line.startsWith("+")) return style(process.stdout, "green", text);
  return line.startsWith("-") ? style(process.stdout, "red", text) : text;
}
