import type { RerunInputDraft, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { parseBinding } from "../datasets/parse-binding.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { sendFiles } from "../runs/build-input.ts";
import { cancelOnSignals } from "../runs/cancel-on-signals.ts";
import { collectExtras, readInput } from "../runs/collect-files.ts";
import { finishRun } from "../runs/finish-run.ts";
import { followRun } from "../runs/follow-run.ts";
import { allowDomainOption, type NetworkFlags, networkOption, readNetwork } from "../runs/network-flags.ts";
import { parseDuration, parseResources, parseVariables } from "../runs/parse-flags.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags {
  readonly entrypoint?: string;
  readonly stdin?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly timeout?: string;
  readonly resource: readonly string[];
  readonly file: readonly string[];
  readonly removeFile: readonly string[];
  readonly model: readonly string[];
  readonly dataset: readonly string[];
  readonly version?: string;
  readonly detach?: boolean;
}

export const runsRerunCommand: Command = defineServerCommand("rerun", "run a run again, as it was or with what is given otherwise")
  .argument("<run>", "its id")
  .argument("[args...]", "arguments in place of those that it had; put -- before those that begin with a dash")
  .option("--entrypoint <path>", "another of its files")
  .option("--stdin <file>", "its standard input, in place of what it had")
  .option("-e, --env <NAME=value>", "set a variable; those that it had are set no more", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("-t, --timeout <duration>", "the longest it may take")
  .option("-r, --resource <list>", "limits in place of those that it had: cpu=2,memory=4G,disk=2G,…", collect, [])
  .option("-f, --file <path>", "send this file or folder, in place of what has its name", collect, [])
  .option("--remove-file <path>", "leave out a file that was sent along", collect, [])
  .option("--model <model>", "the models that it may call, in place of those that it had", collect, [])
  .option("--dataset <name>", "its datasets, in place of those that it had: [name=]dataset[@version][:split]", collect, [])
  .option("--version <version>", "another version of the program; `head` for what is there now")
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .option("-d, --detach", "print the run's id and do not wait for it")
  .action(async (id: string, args: string[], flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const progress = createProgress();
    const cancel = cancelOnSignals(syla);
    try {
      const started = await syla.runs.rerun(id, await readChanges(syla, args, flags, cancel.signal), { signal: cancel.signal });
      if (flags.detach === true) {
        if (flags.json === true) printJson({ runId: started.id, status: started.status });
        else printLine(started.id);
        return;
      }
      cancel.watch(started.id);
      const ended = await followRun(syla, started.id, { signal: cancel.signal, progress, print: flags.json !== true });
      process.exitCode = await finishRun(syla, ended, flags, cancel.signal);
    } finally {
      progress.clear();
      cancel.stop();
    }
  });

/** Only what is given: everything else stays as it was. */
async function readChanges(syla: Syla, args: readonly string[], flags: Flags, signal: AbortSignal): Promise<RerunInputDraft> {
  const network = readNetwork(flags);
  const limits = { ...parseResources(flags.resource), ...(flags.timeout !== undefined && { wallMs: parseDuration(flags.timeout) }) };
  const files = collectExtras(flags.file);
  if (files.length > 1000) throw usageError("Those are more than 1,000 files.", "Put them into a program of the catalog.");
  const setsVariables = flags.env.length > 0 || flags.envFile.length > 0;
  return {
    ...(args.length > 0 && { args: [...args] }),
    ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint }),
    ...(flags.stdin !== undefined && { stdinBase64: readInput(flags.stdin).toString("base64") }),
    ...(setsVariables && { env: parseVariables(flags.envFile, flags.env, process.env) }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(files.length > 0 && { files: (await sendFiles(syla, files, signal)) ?? [] }),
    ...(flags.removeFile.length > 0 && { removeFiles: [...flags.removeFile] }),
    ...(flags.model.length > 0 && { models: [...flags.model] }),
    ...(flags.dataset.length > 0 && { datasets: await Promise.all(flags.dataset.map((text) => parseBinding(syla, text))) }),
    ...(flags.version !== undefined && { version: flags.version === "head" ? null : flags.version }),
    ...(network !== undefined && { network }),
  };
}
