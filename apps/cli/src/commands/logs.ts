import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { logLevels, type LogLevel } from "@syla/contracts/log-levels";
import { createLineFinisher, createLineReader, type LogLine } from "@syla/contracts/log-lines";
import { createMatcher, type FoundLine, type FoundLines, isWanted, type Matcher } from "@syla/contracts/log-search";
import type { Syla } from "@syla/sdk";
import { type Command, Option } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { createTerminalFilter, plainLine } from "../output/terminal-text.ts";
import { followRun } from "../runs/follow-run.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly follow?: boolean;
  readonly stream: "stdout" | "stderr" | "system" | "all";
  readonly search?: string;
  readonly regex?: boolean;
  readonly matchCase?: boolean;
  readonly level?: LogLevel;
  readonly node?: string;
  readonly timestamps?: boolean;
  readonly numbers?: boolean;
}

export const logsCommand: Command = defineServerCommand("logs", "show the output of a run, or the lines of it that are looked for")
  .argument("<run>", "its id")
  .option("-f, --follow", "go on showing what is added, until the run ends")
  .addOption(new Option("--stream <name>", "only this stream").choices(["stdout", "stderr", "system", "all"]).default("all"))
  .option("-s, --search <text>", "only lines with this, whatever its case")
  .option("--regex", "--search is a regular expression in RE2's syntax")
  .option("--match-case", "--search minds upper and lower case")
  .addOption(new Option("--level <level>", "only lines of this level or graver").choices([...logLevels]))
  .option("--node <id>", "only what this node of a composition has written")
  .option("-t, --timestamps", "each line with its time")
  .option("-n, --numbers", "each line with its number")
  .action(async (id: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    if (isOfLines(flags)) await (flags.follow === true ? followLines(syla, id, flags) : printLines(syla, id, flags));
    else if (flags.follow === true) await follow(syla, id, flags);
    else await print(syla, id, flags);
  });

function isOfLines({ search, level, node, timestamps, numbers }: Flags): boolean {
  return [search, level, node, timestamps, numbers].some((flag) => flag !== undefined);
}

async function follow(syla: Syla, id: string, flags: Flags): Promise<void> {
  const signal = new AbortController().signal;
  if (flags.json !== true) return void (await followRun(syla, id, { signal, progress: createProgress(), print: true }));
  for await (const event of syla.runs.events(id)) printJson(event);
}

/** The bytes as they are into a pipe; filtered text on a terminal; events, one a line, as JSON. */
async function print(syla: Syla, id: string, flags: Flags): Promise<void> {
  const { body } = await syla.runs.log(id, { stream: flags.stream, format: flags.json === true ? "jsonl" : "raw" });
  if (body === null) return;
  if (flags.json === true || !process.stdout.isTTY) return pipeline(Readable.fromWeb(body as never), process.stdout, { end: false });
  const filter = createTerminalFilter();
  for await (const text of body.pipeThrough(new TextDecoderStream())) process.stdout.write(filter.push(text));
  process.stdout.write(filter.end());
}

/** Lines in one go; those that the server looks for, page by page. */
async function printLines(syla: Syla, id: string, flags: Flags): Promise<void> {
  const { stream, level, node, search, regex, matchCase } = flags;
  if (search === undefined || search === "") {
    const { body } = await syla.runs.log(id, { stream, level, node, format: "lines" });
    if (body !== null) for await (const line of readLines(body)) printFound({ ...line, matches: [] }, flags);
    return;
  }
  for (let after: number | null = 0; after !== null;) {
    const page: FoundLines = await syla.runs.searchLog(id, { stream, level, node, q: search, regex, matchCase, after, limit: 1000 });
    for (const line of page.items) printFound(line, flags);
    after = page.nextAfter;
    if (after === null && !page.complete)
      throw new CliError(`The log is long: only its first ${page.lines} lines were looked at.`, {
        code: "search_incomplete",
        exit: "try_later",
        hint: `\`syla logs ${id} --numbers | grep …\` looks at all of them.`,
      });
  }
}

/** One JSON document a line. */
async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<LogLine> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as LogLine;
  }
}

/** The same as lines come: they are made of the events here, and have the numbers that they have everywhere. */
async function followLines(syla: Syla, id: string, flags: Flags): Promise<void> {
  const matcher = await matcherOf(flags);
  const finish = createLineFinisher();
  const reader = createLineReader(
    (line) => line,
    (grown) => {
      const line = finish(grown);
      if (isWanted(line, flags) && (matcher === null || matcher(line.text).length > 0)) printFound(line, flags);
    },
  );
  for await (const event of syla.runs.events(id)) reader.take(event);
  reader.end();
}

async function matcherOf({ search, regex = false, matchCase = false }: Flags): Promise<Matcher | null> {
  try {
    return await createMatcher({ q: search, regex, matchCase });
  } catch (error) {
    throw usageError(`"${search}" is not a pattern: ${(error as Error).message}`, "Patterns are in RE2's syntax.");
  }
}

function printFound(line: LogLine | FoundLine, { json, timestamps, numbers }: Flags): void {
  if (json === true) return printJson(line);
  const text = process.stdout.isTTY ? plainLine(line.text) : line.text;
  printLine(`${numbers === true ? `${line.number}: ` : ""}${timestamps === true ? `${line.time} ` : ""}${text}`);
}
