import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentDeleteCommand: Command = defineServerCommand(
  "delete",
  "remove environments from the disk (administrators); their next use builds the same again",
)
  .argument("<environments...>", "their ids")
  .action(async (ids: string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for (const id of ids) await syla.environments.delete(id);
    if (flags.json === true) printJson({ deleted: ids });
  });
