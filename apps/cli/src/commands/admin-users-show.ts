import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

export const adminUsersShowCommand: Command = defineServerCommand("show", "show an account, and what it has")
  .argument("<user>", "id or e-mail address")
  .action(async (named: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const user = await syla.users.get((await findUser(syla, named)).id);
    if (flags.json === true) return printJson(user);
    const { holdings: has } = user;
    const why = user.suspendedReason === null ? "" : `: ${plainLine(user.suspendedReason)}`;
    printFields([
      ["id", user.id],
      ["name", plainLine(user.name)],
      ["e-mail", plainLine(user.email ?? "-")],
      ["role", user.role],
      ["status", `${styleStatus(process.stdout, user.status)}${why}`],
      ["second factor", user.twoFactorEnabled ? "on" : "off"],
      ["created", user.createdAt],
      ["last seen", user.lastSeenAt ?? "never"],
      ["has", `${has.runs} runs, ${has.sandboxes} sandboxes, ${has.assets} assets, ${has.apiKeys} keys, ${has.sessions} sessions`],
      ["is in", `${has.teams} teams, and was given ${has.grants} things`],
    ]);
  });
