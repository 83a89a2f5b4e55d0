import type { Command } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { printJson, printLine } from "../output/print.ts";
import { findPackageIndex } from "../programs/package-indexes.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly url?: string;
  readonly packages?: string[];
  readonly credential?: string | false;
}

export const environmentIndexUpdateCommand: Command = defineServerCommand("update", "change a package index")
  .argument("<index>", "its id or name")
  .option("--name <name>", "call it that")
  .option("--url <url>", "its address")
  .option("--packages <patterns...>", "which packages come from it, in place of those before")
  .option("--credential <credential>", "id or name of another credential")
  .option("--no-credential", "ask it without one")
  .action(async (word: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findPackageIndex(syla, word);
    const { name, url, packages, credential } = flags;
    const credentialId = typeof credential === "string" ? (await findCredential(syla, credential)).id : null;
    const index = await syla.packageIndexes.update(id, {
      ...(name !== undefined && { name }),
      ...(url !== undefined && { url }),
      ...(packages !== undefined && { packages }),
      // Commander says `true` for an option with a `--no-` twin that was not given.
      ...((typeof credential === "string" || credential === false) && { credentialId }),
    });
    if (flags.json === true) printJson(index);
    else printLine(index.id);
  });
