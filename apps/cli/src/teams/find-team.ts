import type { Syla, Team } from "@syla/sdk";
import { usageError } from "../cli-error.ts";

/** One of your teams by its id, slug or name. */
export async function findTeam(syla: Syla, word: string): Promise<Team> {
  if (word.startsWith("team_")) return await syla.teams.get(word);
  const found: Team[] = [];
  for await (const team of syla.teams.list()) if (team.slug === word || team.name.toLowerCase() === word.toLowerCase()) found.push(team);
  const [team, ...others] = found;
  if (team === undefined) throw usageError(`You are in no team "${word}".`, "`syla team list` lists your teams.");
  if (others.length > 0) throw usageError(`You are in several teams "${word}".`, "Give the id; `syla team list` shows it.");
  return team;
}
