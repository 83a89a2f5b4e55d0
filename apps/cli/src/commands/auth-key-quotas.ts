import type { KeyQuota } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { addQuotaFlags, type QuotaFlags, quotaLabels, readQuotaFlags } from "./quota-flags.ts";

/** Shows the quotas of a key's own, after changing those that are given. */
export const authKeyQuotasCommand: Command = addQuotaFlags(
  defineServerCommand("key-quotas", "show or set what one API key may use, within your own quotas").argument(
    "<key>",
    "its id (as `auth keys` lists them)",
  ),
  "none: only yours holds",
).action(async (id: string, flags: CommonFlags & QuotaFlags) => {
  const input = readQuotaFlags(flags, { none: null });
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const quotas = Object.keys(input).length > 0 ? await syla.quotas.updateKey(id, input) : await syla.quotas.ofKey(id);
  if (flags.json === true) return printJson(quotas);
  printTable<KeyQuota>(
    [
      { title: "quota", value: ({ name }) => quotaLabels[name] },
      { title: "limit", value: ({ limit }) => (limit === null ? "none" : String(limit)), align: "right" },
      { title: "used", value: ({ used }) => (used === null ? "-" : String(used)), align: "right" },
      { title: "counted anew", value: ({ resetsAt }) => plainLine(resetsAt?.slice(0, 16).replace("T", " ") ?? "-") },
    ],
    quotas.items,
  );
});
