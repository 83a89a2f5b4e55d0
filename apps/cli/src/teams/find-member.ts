import type { Syla, Team, TeamMember } from "@syla/sdk";
import { usageError } from "../cli-error.ts";

/** Somebody in a team, by their e-mail address or id. @throws CliError */
export async function findMember(syla: Syla, team: Pick<Team, "id">, who: string): Promise<TeamMember> {
  for await (const member of syla.teams.members(team.id))
    if (member.userId === who || member.email?.toLowerCase() === who.toLowerCase()) return member;
  throw usageError(`"${who}" is not in this team.`, "`syla team show` lists the members.");
}
