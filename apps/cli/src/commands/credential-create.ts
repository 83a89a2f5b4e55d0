import { credentialKinds } from "@syla/contracts/credential-kinds";
import type { CredentialKind } from "@syla/contracts/credentials";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { readValue } from "../credentials/read-value.ts";
import { printJson, printLine } from "../output/print.ts";
import { findOwner, type OwnerFlags, ownerOptions } from "../teams/find-owner.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, OwnerFlags {
  readonly kind: CredentialKind;
  readonly username?: string;
  readonly host?: string;
  readonly expires?: string;
}

export const credentialCreateCommand: Command = ownerOptions("of a team that you own", "of the system, for what administrators keep")
  .reduce(
    (command, option) => command.addOption(option),
    defineServerCommand("create", "store a secret, read from standard input or typed, and print its id"),
  )
  .argument("<name>", "what you call it")
  .addOption(new Option("--kind <kind>", "what it is for").choices(credentialKinds).default("model"))
  .option("--username <name>", "what goes with the secret and is none itself")
  .option("--host <host>", "the git server or package index that it is for, e.g. github.com; it is sent nowhere else (kinds git and index)")
  .option("--expires <time>", "when it ends, e.g. 2030-01-31T00:00:00Z")
  .action(async (name: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ownerId = await findOwner(syla, flags);
    const credential = await syla.credentials.create({
      name,
      kind: flags.kind,
      value: await readValue("The secret (it is not shown)"),
      ...(flags.username === undefined ? {} : { username: flags.username }),
      ...(flags.host === undefined ? {} : { host: flags.host }),
      ...(ownerId === undefined ? {} : { ownerId }),
      ...(flags.expires === undefined ? {} : { expiresAt: flags.expires }),
    });
    if (flags.json === true) printJson(credential);
    else printLine(credential.id);
  });
