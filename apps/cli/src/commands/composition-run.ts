import type { CompositionConfig, CompositionRunDraft, LimitsInput } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { usageError } from "../cli-error.ts";
import { readInputs } from "../compositions/read-inputs.ts";
import { connect } from "../connection.ts";
import { findModel } from "../models/find-model.ts";
import { isClosedPipe } from "../output/closed-pipe.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { cancelOnSignals } from "../runs/cancel-on-signals.ts";
import { finishRun } from "../runs/finish-run.ts";
import { followRun } from "../runs/follow-run.ts";
import { parseDuration, parseResources, parseVariables } from "../runs/parse-flags.ts";
import { priorityOption, type QueueFlags, readQueueFlags, startAtOption } from "../runs/queue-flags.ts";
import { resultOfError } from "../runs/result-document.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, QueueFlags {
  readonly input: readonly string[];
  readonly inputs?: string;
  readonly at?: string;
  readonly model?: string;
  readonly from?: string;
  readonly until?: string;
  readonly only?: string;
  readonly restart?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly timeout?: string;
  readonly resource: readonly string[];
  readonly detach?: boolean;
}

export const compositionRunCommand: Command = defineServerCommand("run", "run a composition, and print what comes out of it")
  .argument("<composition>", "its id, slug or name")
  .option("-i, --input <name=value>", "an input: JSON, or a text where it takes one", collect, [])
  .option("--inputs <file>", "all inputs as one JSON object; - for standard input")
  .option("--at <version>", "a published version; what is there now when left out")
  .option("--model <model>", "a model in place of every model in it: its id, slug or name")
  .option("--until <node>", "nothing behind this node: ids with / between")
  .option("--from <node>", "this node and what is behind it anew, what is before it from kept results")
  .option("--only <node>", "this node alone")
  .option("--restart <run>", "go on from a run: what succeeded in it is kept")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("-t, --timeout <duration>", "the longest it may take")
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,…", collect, [])
  .addOption(priorityOption())
  .addOption(startAtOption())
  .option("-d, --detach", "print the run's id and do not wait for it")
  .action(async (word: string, flags: Flags) => {
    try {
      process.exitCode = await run(word, flags);
    } catch (error) {
      if (isClosedPipe(error)) throw error;
      const { report, exitCode } = describeError(error);
      if (flags.json === true) printJson(resultOfError(report, null));
      else process.stderr.write(renderError(report));
      process.exitCode = exitCode;
    }
  });

async function run(word: string, flags: Flags): Promise<number> {
  if (flags.only !== undefined && (flags.from ?? flags.until) !== undefined)
    throw usageError("--only goes with neither --from nor --until.", "Say one of them.");
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const progress = createProgress();
  const cancel = cancelOnSignals(syla);
  try {
    const composition = await findAsset(syla, "composition", word);
    const limits: LimitsInput = {
      ...parseResources(flags.resource),
      ...(flags.timeout !== undefined && { wallMs: parseDuration(flags.timeout) }),
    };
    const draft: CompositionRunDraft = {
      inputs: await readInputs(flags, (composition.config as CompositionConfig).inputs),
      env: parseVariables(flags.envFile, flags.env, process.env),
      limits,
      ...readQueueFlags(flags),
      ...(flags.at !== undefined && { version: flags.at }),
      ...(flags.model !== undefined && { model: (await findModel(syla, flags.model)).id }),
      ...(flags.until !== undefined && { until: flags.until }),
      ...(flags.from !== undefined && { from: flags.from }),
      ...(flags.only !== undefined && { only: flags.only }),
      ...(flags.restart !== undefined && { restartOf: flags.restart }),
    };
    const started = await syla.compositionRuns.start(composition.id, draft, { signal: cancel.signal });
    if (flags.detach === true) {
      if (flags.json === true) printJson({ runId: started.id, status: started.status });
      else printLine(started.id);
      return 0;
    }
    cancel.watch(started.id);
    const ended = await followRun(syla, started.id, { signal: cancel.signal, progress, print: flags.json !== true });
    return await finishRun(syla, ended, flags, cancel.signal);
  } finally {
    progress.clear();
    cancel.stop();
  }
}
