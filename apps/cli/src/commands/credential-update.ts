import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const credentialRenameCommand: Command = defineServerCommand("rename", "call a credential something else")
  .argument("<credential>", "its id or name")
  .argument("<name>", "what you call it from now on")
  .action(async (word: string, name: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, revision } = await findCredential(syla, word);
    const credential = await syla.credentials.update(id, { name }, { revision });
    if (flags.json === true) printJson(credential);
    else printLine(`It is called ${plainLine(credential.name)} now.`);
  });

interface UpdateFlags extends CommonFlags {
  readonly expires?: string;
  readonly username?: string | false;
}

export const credentialUpdateCommand: Command = defineServerCommand("update", "change when a credential ends, or what goes with its secret")
  .argument("<credential>", "its id or name")
  .option("--expires <time>", "when it ends, e.g. 2030-01-31T00:00:00Z; `never` for without end")
  .option("--username <name>", "what goes with the secret and is none itself")
  .option("--no-username", "nothing goes with it")
  .action(async (word: string, { expires, username, ...flags }: UpdateFlags) => {
    // Commander says `true` for an option with a `--no-` twin that was not given.
    const named = typeof username === "string" || username === false;
    if (expires === undefined && !named) throw usageError("Say what changes.", "For example: --expires 2030-01-31T00:00:00Z.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, revision } = await findCredential(syla, word);
    const change = {
      ...(expires === undefined ? {} : { expiresAt: expires === "never" ? null : expires }),
      ...(named ? { username: username === false ? null : username } : {}),
    };
    const credential = await syla.credentials.update(id, change, { revision });
    if (flags.json === true) printJson(credential);
    else
      printLine(
        `${plainLine(credential.name)} is changed; it ${credential.expiresAt === null ? "has no end" : `ends at ${credential.expiresAt}`}.`,
      );
  });
