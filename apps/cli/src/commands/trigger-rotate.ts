import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findTrigger } from "../triggers/find-trigger.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const triggerRotateCommand: Command = defineServerCommand("rotate", "print a new secret; the one before is good as well for a day")
  .argument("<trigger>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const rotated = await syla.triggers.rotate((await findTrigger(syla, word)).id);
    if (flags.json === true) printJson(rotated);
    else printLine(rotated.secret);
  });
