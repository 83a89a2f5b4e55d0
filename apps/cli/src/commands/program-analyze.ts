import type { Command } from "commander";
import { connect } from "../connection.ts";
import { createProgress } from "../output/progress.ts";
import { printJson } from "../output/print.ts";
import { printAnalysis } from "../programs/print-analysis.ts";
import { sendFiles } from "../runs/build-input.ts";
import { collectFolder } from "../runs/collect-files.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const programAnalyzeCommand: Command = defineServerCommand(
  "analyze",
  "tell what a program is without running it: entrypoints, dependencies, slots, calls of mellea, problems",
)
  .argument("<folder>", "the program's folder; .git, node_modules, __pycache__, .venv and the like are left out")
  .action(async (folder: string, flags: CommonFlags) => {
    const files = collectFolder(folder);
    const progress = createProgress();
    const onStart = () => progress.show("starting the local server …");
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true, onStart }).finally(progress.clear);
    const stop = new AbortController();
    progress.show(`reading ${files.length} files …`);
    const analysis = await sendFiles(syla, files, stop.signal)
      .then((sent) => syla.analyses.create(sent))
      .finally(progress.clear);
    if (flags.json === true) printJson(analysis);
    else printAnalysis(analysis);
    if (analysis.problems.some(({ severity }) => severity === "error")) process.exitCode = 1;
  });
