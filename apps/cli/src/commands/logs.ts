import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Syla } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { createTerminalFilter } from "../output/terminal-text.ts";
import { followRun } from "../runs/follow-run.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly follow?: boolean;
  readonly stream: "stdout" | "stderr" | "all";
}

export const logsCommand: Command = defineServerCommand("logs", "show the output of a run")
  .argument("<run>", "its id")
  .option("-f, --follow", "go on showing what is added, until the run ends")
  .addOption(new Option("--stream <name>", "only this stream").choices(["stdout", "stderr", "all"]).default("all"))
  .action(async (id: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    if (flags.follow === true) await follow(syla, id, flags);
    else await print(syla, id, flags);
  });

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
