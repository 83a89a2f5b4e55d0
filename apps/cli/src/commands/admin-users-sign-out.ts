import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersSignOutCommand: Command = defineServerCommand("sign-out", "sign an account out everywhere; its API keys stay")
  .argument("<user>", "id or e-mail address")
  .action(async (named: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ended = await syla.users.signOut((await findUser(syla, named)).id);
    if (flags.json === true) printJson({ ended });
    else printLine(`${ended} sessions ended`);
  });
