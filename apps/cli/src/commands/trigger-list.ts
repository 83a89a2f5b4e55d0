import type { Trigger } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const triggerListCommand: Command = defineServerCommand("list", "list your triggers")
  .option("--program <program>", "only those of this program")
  .action(async (flags: CommonFlags & { readonly program?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const filter = flags.program === undefined ? {} : { programId: (await findProgram(syla, flags.program)).id };
    const items: Trigger[] = [];
    for await (const trigger of syla.triggers.list(filter)) items.push(trigger);
    if (flags.json === true) return printJson({ items });
    printTable<Trigger>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "name", value: ({ name }) => plainLine(name) },
        { title: "state", value: ({ enabled }) => (enabled ? "on" : "off") },
        { title: "program", value: ({ program }) => plainLine(program.name ?? program.id) },
        { title: "version", value: ({ version }) => plainLine(version ?? "-") },
        { title: "auth", value: ({ auth }) => auth },
        { title: "last called", value: ({ lastCalledAt }) => lastCalledAt ?? "-" },
        { title: "url", value: ({ url }) => url },
      ],
      items,
    );
  });
