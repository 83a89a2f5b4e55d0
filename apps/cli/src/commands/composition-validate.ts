import type { Command } from "commander";
import { describeProblem } from "../compositions/print-problems.ts";
import { readDocument } from "../compositions/read-document.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

export const compositionValidateCommand: Command = defineCommand(
  "validate",
  "tell everything that is wrong with a composition; needs no server",
)
  .argument("<file>", "its JSON; - for standard input")
  .action(async (file: string, flags: CommonFlags) => {
    const document = await readDocument(file);
    const { isSound, validateFlow } = await import("@syla/flow/validate");
    const { notReused } = await import("@syla/flow/reuse");
    const { hashGraph } = await import("@syla/flow/canonical");
    const { problems, graph } = validateFlow(document);
    const isValid = isSound(problems);
    const anew = graph === undefined ? [] : notReused(graph);
    if (flags.json === true) printJson({ valid: isValid, hash: graph === undefined ? null : hashGraph(graph), problems, notReused: anew });
    else {
      for (const problem of problems) printLine(describeProblem(problem));
      if (isValid && anew.length > 0) printLine(`Each run makes these anew, results of earlier ones are not taken: ${anew.join(", ")}`);
    }
    if (!isValid) process.exitCode = 1;
  });
