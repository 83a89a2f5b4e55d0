import type { ProgramAnalysis } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { note } from "../output/progress.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { printSlots } from "../programs/print-analysis.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly analyze?: boolean;
}

export const programShowCommand: Command = defineServerCommand("show", "show a program, with its slots")
  .argument("<program>", "its id, slug or name")
  .option("--version <version>", "the slots of a published version")
  .option("--analyze", "look for slots now if that has not been done")
  .action(async (word: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word);
    const analysis =
      flags.analyze === true
        ? await syla.programs.analyse(program.id, flags.version, { wait: true })
        : await syla.programs.analysis(program.id, flags.version);
    if (flags.json === true) return printJson({ ...program, analysis });
    const { runtime, runtimeVersion, entrypoint, modelId, profile, leastTier = "namespace", secrets } = syla.programs.config(program);
    printFields(
      (
        [
          ["id", program.id],
          ["name", program.name],
          ["slug", program.slug],
          ["description", program.description],
          ["tags", program.tags.join(", ")],
          ["owner", program.owner.name],
          ["access", `${program.visibility}; you have ${program.yourLevel}`],
          ["language", runtimeVersion === null ? runtime : `${runtime} ${runtimeVersion}`],
          ["entrypoint", entrypoint],
          ["model", modelId ?? "none"],
          ["size", typeof profile === "string" ? profile : JSON.stringify(profile)],
          ["isolation", leastTier === "namespace" ? "" : `${leastTier} at least`],
          ["secrets", secrets.map(({ variable, givenTo }) => `${variable} (${givenTo})`).join(", ")],
          ["files", program.tree === null ? "none" : `${program.tree.files} (${program.tree.bytes} bytes)`],
          ["version", program.version ?? "none published"],
          ["last run", program.lastRun === null ? "never" : `${program.lastRun.status} ${program.lastRun.at}`],
          ["changed", program.updatedAt],
          ["deleted", program.deletedAt ?? ""],
        ] as const
      ).flatMap(([name, value]) => (value === "" ? [] : [[name, plainLine(value)] as const])),
    );
    printFindings(analysis);
  });

function printFindings({ state, analysis, error }: ProgramAnalysis): void {
  if (analysis !== null) printSlots(analysis);
  else if (state === "failed" && error !== null) note(`its slots could not be read: ${plainLine(error.message)} ${plainLine(error.hint)}`);
  else if (state === "running") note("its slots are being read; ask again in a moment.");
  else note("its slots have not been looked for; say --analyze.");
}
