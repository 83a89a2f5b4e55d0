import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersReactivateCommand: Command = defineServerCommand("reactivate", "let a suspended account in again")
  .argument("<user>", "id or e-mail address")
  .action(async (named: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const user = await syla.users.reactivate((await findUser(syla, named)).id);
    if (flags.json === true) printJson(user);
    else printLine(`${plainLine(user.name)} is active again`);
  });
