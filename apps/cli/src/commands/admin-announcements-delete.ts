import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminAnnouncementsDeleteCommand: Command = defineServerCommand("delete", "take an announcement down")
  .argument("<id>", "its id, from `syla admin announcements list`")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.admin.deleteAnnouncement(id);
    if (flags.json === true) printJson({ deleted: id });
    else printLine("Taken down.");
  });
