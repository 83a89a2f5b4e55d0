import type { Command } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { readValue } from "../credentials/read-value.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const credentialReplaceCommand: Command = defineServerCommand(
  "replace",
  "replace the value of a credential with one from standard input, or typed",
)
  .argument("<credential>", "its id or name")
  .option("--host <host>", "the git server or package index that the new value is for")
  .option("--expires <time>", "when the new value ends; `never` for without end")
  .action(async (word: string, flags: CommonFlags & { readonly expires?: string; readonly host?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findCredential(syla, word);
    const credential = await syla.credentials.update(id, {
      value: await readValue("The new secret (it is not shown)"),
      ...(flags.host === undefined ? {} : { host: flags.host }),
      ...(flags.expires === undefined ? {} : { expiresAt: flags.expires === "never" ? null : flags.expires }),
    });
    if (flags.json === true) printJson(credential);
    else printLine(`The value of ${plainLine(credential.name)} is replaced.`);
  });
