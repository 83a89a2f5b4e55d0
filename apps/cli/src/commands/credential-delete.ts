import type { Command } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const credentialDeleteCommand: Command = defineServerCommand("delete", "delete a credential that nothing uses")
  .argument("<credential>", "its id or name")
  .option("--force", "although something uses it, which fails from then on")
  .action(async (word: string, flags: CommonFlags & { readonly force?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name } = await findCredential(syla, word);
    await syla.credentials.delete(id, { force: flags.force === true });
    if (flags.json === true) printJson({ id });
    else printLine(`${plainLine(name)} is deleted.`);
  });
