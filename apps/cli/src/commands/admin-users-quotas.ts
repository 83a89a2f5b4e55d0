import type { Quota } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";
import { addQuotaFlags, type QuotaFlags, quotaLabels, readQuotaFlags } from "./quota-flags.ts";

export const adminUsersQuotasCommand: Command = addQuotaFlags(
  defineServerCommand("quotas", "show or set what somebody may use").argument("<user>", "id or e-mail address"),
  "none: no limit; default: that of the role",
).action(async (named: string, flags: CommonFlags & QuotaFlags) => {
  const input = readQuotaFlags(flags, { none: -1, default: null });
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const { id } = await findUser(syla, named);
  const quotas = Object.keys(input).length > 0 ? await syla.quotas.update(id, input) : await syla.quotas.list(id);
  if (flags.json === true) return printJson(quotas);
  printTable<Quota>(
    [
      { title: "quota", value: ({ name }) => quotaLabels[name] },
      { title: "limit", value: ({ limit }) => (limit < 0 ? "none" : String(limit)), align: "right" },
      { title: "of", value: ({ isDefault }) => (isDefault ? "the role" : "the person") },
      { title: "used", value: ({ used }) => (used === null ? "-" : String(used)), align: "right" },
      { title: "counted anew", value: ({ resetsAt }) => resetsAt?.slice(0, 16).replace("T", " ") ?? "-" },
    ],
    quotas.items,
  );
});
