import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly timeZone?: string;
}

export const accountSetCommand: Command = defineServerCommand("set", "change your name or your time zone")
  .option("--name <name>", "what people call you")
  .option("--time-zone <zone>", "e.g. Europe/Oslo")
  .action(async ({ name, timeZone, ...flags }: Flags) => {
    if (name === undefined && timeZone === undefined) throw usageError("There is nothing to change.", "Give --name or --time-zone.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const me = await syla.me.update({ ...(name !== undefined && { name }), ...(timeZone !== undefined && { timeZone }) });
    if (flags.json === true) printJson(me);
    else printLine(`${plainLine(me.name)}, ${plainLine(me.timeZone)}`);
  });
