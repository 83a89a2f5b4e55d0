import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTrigger } from "../triggers/find-trigger.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const triggerDeleteCommand: Command = defineServerCommand("delete", "delete a trigger, with the list of its calls")
  .argument("<trigger>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name } = await findTrigger(syla, word);
    await syla.triggers.delete(id);
    if (flags.json === true) printJson({ id });
    else printLine(`${plainLine(name)} is deleted.`);
  });
