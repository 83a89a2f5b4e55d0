import type { Syla } from "@syla/sdk";
import { Option } from "commander";
import { usageError } from "../cli-error.ts";
import { findTeam } from "./find-team.ts";

/** Whose something is to be. */
export interface OwnerFlags {
  readonly team?: string;
  readonly system?: boolean;
}

/** The flags that say so, as a command describes them. */
export function ownerOptions(ofTeam: string, ofSystem: string): Option[] {
  return [new Option("--team <team>", ofTeam), new Option("--system", ofSystem)];
}

/** The owner's id; undefined: whoever gives the command. @throws CliError */
export async function findOwner(syla: Syla, { team, system }: OwnerFlags): Promise<string | undefined> {
  if (team !== undefined && system === true) throw usageError("It belongs to a team or to the system.", "Give --team or --system.");
  if (system === true) return "system";
  return team === undefined ? undefined : (await findTeam(syla, team)).id;
}
