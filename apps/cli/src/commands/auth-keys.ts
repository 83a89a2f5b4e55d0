import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findUser } from "./find-user.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authKeysCommand: Command = defineServerCommand("keys", "list your API keys")
  .option("--user <user>", "those of this person (administrators): id or e-mail address")
  .action(async (flags: CommonFlags & { readonly user?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const keys = await syla.apiKeys.list(flags.user === undefined ? {} : { userId: (await findUser(syla, flags.user)).id });
    if (flags.json === true) return printJson({ items: keys });
    printTable(
      [
        { title: "id", value: (key) => key.id },
        { title: "name", value: (key) => plainLine(key.name) },
        { title: "scopes", value: (key) => key.scopes.join(",") },
        { title: "a minute", value: (key) => String(key.requestsPerMinute ?? "-"), align: "right" },
        { title: "quotas", value: (key) => (key.hasQuotas ? "own" : "-") },
        { title: "ends", value: (key) => key.expiresAt?.slice(0, 10) ?? "never" },
        { title: "used", value: (key) => key.lastUsedAt?.slice(0, 10) ?? "never" },
      ],
      keys,
    );
  });
