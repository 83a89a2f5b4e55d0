import type { Tier } from "@syla/contracts/runs";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { findProgram } from "../programs/find-program.ts";
import { printJson, printLine } from "../output/print.ts";
import { allowDomainOption, networkOption, type NetworkFlags, readNetwork } from "../runs/network-flags.ts";
import { parseDuration, parseResources, parseVariables } from "../runs/parse-flags.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags {
  readonly name?: string;
  readonly language?: string;
  readonly program?: string;
  readonly version?: string;
  readonly env: readonly string[];
  readonly resource: readonly string[];
  readonly tier?: Tier;
  readonly idle?: string;
  readonly end?: string;
}

export const sandboxCreateCommand: Command = defineServerCommand("create", "create a long-lived sandbox, and print its id")
  .option("-n, --name <name>", "what you call it")
  .option("-l, --language <name>", "the language that is meant when code does not say")
  .option("--program <program>", "with the files and the packages of this program of the catalog")
  .option("--version <version>", "of this version of the program")
  .option("-e, --env <NAME=value>", "set a variable for every process; NAME alone passes yours on", collect, [])
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,processes=50,files=256", collect, [])
  .addOption(new Option("--tier <name>", "how it is isolated").choices(["namespace", "gvisor", "microvm", "kubernetes"]))
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .option("--idle <duration>", "pause it when it was not used for so long (30m)")
  .option("--end <duration>", "end it after so long (24h)")
  .action(async (flags: Flags) => {
    const network = readNetwork(flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true });
    const sandbox = await syla.sandboxes.create({
      ...(flags.name !== undefined && { name: flags.name }),
      ...(flags.program !== undefined && { programId: (await findProgram(syla, flags.program)).id }),
      ...(flags.version !== undefined && { version: flags.version }),
      ...(flags.language !== undefined && { language: flags.language }),
      env: parseVariables([], flags.env, process.env),
      limits: parseResources(flags.resource),
      ...(flags.tier !== undefined && { tier: flags.tier }),
      ...(network !== undefined && { network }),
      ...(flags.idle !== undefined && { idleTimeoutMs: parseDuration(flags.idle) }),
      ...(flags.end !== undefined && { hardEndMs: parseDuration(flags.end) }),
    });
    if (flags.json === true) printJson(await sandbox.get());
    else printLine(sandbox.id);
  });
