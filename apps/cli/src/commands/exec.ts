import type { Syla } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { isClosedPipe } from "../output/closed-pipe.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { fillArguments, fillFlags, loadProject, type ProjectFlags, tellReach } from "../project/use-project.ts";
import { type ExecFlags, prepareRun } from "../runs/build-input.ts";
import { cancelOnSignals, type Cancellation } from "../runs/cancel-on-signals.ts";
import { collectProgram, type LocalFile } from "../runs/collect-files.ts";
import { execute, type ExecuteOptions, submit } from "../runs/execute.ts";
import { executeMany, nameFiles, type NamedRun } from "../runs/execute-many.ts";
import { finishRun } from "../runs/finish-run.ts";
import { LostRunError } from "../runs/lost-run-error.ts";
import { readMount } from "../runs/mounts.ts";
import { allowDomainOption, networkOption } from "../runs/network-flags.ts";
import { priorityOption, startAtOption } from "../runs/queue-flags.ts";
import { rerunOnChange, type WatchedRun } from "../runs/rerun-on-change.ts";
import { resultOfError } from "../runs/result-document.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends ExecFlags, CommonFlags, ProjectFlags {
  readonly detach?: boolean;
  readonly wait: boolean;
  readonly workspace?: string;
  readonly writeBack: boolean;
  readonly outputDir?: string;
  readonly parallel?: string;
  readonly watch?: boolean;
}

/** What the words and flags of a command line come to. */
interface Wish {
  readonly target: string;
  readonly args: readonly string[];
  readonly flags: Flags;
}

export const execCommand: Command = defineServerCommand(
  "exec",
  "run a file, a folder or standard input (-) in a sandbox, and exit with its exit code",
)
  .argument(
    "[file]",
    "the program: a file, a folder, or - for code on standard input; with --workspace one of its files; what .syla.yml says",
  )
  .argument("[args...]", "arguments of the program; options for syla go before the file")
  .option("-l, --language <name>", "the language, when the file's name does not tell it (`syla runtimes` lists them)")
  .option("--stdin <file>", "give the program this file as its standard input (otherwise what is piped in)")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("-t, --timeout <duration>", "the longest it may take, e.g. 500ms, 30s, 5m")
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,output=20M,processes=50,files=256", collect, [])
  .option("-f, --file <path>", "send this file or folder too", collect, [])
  .option("--mount <folder[:path]>", "let it find this folder, whatever it is, below its own; what it changes there is lost", collect, [])
  .option("--mount-write", "bring back what it changes in the mounted folders")
  .option("--entrypoint <name>", "the file of a folder to start")
  .option("--parallel <number>", "each word is a program (arguments for all come after --), and so many run at once")
  .option("--watch", "run it again each time that one of its files changes, until Ctrl+C")
  .option("-w, --workspace <workspace>", "run it in this workspace, whose files it finds and changes; `.` is the one in use")
  .option("--no-write-back", "leave the workspace as it is")
  .option("--no-project", "do not look for a .syla.yml")
  .addOption(new Option("--tier <name>", "how it is isolated").choices(["namespace", "gvisor", "microvm", "kubernetes"]))
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
  .action(async (target: string | undefined, args: string[], flags: Flags) => {
    try {
      checkFlags(flags);
      process.exitCode = await start(target, args, flags);
    } catch (error) {
      if (isClosedPipe(error)) throw error;
      const { report, exitCode } = describeError(error);
      if (flags.json === true) printJson(resultOfError(report, error instanceof LostRunError ? error.runId : null));
      else process.stderr.write(renderError(report));
      process.exitCode = exitCode;
    }
  });

function checkFlags(flags: Flags): void {
  const detached = flags.detach === true || !flags.wait;
  const refuse = (first: string, second: string) => {
    throw usageError(`${first} and ${second} cannot be combined.`, "Leave one of them out.");
  };
  if (flags.watch === true && detached) refuse("--watch", "--detach");
  if (flags.watch === true && flags.json === true) refuse("--watch", "--json");
  if (flags.watch === true && flags.parallel !== undefined) refuse("--watch", "--parallel");
  if (flags.parallel !== undefined && detached) refuse("--parallel", "--detach");
  if (flags.parallel !== undefined && flags.outputDir !== undefined) refuse("--parallel", "--output-dir");
  if (flags.mountWrite === true && flags.workspace !== undefined) refuse("--mount-write", "--workspace");
  if (flags.mountWrite === true && detached) refuse("--mount-write", "--detach");
  if (flags.mountWrite === true && (flags.mount ?? []).length === 0)
    throw usageError("--mount-write needs --mount.", "Name the folder: --mount ./data --mount-write");
  if (flags.parallel !== undefined && !/^[1-9]\d{0,2}$/.test(flags.parallel))
    throw usageError(`"${flags.parallel}" is no number of programs at once.`, "Write e.g. --parallel 4.");
}

