import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxDeleteCommand: Command = defineServerCommand("delete", "end sandboxes with everything in them")
  .argument("<sandboxes...>", "their ids")
  .action(async (ids: string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for (const id of ids) await syla.sandboxes.delete(id);
    if (flags.json === true) printJson({ deleted: ids });
  });
