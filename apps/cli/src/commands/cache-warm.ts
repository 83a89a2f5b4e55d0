import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { prepareRun, sendFiles } from "../runs/build-input.ts";
import { parseDuration } from "../runs/parse-flags.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly keep?: string;
  readonly language?: string;
}

export const cacheWarmCommand: Command = defineServerCommand("warm", "run programs whose results are not kept yet, and keep them")
  .argument("<files...>", "the programs: files or folders, as for `syla exec` without arguments or input")
  .option("-l, --language <name>", "the language, when the files' names do not tell it")
  .option("--keep <duration>", "how long to keep the results (24h)")
  .action(async (targets: string[], flags: Flags) => {
    const cache = flags.keep === undefined ? true : { ttlMs: parseDuration(flags.keep) };
    const nothing = {
      model: [],
      env: [],
      envFile: [],
      resource: [],
      file: [],
      allowDomain: [],
      ...(flags.language !== undefined && { language: flags.language }),
    };
    const prepared = await Promise.all(
      targets.map(async (target) => ({ target, run: await prepareRun(target, [], { ...nothing, stdin: "/dev/null" }, process.env) })),
    );
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true });
    const signal = new AbortController().signal;
    const items = [];
    for (const { target, run } of prepared) {
      const input = { ...run.input, cache, files: await sendFiles(syla, run.files, signal) };
      const result = await syla.executions.run(input, { wait: true });
      items.push({ file: target, runId: result.id, status: result.status, cached: result.cached });
      if (flags.json !== true)
        printLine(`${result.cached ? "was kept" : "ran     "}  ${result.status}  ${result.id}  ${plainLine(target)}`);
    }
    if (flags.json === true) printJson({ items });
    if (items.some((item) => item.status !== "succeeded")) process.exitCode = 1;
  });
