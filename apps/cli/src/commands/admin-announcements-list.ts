import type { Announcement } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminAnnouncementsListCommand: Command = defineServerCommand("list", "list the announcements that hold now").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items = await syla.announcements.list();
    if (flags.json === true) return printJson({ items });
    printTable<Announcement>(
      [
        { title: "id", value: (announcement) => announcement.id },
        { title: "level", value: (announcement) => styleStatus(process.stdout, announcement.level) },
        { title: "title", value: (announcement) => plainLine(announcement.title) },
        { title: "since", value: (announcement) => announcement.createdAt },
        { title: "until", value: (announcement) => announcement.endsAt ?? "-" },
      ],
      items,
    );
  },
);
