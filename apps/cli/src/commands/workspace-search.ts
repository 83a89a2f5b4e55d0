import type { FileMatch, FoundFile } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { readVersionNumber } from "../workspaces/version-number.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly regex?: boolean;
  readonly matchCase?: boolean;
  readonly word?: boolean;
  readonly include?: string;
  readonly exclude?: string;
  readonly at?: string;
}

/** Prints the lines that hold something, as `grep -n` does. */
export function workspaceSearch(): Command {
  return defineServerCommand("search", "find text in the files of a workspace")
    .argument("<workspace>", "its id or name; the one in use when it is `.`")
    .argument("<pattern>", "what a line holds, whatever its case")
    .option("--regex", "the pattern is a regular expression in RE2's syntax")
    .option("--match-case", "upper and lower case matter")
    .option("-w, --word", "no part of a longer word")
    .option("--include <patterns>", "only these files: `*.py, src/**`")
    .option("--exclude <patterns>", "not these files")
    .option("--at <version>", "a version's number; what is there now when left out")
    .action(async (word: string, pattern: string, flags: Flags) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const { regex, matchCase, word: wholeWord, include, exclude } = flags;
      const version = flags.at === undefined ? {} : { version: readVersionNumber(flags.at) };
      const query = { q: pattern, regex, matchCase, wholeWord, include, exclude, ...version };
      let [after, skipped, found]: [string | undefined, number, number] = [undefined, 0, 0];
      do {
        const page = await syla.workspaces.search(id, { ...query, after });
        for (const file of page.items) {
          if (flags.json === true) printJson(file);
          else printFile(file);
        }
        [after, skipped, found] = [page.nextAfter ?? undefined, skipped + page.skipped, found + page.items.length];
      } while (after !== undefined);
      if (flags.json === true) return;
      if (found === 0) printLine("Nothing was found.");
      if (skipped > 0) printLine(style(process.stdout, "dim", `${skipped} files were not looked at: no text, or too large`));
    });
}

function printFile({ path, lines, count }: FoundFile): void {
  const name = plainLine(path);
  for (const match of lines) printLine(`${style(process.stdout, "cyan", `${name}:${match.line}`)}:${marked(match)}`);
  if (count > lines.length) printLine(style(process.stdout, "dim", `${name}: ${count - lines.length} more lines`));
}

/** What was found is bold; what a terminal would obey is not printed. */
function marked({ text, matches }: FileMatch): string {
  let [line, from] = ["", 0];
  for (const [begin, end] of matches) {
    line += plainLine(text.slice(from, begin)) + style(process.stdout, "bold", plainLine(text.slice(begin, end)));
    from = end;
  }
  return line + plainLine(text.slice(from));
}
