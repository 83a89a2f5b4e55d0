import type { PackageLanguage } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { printJson, printLine } from "../output/print.ts";
import { findOwner, type OwnerFlags, ownerOptions } from "../teams/find-owner.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, OwnerFlags {
  readonly language: PackageLanguage;
  readonly packages: string[];
  readonly credential?: string;
}

export const environmentIndexCreateCommand: Command = ownerOptions(
  "for the programs of a team that you own",
  "for everybody's programs (administrators)",
)
  .reduce(
    (command, option) => command.addOption(option),
    defineServerCommand("create", "name an index that some packages come from, and from nowhere else"),
  )
  .argument("<name>", "what you call it")
  .argument("<url>", "of the simple index (Python), the registry (Node.js) or the module proxy (Go)")
  .addOption(new Option("--language <language>", "whose packages it has").choices(["python", "node", "go"]).default("python"))
  .requiredOption("--packages <patterns...>", "which packages come from it: acme-*, @acme/*, git.example.org/*, or whole names")
  .option("--credential <credential>", "id or name of a credential of the kind index, for indexes that ask for one")
  .action(async (name: string, url: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ownerId = await findOwner(syla, flags);
    const credentialId = flags.credential === undefined ? null : (await findCredential(syla, flags.credential, ownerId)).id;
    const { language, packages } = flags;
    const index = await syla.packageIndexes.create({
      name,
      url,
      language,
      packages,
      credentialId,
      ...(ownerId !== undefined && { ownerId }),
    });
    if (flags.json === true) printJson(index);
    else printLine(index.id);
  });
