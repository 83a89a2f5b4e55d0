import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authIdentitiesUnlinkCommand: Command = defineServerCommand("unlink", "let an account elsewhere let you in no more")
  .argument("<id>", "its id, from `syla auth identities list`")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.me.identities.unlink(id);
    if (flags.json === true) printJson({ unlinked: id });
    else printLine("Unlinked.");
  });
