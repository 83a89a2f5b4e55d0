import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authRevokeKeyCommand: Command = defineServerCommand("revoke-key", "make an API key worthless")
  .argument("<id>", "its id, from `syla auth keys`")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.apiKeys.delete(id);
    if (flags.json === true) printJson({ id, revoked: true });
    else printLine("Revoked.");
  });
