import type { Runtime } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { runtimesInstallCommand } from "./runtimes-install.ts";

export const runtimesCommand: Command = defineServerCommand(
  "runtimes",
  "list the languages with their versions, and how to get those that are missing",
)
  .action(async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = await syla.runtimes.list();
    if (flags.json === true) return printJson({ items });
    printTable<Runtime>(
      [
        { title: "language", value: (runtime) => plainLine(runtime.name) },
        { title: "versions", value: (runtime) => plainLine(runtime.versions.join(", ") || "-") },
        { title: "aliases", value: (runtime) => plainLine(runtime.aliases.join(", ")) },
        { title: "files", value: (runtime) => plainLine(runtime.extensions.join(" ")) },
        { title: "starts", value: describeStart },
        { title: "packages", value: describePackages },
      ],
      items,
    );
  })
  .enablePositionalOptions()
  .addCommand(runtimesInstallCommand);

const starts: Readonly<Record<Runtime["pooling"], string>> = { fork: "forked", preboot: "booted ahead", cold: "afresh" };

function describeStart(runtime: Runtime): string {
  if (!runtime.available) return style(process.stdout, "yellow", `missing: ${plainLine(runtime.install ?? "")}`);
  return runtime.compiled ? "compiled" : starts[runtime.pooling];
}

function describePackages({ packages }: Runtime): string {
  if (packages === null) return "-";
  return packages.available ? packages.manager : style(process.stdout, "yellow", `missing: ${plainLine(packages.install ?? "")}`);
}
