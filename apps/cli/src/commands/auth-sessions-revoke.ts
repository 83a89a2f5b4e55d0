import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly all?: boolean;
}

export const authSessionsRevokeCommand: Command = defineServerCommand("revoke", "sign browsers out")
  .argument("[ids...]", "which, from `syla auth sessions list`")
  .option("--all", "all of them")
  .action(async (given: readonly string[], flags: Flags) => {
    if ((given.length === 0) === (flags.all !== true)) throw usageError("Nothing says which.", "Give ids, or --all for every one.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ids = flags.all === true ? (await syla.sessions.list()).map(({ id }) => id) : given;
    for (const id of ids) await syla.sessions.revoke(id);
    if (flags.json === true) printJson({ revoked: ids });
    else printLine(`${ids.length} signed out`);
  });
