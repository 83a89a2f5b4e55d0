import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTrigger } from "../triggers/find-trigger.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly version?: string;
  readonly workingTree?: boolean;
  readonly on?: boolean;
  readonly off?: boolean;
}

export const triggerUpdateCommand: Command = defineServerCommand("update", "change a trigger, switch it off or on")
  .argument("<trigger>", "its id or name")
  .option("--name <name>", "another name")
  .option("--version <version>", "run this published version")
  .option("--working-tree", "run the working tree")
  .option("--on", "let calls start runs again")
  .option("--off", "let no call start a run")
  .action(async (word: string, flags: Flags) => {
    if (flags.on === true && flags.off === true) throw usageError("Give --on or --off, not both.");
    if (flags.version !== undefined && flags.workingTree === true) throw usageError("Give --version or --working-tree, not both.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findTrigger(syla, word);
    const trigger = await syla.triggers.update(id, {
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.version === undefined ? {} : { version: flags.version }),
      ...(flags.workingTree === true ? { version: null } : {}),
      ...(flags.on === true ? { enabled: true } : {}),
      ...(flags.off === true ? { enabled: false } : {}),
    });
    if (flags.json === true) printJson(trigger);
    else printLine(`${plainLine(trigger.name)} is ${trigger.enabled ? "on" : "off"}.`);
  });
