import type { AssetChange, LeastTier, ProgramConfig } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { findModel } from "../models/find-model.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProgram } from "../programs/find-program.ts";
import { readSecrets } from "../programs/read-secrets.ts";
import { allowDomainOption, type NetworkFlags, networkOption, readNetwork } from "../runs/network-flags.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags {
  readonly model?: string;
  readonly size?: "small" | "medium" | "large";
  readonly leastTier?: LeastTier;
  readonly language?: string;
  readonly entrypoint?: string;
  readonly description?: string;
  readonly tag?: string;
  readonly secret: readonly string[];
}

export const programSetCommand: Command = defineServerCommand("set", "change how a program is run, and what is known of it")
  .argument("<program>", "its id, slug or name")
  .option("--model <model>", "the model that it is bound to; `none` for none")
  .addOption(new Option("--size <size>", "how much it may use (its resource profile)").choices(["small", "medium", "large"]))
  .addOption(new Option("--least-tier <name>", "how its runs are isolated at least").choices(["namespace", "microvm"]))
  .option("-l, --language <name>", "its language, e.g. python or python@3.11")
  .option("-e, --entrypoint <path>", "the file to start")
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .option("-d, --description <text>", "what it does")
  .option("-t, --tag <tags>", "its tags, in place of those that it has (comma separated)")
  .option(
    "--secret <VARIABLE=credential>",
    "a credential that its runs get as a variable, and whose runs: VARIABLE=credential[:owner|editors|runners]; VARIABLE= takes it back",
    collect,
    [],
  )
  .action(async (word: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word);
    const before = syla.programs.config(program);
    const network = readNetwork(flags);
    const config: Partial<ProgramConfig> = {
      ...(flags.model !== undefined && { modelId: flags.model === "none" ? null : (await findModel(syla, flags.model)).id }),
      ...(flags.size !== undefined && { profile: flags.size }),
      ...(flags.leastTier !== undefined && { leastTier: flags.leastTier }),
      ...(flags.language !== undefined && readLanguage(flags.language)),
      ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint }),
      ...(network !== undefined && { network }),
      ...(flags.secret.length > 0 && { secrets: await readSecrets(syla, before.secrets, flags.secret, program.owner.id) }),
    };
    const change: AssetChange = {
      ...(Object.keys(config).length > 0 && { config: { ...before, ...config } }),
      ...(flags.description !== undefined && { description: flags.description }),
      ...(flags.tag !== undefined && { tags: flags.tag.split(/[\s,]+/).filter((tag) => tag !== "") }),
    };
    if (Object.keys(change).length === 0) throw usageError("Say what changes.", "For example: --model gpt.");
    const changed = await syla.assets.update(program.id, change, program.revision);
    if (flags.json === true) printJson(changed);
    else printLine(`${plainLine(changed.name)} is changed.`);
  });

function readLanguage(text: string): Pick<ProgramConfig, "runtime" | "runtimeVersion"> {
  const [runtime = "", version] = text.split("@", 2);
  return { runtime, runtimeVersion: version === undefined || version === "" ? null : version };
}
