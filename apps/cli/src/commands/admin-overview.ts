import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminOverviewCommand: Command = defineServerCommand("overview", "people, teams and what waits to be sent, in numbers").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const overview = await syla.admin.overview();
    if (flags.json === true) return printJson(overview);
    const { users, teams, invitations, sessions, deliveries, mail } = overview;
    printFields([
      ["people", `${users.total}, of them ${users.seenThisWeek} seen this week, ${users.suspended} suspended`],
      ["roles", `${users.admins} administrators, ${users.developers} developers, ${users.endUsers} end users`],
      ["teams", `${teams.total}, with ${teams.members} people`],
      ["invitations", `${invitations} open`],
      ["sessions", String(sessions)],
      ["deliveries", `${deliveries.due} wait, ${deliveries.failed} have failed`],
      ["mail", mail ? "sent" : "waits: no SMTP server is configured"],
    ]);
  },
);
