import type { Command } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const credentialShowCommand: Command = defineServerCommand(
  "show",
  "show what is known of a credential, and what uses it; never its value",
)
  .argument("<credential>", "its id or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const credential = await syla.credentials.get((await findCredential(syla, word)).id);
    if (flags.json === true) return printJson(credential);
    printFields([
      ["id", credential.id],
      ["name", plainLine(credential.name)],
      ["kind", credential.kind],
      ["host", plainLine(credential.host ?? "-")],
      ["user name", plainLine(credential.username ?? "-")],
      ["owner", plainLine(credential.owner.name)],
      ["expires", credential.expiresAt ?? "never"],
      ["value changed", credential.valueChangedAt],
      ["last used", credential.lastUsedAt ?? "never"],
    ]);
    if (credential.uses.length === 0) return;
    printLine();
    printTable(
      [
        { title: "used by", value: ({ name }) => plainLine(name) },
        { title: "type", value: ({ type }) => type },
        { title: "id", value: ({ id }) => id },
      ],
      credential.uses,
    );
  });
