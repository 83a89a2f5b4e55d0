import type { Credential } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { credentialKinds } from "@syla/contracts/credential-kinds";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const credentialListCommand: Command = defineServerCommand("list", "list your credentials and those of your teams")
  .addOption(new Option("--kind <kind>", "only of this kind").choices(credentialKinds))
  .action(async (flags: CommonFlags & { readonly kind?: Credential["kind"] }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items: Credential[] = [];
    for await (const credential of syla.credentials.list(flags.kind === undefined ? {} : { kind: flags.kind })) items.push(credential);
    if (flags.json === true) return printJson({ items });
    printTable<Credential>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "name", value: ({ name }) => plainLine(name) },
        { title: "kind", value: ({ kind }) => kind },
        { title: "host", value: ({ host }) => plainLine(host ?? "-") },
        { title: "owner", value: ({ owner }) => plainLine(owner.name) },
        { title: "used by", value: ({ useCount }) => String(useCount), align: "right" },
        { title: "last used", value: ({ lastUsedAt }) => lastUsedAt ?? "-" },
        { title: "expires", value: ({ expiresAt }) => expiresAt ?? "-" },
      ],
      items,
    );
  });
