import type { Identity } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authIdentitiesListCommand: Command = defineServerCommand(
  "list",
  "list the accounts elsewhere that let you in (they are linked in the web pages)",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const items = await syla.me.identities.list();
  if (flags.json === true) return printJson({ items });
  printTable<Identity>(
    [
      { title: "id", value: (identity) => identity.id },
      { title: "provider", value: (identity) => plainLine(identity.providerName) },
      { title: "linked", value: (identity) => identity.createdAt },
    ],
    items,
  );
});
