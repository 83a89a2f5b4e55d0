import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { findEnvironment } from "../programs/find-environment.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { describeWarmth } from "./environment-warm.ts";

export const environmentShowCommand: Command = defineServerCommand("show", "show an environment: its state, packages and licences")
  .argument("<environment>", "its id, or a program that has it")
  .option("--version <version>", "of this version of the program")
  .option("--lock", "print the exact versions, in the package manager's own format")
  .action(async (text: string, flags: CommonFlags & { readonly version?: string; readonly lock?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const environment = await findEnvironment(syla, text, flags.version === undefined ? {} : { version: flags.version });
    if (flags.lock === true) return void process.stdout.write(await (await syla.environments.lock(environment.id)).text());
    if (flags.json === true) return printJson(environment);
    printFields([
      ["id", environment.id],
      ["state", environment.phase === null ? environment.state : `${environment.state} (${environment.phase})`],
      ["language", `${environment.language} ${environment.runtimeVersion}, ${environment.platform}`],
      ["from", environment.source],
      ["warmth", describeWarmth(environment.warmth)],
      ["size", environment.size === null ? "-" : formatBytes(environment.size)],
      ["programs", String(environment.programCount)],
      ["used", environment.usedAt],
    ]);
    const { error } = environment;
    if (error !== null)
      printLine(
        `\n${plainLine(error.message)}\n${plainLine(error.hint)}${error.explanation === null ? "" : `\n\n${plainText(error.explanation)}`}`,
      );
    if (environment.packages.length === 0) return;
    printLine();
    printTable(
      [
        { title: "package", value: (entry) => plainLine(entry.name) },
        { title: "version", value: (entry) => plainLine(entry.version) },
        { title: "licence", value: (entry) => plainLine(entry.license ?? "-") },
      ],
      environment.packages,
    );
  });
