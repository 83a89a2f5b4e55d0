import type { TriggerCall } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTrigger } from "../triggers/find-trigger.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const triggerCallsCommand: Command = defineServerCommand("calls", "list the last calls of a trigger, and what came of each")
  .argument("<trigger>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.triggers.calls((await findTrigger(syla, word)).id);
    if (flags.json === true) return printJson(page);
    printTable<TriggerCall>(
      [
        { title: "at", value: ({ at }) => at },
        { title: "outcome", value: ({ outcome }) => outcome },
        { title: "run", value: ({ runId }) => runId ?? "-" },
        { title: "problem", value: ({ errorCode }) => errorCode ?? "-" },
        { title: "from", value: ({ ip }) => ip },
        { title: "bytes", value: ({ bytes }) => String(bytes), align: "right" },
        { title: "name", value: ({ deliveryId }) => plainLine(deliveryId ?? "-") },
      ],
      page.items,
    );
  });
