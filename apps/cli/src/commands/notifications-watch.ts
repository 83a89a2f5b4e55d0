import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { defineServerCommand, type CommonFlags } from "./command.ts";

export const notificationsWatchCommand: Command = defineServerCommand("watch", "print each notification as it comes, until Ctrl-C").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const leaving = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => leaving.abort());
    // Where it begins: what comes while the connection is made is said as well.
    const { seq } = await syla.notifications.unread();
    for await (const event of syla.notifications.follow({ after: seq, signal: leaving.signal })) {
      if (event.type !== "notification") continue;
      const { id, type, title, createdAt } = event.notification;
      if (flags.json === true) printJson(event.notification);
      else printLine([id, createdAt, type, plainLine(title)].join("\t"));
    }
  },
);
