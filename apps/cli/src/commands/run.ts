import type { LimitsInput, ProgramRunInputDraft, Run, Syla } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { parseBinding } from "../datasets/parse-binding.ts";
import { findModel } from "../models/find-model.ts";
import { findProgram } from "../programs/find-program.ts";
import { readLink } from "../programs/link-file.ts";
import type { Project } from "../project/read-project.ts";
import { fillArguments, fillFlags, loadProject, type ProjectFlags, tellReach } from "../project/use-project.ts";
import { isClosedPipe } from "../output/closed-pipe.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { sendFiles } from "../runs/build-input.ts";
import { cancelOnSignals } from "../runs/cancel-on-signals.ts";
import { collectExtras, readInput as readFile } from "../runs/collect-files.ts";
import { finishRun } from "../runs/finish-run.ts";
import { followRun } from "../runs/follow-run.ts";
import { allowDomainOption, type NetworkFlags, networkOption, readNetwork } from "../runs/network-flags.ts";
import { parseDuration, parseResources, parseVariables } from "../runs/parse-flags.ts";
import { priorityOption, type QueueFlags, readQueueFlags, startAtOption } from "../runs/queue-flags.ts";
import { readPipedStdin } from "../runs/read-stdin.ts";
import { resultOfError } from "../runs/result-document.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags, QueueFlags, ProjectFlags {
  readonly version?: string;
  readonly entrypoint?: string;
  readonly stdin?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly timeout?: string;
  readonly resource: readonly string[];
  readonly file: readonly string[];
  readonly dataset: readonly string[];
  readonly tier?: "namespace" | "gvisor" | "microvm" | "kubernetes";
  readonly model?: string;
  readonly size?: "small" | "medium" | "large";
  readonly detach?: boolean;
  readonly outputDir?: string;
}

export const runCommand: Command = defineServerCommand("run", "run a program of the catalog, and exit with its exit code")
  .argument("[program]", "its id, name or slug; the one of this folder when left out, as its .syla.yml says")
  .argument("[args...]", "arguments in place of the program's own; put -- before those that begin with a dash")
  .option("--version <version>", "a published version; what is there now when left out")
  .option("--entrypoint <path>", "another of its files")
  .option("--stdin <file>", "give the program this file as its standard input (otherwise what is piped in)")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("--model <model>", "a model in place of the one that it is bound to: its id, slug or name")
  .addOption(new Option("--size <size>", "a resource profile in place of its own").choices(["small", "medium", "large"]))
  .option("-t, --timeout <duration>", "the longest it may take, in place of its profile's")
  .option("-r, --resource <list>", "limits in place of its profile's: cpu=2,memory=4G,disk=2G,…", collect, [])
  .option("-f, --file <path>", "send this file or folder too", collect, [])
  .option("--dataset <name>", "a dataset that it reads: [name=]dataset[@version][:split], lies at datasets/<name>", collect, [])
  .addOption(new Option("--tier <name>", "how it is isolated").choices(["namespace", "gvisor", "microvm", "kubernetes"]))
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .option("-o, --output-dir <folder>", "save what the program leaves in /output")
  .addOption(priorityOption())
  .addOption(startAtOption())
  .option("-d, --detach", "print the run's id and do not wait for it")
  .option("--no-project", "do not look for a .syla.yml")
  .action(async (program: string | undefined, args: string[], flags: Flags) => {
    try {
      process.exitCode = await run(program, args, flags);
    } catch (error) {
      if (isClosedPipe(error)) throw error;
      const { report, exitCode } = describeError(error);
      if (flags.json === true) printJson(resultOfError(report, null));
      else process.stderr.write(renderError(report));
      process.exitCode = exitCode;
    }
  });

/** The settings of the folder's project hold for its own program alone. */
async function run(program: string | undefined, words: readonly string[], given: Flags): Promise<number> {
  const project = program === undefined ? await loadProject(given) : null;
  if (project !== null) tellReach(project);
  const flags = project === null ? given : fillFlags(project, given, true);
  const input = await readInput(project === null ? words : fillArguments(project, words), flags);
  const progress = createProgress();
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  const cancel = cancelOnSignals(syla);
  try {
    const { id: programId } = await findProgram(syla, program ?? nameProgram(project, target.url));
    const modelId = flags.model === undefined ? undefined : (await findModel(syla, flags.model)).id;
    const files = await collectFiles(syla, flags.file, cancel.signal);
    const datasets = await Promise.all(flags.dataset.map((text) => parseBinding(syla, text)));
    const started = await syla.runs.create(
      {
        ...input,
        programId,
        files,
        datasets,
        ...(modelId !== undefined && { modelId }),
        ...(flags.size !== undefined && { profile: flags.size }),
      },
      { signal: cancel.signal },
    );
    if (flags.detach === true) return printDetached(started, flags.json === true);
    cancel.watch(started.id);
    const ended = await followRun(syla, started.id, { signal: cancel.signal, progress, print: flags.json !== true });
    return await finishRun(syla, ended, flags, cancel.signal);
  } finally {
    progress.clear();
    cancel.stop();
  }
}

/** The program that a folder was pushed to or pulled from, else the one of its project's name. */
function nameProgram(project: Project | null, server: string): string {
  const word = readLink(project?.folder ?? process.cwd(), server)?.id ?? project?.settings.name;
  if (word !== undefined) return word;
  throw usageError("This folder belongs to no program of this server.", "Name the program, or make one: syla program create NAME.");
}

async function readInput(args: readonly string[], flags: Flags): Promise<Omit<ProgramRunInputDraft, "programId" | "files" | "datasets">> {
  const network = readNetwork(flags);
  const limits: LimitsInput = {
    ...parseResources(flags.resource),
    ...(flags.timeout !== undefined && { wallMs: parseDuration(flags.timeout) }),
  };
  const stdin = flags.stdin === undefined ? await readPipedStdin() : readFile(flags.stdin);
  return {
    env: parseVariables(flags.envFile, flags.env, process.env),
    limits,
    ...readQueueFlags(flags),
    ...(args.length > 0 && { args: [...args] }),
    ...(flags.version !== undefined && { version: flags.version }),
    ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint }),
    ...(flags.tier !== undefined && { tier: flags.tier }),
    ...(network !== undefined && { network }),
    ...(stdin !== null && stdin.length > 0 && { stdinBase64: stdin.toString("base64") }),
  };
}

async function collectFiles(syla: Syla, paths: readonly string[], signal: AbortSignal): Promise<ProgramRunInputDraft["files"]> {
  const files = collectExtras(paths);
  if (files.length > 1000) throw usageError("Those are more than 1,000 files.", "Put them into the program itself.");
  return await sendFiles(syla, files, signal);
}

function printDetached(started: Run, json: boolean): number {
  if (json) printJson({ runId: started.id, status: started.status });
  else printLine(started.id);
  return 0;
}
