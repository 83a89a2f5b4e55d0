import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxChmodCommand: Command = defineServerCommand("chmod", "say who may read, write and run files of a sandbox")
  .argument("<sandbox>", "its id")
  .argument("<mode>", "in octal digits: 755")
  .argument("<paths...>", "the paths there")
  .action(async (id: string, digits: string, paths: string[], flags: CommonFlags) => {
    if (!/^0?[0-7]{3}$/.test(digits)) throw usageError(`"${digits}" is no mode.`, "Write three octal digits: 755, 644.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { files } = syla.sandboxes.open(id);
    const changed = [];
    for (const path of paths) changed.push(await files.chmod(path, Number.parseInt(digits, 8)));
    if (flags.json === true) printJson(changed);
  });
