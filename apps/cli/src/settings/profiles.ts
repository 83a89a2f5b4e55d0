import { CliError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { localProfile, type Profile, readCliConfig, writeCliConfig } from "./config-file.ts";
import type { Environment } from "./home.ts";

/** The profile of that name; null for the local server. */
export function findProfile(env: Environment, name: string): Profile | null {
  if (name === localProfile) return null;
  const { profiles } = readCliConfig(env);
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile;
  const hint = `\`syla auth login --profile ${name}\` makes it.`;
  throw new CliError(`There is no profile "${name}".${didYouMean(name, [localProfile, ...Object.keys(profiles)])}`, {
    code: "unknown_profile",
    exit: "config",
    hint,
  });
}

/** Stores a profile and makes it the current one. */
export function saveProfile(env: Environment, name: string, profile: Profile): void {
  const config = readCliConfig(env);
  writeCliConfig(env, { ...config, profile: name, profiles: { ...config.profiles, [name]: profile } });
}

/** Makes a profile the current one. */
export function selectProfile(env: Environment, name: string): void {
  findProfile(env, name);
  writeCliConfig(env, { ...readCliConfig(env), profile: name });
}

/** Forgets a profile; the local server is the current one again if this was. */
export function removeProfile(env: Environment, name: string): boolean {
  const config = readCliConfig(env);
  if (!Object.hasOwn(config.profiles, name)) return false;
  const profiles = Object.fromEntries(Object.entries(config.profiles).filter(([key]) => key !== name));
  writeCliConfig(env, { ...config, profile: config.profile === name ? localProfile : config.profile, profiles });
  return true;
}

/** The id of the workspace in use at a server; null when there is none. */
export function readCurrentWorkspace(env: Environment, server: string): string | null {
  const { workspaces } = readCliConfig(env);
  return Object.hasOwn(workspaces, server) ? (workspaces[server] ?? null) : null;
}

/** Has a workspace be the one in use at a server; null: none. */
export function useWorkspace(env: Environment, server: string, id: string | null): void {
  const config = readCliConfig(env);
  const others = Object.fromEntries(Object.entries(config.workspaces).filter(([key]) => key !== server));
  writeCliConfig(env, { ...config, workspaces: id === null ? others : { ...others, [server]: id } });
}
