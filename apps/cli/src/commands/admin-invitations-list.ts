import type { Invitation } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

interface Flags extends CommonFlags {
  readonly limit: string;
  readonly cursor?: string;
}

export const adminInvitationsListCommand: Command = defineServerCommand("list", "list invitations to make an account, newest first")
  .option("-n, --limit <number>", "how many, at most 200", "50")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (flags: Flags) => {
    const limit = parsePageSize(flags.limit);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const page = await syla.invitations.list({ limit, ...(flags.cursor !== undefined && { cursor: flags.cursor }) });
    if (flags.json === true) return printJson(page);
    printTable<Invitation>(
      [
        { title: "id", value: (invitation) => invitation.id },
        { title: "e-mail", value: (invitation) => plainLine(invitation.email) },
        { title: "role", value: (invitation) => invitation.role },
        { title: "state", value: (invitation) => styleStatus(process.stdout, invitation.status) },
        { title: "by", value: (invitation) => plainLine(invitation.invitedBy ?? "-") },
        { title: "ends", value: (invitation) => invitation.expiresAt.slice(0, 10) },
      ],
      page.items,
    );
  });
