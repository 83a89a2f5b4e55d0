import type { PackageIndex } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { allPackageIndexes } from "../programs/package-indexes.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentIndexListCommand: Command = defineServerCommand(
  "list",
  "list the package indexes that are yours, your teams', or everybody's",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const items = await allPackageIndexes(syla);
  if (flags.json === true) return printJson({ items });
  printTable<PackageIndex>(
    [
      { title: "id", value: ({ id }) => id },
      { title: "name", value: ({ name }) => plainLine(name) },
      { title: "language", value: ({ language }) => language },
      { title: "packages", value: ({ packages }) => plainLine(packages.join(" ")) },
      { title: "owner", value: ({ owner }) => plainLine(owner.name) },
      { title: "credential", value: ({ credentialId }) => credentialId ?? "-" },
      { title: "address", value: ({ url }) => plainLine(url) },
    ],
    items,
  );
});
