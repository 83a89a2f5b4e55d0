import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findEnvironment } from "../programs/find-environment.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly off?: boolean;
}

export const environmentWarmCommand: Command = defineServerCommand(
  "warm",
  "keep an environment built at any time, with an interpreter booted ahead",
)
  .argument("<environment>", "its id, or a program that has it")
  .option("--version <version>", "of this version of the program")
  .option("--off", "want it warm no more")
  .action(async (text: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const keep = flags.off !== true;
    const wish = { build: keep, ...(flags.version !== undefined && { version: flags.version }) };
    const { id } = await findEnvironment(syla, text, wish);
    const environment = await syla.environments.keepWarm(id, keep);
    if (flags.json === true) printJson(environment);
    else printLine(`${id}  ${describeWarmth(environment.warmth)}`);
  });

/** How ready it is, in a few words. */
export function describeWarmth({ isWarm, isKept, byYou }: { isWarm: boolean; isKept: boolean; byYou: boolean }): string {
  const kept = byYou ? ", kept warm by you" : isKept ? ", kept warm by others" : "";
  return `${isWarm ? "warm" : "cold"}${kept}`;
}
