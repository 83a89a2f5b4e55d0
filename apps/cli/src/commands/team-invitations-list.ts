import type { TeamInvitation } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const teamInvitationsListCommand: Command = defineServerCommand("list", "list the invitations to a team that are open")
  .argument("<team>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items: TeamInvitation[] = [];
    for await (const invitation of syla.teams.invitations((await findTeam(syla, word)).id)) items.push(invitation);
    if (flags.json === true) return printJson({ items });
    printTable<TeamInvitation>(
      [
        { title: "id", value: (invitation) => invitation.id },
        { title: "e-mail", value: (invitation) => plainLine(invitation.email) },
        { title: "role", value: (invitation) => invitation.role },
        { title: "ends", value: (invitation) => invitation.expiresAt.slice(0, 10) },
      ],
      items,
    );
  });
