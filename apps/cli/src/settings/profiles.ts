import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { type Environment, sylaHome } from "./home.ts";
import { readJsonFile, writeJsonFile } from "./private-file.ts";

/** A server elsewhere, and the key to it. */
export interface Profile {
  readonly url: string;
  readonly apiKey: string;
}

/** The name that always means the server of this machine. */
export const localProfile = "local";

interface CliConfig {
  readonly profile: string;
  readonly profiles: Readonly<Record<string, Profile>>;
  /** The workspace in use, by the address of its server. */
  readonly workspaces: Readonly<Record<string, string>>;
}

const configFile = (env: Environment) => join(sylaHome(env), "config.json");

/** The CLI's own settings file. */
export function readCliConfig(env: Environment): CliConfig {
  const file = configFile(env);
  const { profile = localProfile, profiles = {}, workspaces = {} } = readJsonFile(file);
  const valid =
    typeof profile === "string" &&
    typeof profiles === "object" &&
    profiles !== null &&
    Object.values(profiles).every(isProfile) &&
    areTexts(workspaces);
  if (!valid)
    throw new CliError(`${file} is not as \`syla auth login\` writes it.`, {
      code: "config_invalid",
      exit: "config",
      hint: "Correct it, or delete it and sign in again.",
    });
  return { profile, profiles: profiles as Record<string, Profile>, workspaces: workspaces as Record<string, string> };
}

function areTexts(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
}

function isProfile(value: unknown): value is Profile {
  return (
    typeof value === "object" &&
    value !== null &&
    "url" in value &&
    typeof value.url === "string" &&
    "apiKey" in value &&
    typeof value.apiKey === "string"
  );
}

function writeCliConfig(env: Environment, config: CliConfig): void {
  writeJsonFile(configFile(env), { ...config });
}

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
