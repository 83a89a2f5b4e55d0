import { type Run, type Syla, SylaConnectionError } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { isClosedPipe } from "../output/closed-pipe.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { type ExecFlags, type PreparedRun, prepareRun, sendFiles } from "../runs/build-input.ts";
import { cancelOnSignals } from "../runs/cancel-on-signals.ts";
import { finishRun } from "../runs/finish-run.ts";
import { followRun } from "../runs/follow-run.ts";
import { LostRunError } from "../runs/lost-run-error.ts";
import { allowDomainOption, networkOption } from "../runs/network-flags.ts";
import { priorityOption, startAtOption } from "../runs/queue-flags.ts";
import { resultOfError } from "../runs/result-document.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends ExecFlags, CommonFlags {
  readonly detach?: boolean;
  readonly wait: boolean;
  readonly workspace?: string;
  readonly writeBack: boolean;
  readonly outputDir?: string;
}

export const execCommand: Command = defineServerCommand(
  "exec",
  "run a file, a folder or standard input (-) in a sandbox, and exit with its exit code",
)
  .argument("<file>", "the program: a file, a folder, or - for code on standard input; with --workspace one of its files")
  .argument("[args...]", "arguments of the program; options for syla go before the file")
  .option("-l, --language <name>", "the language, when the file's name does not tell it (`syla runtimes` lists them)")
  .option("--stdin <file>", "give the program this file as its standard input (otherwise what is piped in)")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("-t, --timeout <duration>", "the longest it may take, e.g. 500ms, 30s, 5m")
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,output=20M,processes=50,files=256", collect, [])
  .option("-f, --file <path>", "send this file or folder too", collect, [])
  .option("--entrypoint <name>", "the file of a folder to start")
  .option("-w, --workspace <workspace>", "run it in this workspace, whose files it finds and changes; `.` is the one in use")
  .option("--no-write-back", "leave the workspace as it is")
  .addOption(new Option("--tier <name>", "how it is isolated").choices(["namespace", "microvm", "kubernetes"]))
  .option("--cache", "it does the same every time: take an earlier result of yours, and keep this one for 24 hours")
  .option("--cache-for <duration>", "the same, and keep it for so long, e.g. 10m, 7d")
  .option("--model <model>", "let it call this model, by its id, slug or name; the first answers to every name (repeatable)", collect, [])
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .option("-o, --output-dir <folder>", "save what the program leaves in /output")
  .addOption(priorityOption())
  .addOption(startAtOption())
  .option("-d, --detach", "print the run's id and do not wait for it")
  .addOption(new Option("--no-wait", "the same as --detach").hideHelp())
  .passThroughOptions()
  .action(async (target: string, args: string[], flags: Flags) => {
    try {
      process.exitCode = await execute(target, args, flags);
    } catch (error) {
      if (isClosedPipe(error)) throw error;
      const { report, exitCode } = describeError(error);
      if (flags.json === true) printJson(resultOfError(report, error instanceof LostRunError ? error.runId : null));
      else process.stderr.write(renderError(report));
      process.exitCode = exitCode;
    }
  });

async function execute(target: string, args: readonly string[], flags: Flags): Promise<number> {
  const prepared = await prepareRun(target, args, flags, process.env);
  const progress = createProgress();
  const onStart = () => progress.show("starting the local server …");
  const { syla, target: server } = await connect({ env: process.env, profile: flags.profile, start: true, onStart }).finally(
    progress.clear,
  );
  const detached = flags.detach === true || !flags.wait;
  const cancel = cancelOnSignals(syla);
  try {
    const run = await submit(syla, await placeRun(syla, server.url, prepared, flags), cancel.signal);
    if (detached) return printDetached(run, flags.json === true);
    cancel.watch(run.id);
    const follow = { signal: cancel.signal, progress, print: flags.json !== true, maxReconnects: server.source === "local" ? 5 : 8 };
    const ended = await followRun(syla, run.id, follow).catch((error: unknown) => {
      throw error instanceof SylaConnectionError ? new LostRunError(run.id, error) : error;
    });
    return await finishRun(syla, { ...ended, cached: run.cached, cachedFrom: run.cachedFrom }, flags, cancel.signal);
  } finally {
    progress.clear();
    cancel.stop();
  }
}

/** The run in a workspace, where one was named. */
async function placeRun(syla: Syla, server: string, prepared: PreparedRun, { workspace, writeBack }: Flags): Promise<PreparedRun> {
  if (workspace === undefined) return prepared;
  const { id } = await findWorkspaceOrCurrent(syla, server, workspace);
  return { ...prepared, input: { ...prepared.input, workspaceId: id, ...(writeBack ? {} : { writeBack: false }) } };
}

async function submit(syla: Syla, { input, files }: PreparedRun, signal: AbortSignal): Promise<Run> {
  return syla.executions.run({ ...input, files: await sendFiles(syla, files, signal) }, { wait: false, signal });
}

function printDetached(run: Run, json: boolean): number {
  if (json) printJson({ runId: run.id, status: run.status });
  else printLine(run.id);
  return 0;
}