async function start(target: string | undefined, args: readonly string[], flags: Flags): Promise<number> {
  if (flags.parallel !== undefined) return await runSeveral(target === undefined ? [] : [target, ...args], flags);
  const wish = await readWish(target, args, flags);
  return flags.watch === true ? await runAgain(wish) : await runOnce(wish);
}

/** What is meant, with what the project says. Without a file it is the project's own program. */
async function readWish(target: string | undefined, args: readonly string[], flags: Flags): Promise<Wish> {
  const project = await loadProject(flags, target);
  if (project === null) {
    if (target === undefined)
      throw usageError("Nothing says what to run.", "Name a file, a folder or -; `syla init` makes a .syla.yml that says it.");
    return { target, args, flags };
  }
  tellReach(project);
  const { folder } = project;
  return target === undefined
    ? { target: folder, args: fillArguments(project, args), flags: fillFlags(project, flags, true) }
    : { target, args, flags: fillFlags(project, flags, false) };
}

async function runOnce({ target, args, flags }: Wish): Promise<number> {
  const prepared = await prepareRun(target, args, flags, process.env);
  return await withServer(flags, async (syla, options) => {
    if (flags.detach === true || !flags.wait) {
      const { id, status } = await submit(syla, prepared, options);
      if (flags.json === true) printJson({ runId: id, status });
      else printLine(id);
      return 0;
    }
    return await finishRun(syla, await execute(syla, prepared, options), flags, options.cancel.signal);
  });
}

async function runSeveral(words: readonly string[], flags: Flags): Promise<number> {
  const end = words.indexOf("--");
  const targets = end < 0 ? words : words.slice(0, end);
  const args = end < 0 ? [] : words.slice(end + 1);
  if (targets.length === 0) throw usageError("Nothing says what to run.", "Name the programs: syla exec --parallel 4 a.py b.py");
  if (targets.includes("-")) throw usageError("Standard input is one program.", "Put it into a file, or leave --parallel out.");
  const names = nameFiles(targets);
  const runs: NamedRun[] = [];
  for (const [index, target] of targets.entries()) {
    // What is piped in can be read once only; of a file each gets its own.
    const wish = await readWish(target, args, { ...flags, stdin: flags.stdin ?? "/dev/null" });
    const prepared = await prepareRun(target, args, wish.flags, process.env);
    runs.push({ name: names[index] ?? target, prepared, workspace: wish.flags.workspace });
  }
  const json = flags.json === true;
  return await withServer(flags, (syla, options) => executeMany(syla, runs, { ...options, json, atOnce: Number(flags.parallel) }));
}

async function runAgain({ target, args, flags }: Wish): Promise<number> {
  if (target === "-") throw usageError("Standard input does not change.", "Put the program into a file.");
  return await rerunOnChange(
    () => watchedFiles(target, flags),
    () => startWatched({ target, args, flags }),
  );
}

function startWatched({ target, args, flags }: Wish): WatchedRun {
  let cancel: Cancellation | undefined;
  let stop: (() => void) | undefined;
  let stopped = false;
  const run = async () => {
    const prepared = await prepareRun(target, args, flags, process.env);
    return await withServer(flags, async (syla, options) => {
      cancel = options.cancel;
      const onRun = (id: string) => {
        stop = () => void syla.runs.cancel(id).catch(() => undefined);
        if (stopped) stop();
      };
      return await finishRun(syla, await execute(syla, prepared, { ...options, onRun }), flags, options.cancel.signal);
    });
  };
  return {
    ended: run(),
    cancel: () => {
      stopped = true;
      stop?.();
    },
    isStopped: () => cancel?.isCancelled() === true,
  };
}

/** What a program consists of here. */
function watchedFiles(target: string, { file, entrypoint, mount = [] }: Flags): readonly LocalFile[] {
  return [...collectProgram(target, file, entrypoint).files, ...mount.flatMap((text) => readMount(text).files)];
}

/** Connects, with what Ctrl-C does; the local server is started if it is the one that is meant. */
async function withServer(flags: Flags, use: (syla: Syla, options: ExecuteOptions) => Promise<number>): Promise<number> {
  const progress = createProgress();
  const onStart = () => progress.show("starting the local server …");
  const { syla, target: server } = await connect({ env: process.env, profile: flags.profile, start: true, onStart }).finally(
    progress.clear,
  );
  const cancel = cancelOnSignals(syla);
  const { workspace, writeBack } = flags;
  try {
    return await use(syla, { server, workspace, writeBack, cancel, progress, print: flags.json !== true });
  } finally {
    progress.clear();
    cancel.stop();
  }
}
