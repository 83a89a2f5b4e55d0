import type { Command } from "commander";
import { describeProblem } from "../compositions/print-problems.ts";
import { readDocument } from "../compositions/read-document.ts";
import { printJson } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

export const compositionCompileCommand: Command = defineCommand(
  "compile",
  "print a composition as one Python file that runs anywhere; needs no server",
)
  .argument("<file>", "its JSON; - for standard input")
  .action(async (file: string, flags: CommonFlags) => {
    const document = await readDocument(file);
    const { compileFlow } = await import("@syla/flow/compile");
    const { problems, compiled } = compileFlow(document);
    if (flags.json === true) printJson({ source: compiled?.source ?? null, lines: compiled?.lines ?? [], problems });
    else {
      for (const problem of problems) note(describeProblem(problem));
      if (compiled !== undefined) process.stdout.write(compiled.source);
    }
    if (compiled === undefined) process.exitCode = 1;
  });
