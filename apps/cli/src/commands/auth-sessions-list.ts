import type { Session } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authSessionsListCommand: Command = defineServerCommand("list", "list the browsers in which you are signed in").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = await syla.sessions.list();
    if (flags.json === true) return printJson({ items });
    printTable<Session>(
      [
        { title: "id", value: (session) => session.id },
        { title: "began", value: (session) => (process.stdout.isTTY ? formatAge(session.createdAt) : session.createdAt) },
        { title: "ends", value: (session) => session.expiresAt.slice(0, 10) },
        { title: "address", value: (session) => plainLine(session.ip ?? "-") },
        { title: "browser", value: (session) => plainLine(session.userAgent ?? "-") },
      ],
      items,
    );
  },
);
