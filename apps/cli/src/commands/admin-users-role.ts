import { Argument, type Command } from "commander";
import type { Role } from "@syla/sdk";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersRoleCommand: Command = defineServerCommand("role", "change the role of an account")
  .argument("<user>", "id or e-mail address")
  .addArgument(new Argument("<role>", "the new role").choices(["end_user", "developer", "admin"]))
  .action(async (named: string, role: Role, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const user = await syla.users.setRole((await findUser(syla, named)).id, role);
    if (flags.json === true) printJson(user);
    else printLine(`${plainLine(user.name)} is ${user.role} now`);
  });
