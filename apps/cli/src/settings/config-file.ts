import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { type Environment, sylaHome } from "./home.ts";
import { readJsonFile } from "./private-file.ts";
import { readTomlFile, type TomlValues, writeTomlFile } from "./toml-file.ts";

/** A server elsewhere, and the key to it. */
export interface Profile {
  readonly url: string;
  readonly apiKey: string;
}

/** The command line's own settings. */
export interface CliConfig {
  readonly profile: string;
  readonly profiles: Readonly<Record<string, Profile>>;
  /** The workspace in use, by the address of its server. */
  readonly workspaces: Readonly<Record<string, string>>;
}

/** The name that always means the server of this machine. */
export const localProfile = "local";

const heading = `# Settings of the command line. Only you can read this file: it holds the keys to servers.
# \`syla auth login\` and \`syla config\` change it, and so may you.

`;

/** Where the settings are. */
export const configFile = (env: Environment) => join(sylaHome(env), "config.toml");

/** Where they were before: what it says is taken over with the first change. */
export const oldConfigFile = (env: Environment) => join(sylaHome(env), "config.json");

/** What the command line's own settings file says. @throws CliError */
export function readCliConfig(env: Environment): CliConfig {
  return parseConfig(readValues(env));
}

/** Writes the settings; whatever else the file says stays. */
export function writeCliConfig(env: Environment, { profile, profiles, workspaces }: CliConfig): void {
  const { file, values } = readValues(env);
  const before = tablesOf(values["profiles"]);
  const tables = Object.entries(profiles).map(([name, { url, apiKey }]) => [name, { ...before[name], url, api_key: apiKey }]);
  writeTomlFile(configFile(env), { ...values, profile, profiles: Object.fromEntries(tables) as TomlValues, workspaces }, heading);
  if (file === oldConfigFile(env)) rmSync(file, { force: true });
}

/** Takes an old settings file over now. @returns whether there was one to be taken over */
export function migrateConfig(env: Environment): boolean {
  if (!needsMigration(env)) return false;
  writeCliConfig(env, readCliConfig(env));
  return true;
}

/** Whether the settings are still where they were before. */
export function needsMigration(env: Environment): boolean {
  return !existsSync(configFile(env)) && existsSync(oldConfigFile(env));
}

interface ReadValues {
  readonly file: string;
  /** As the new file has them. */
  readonly values: TomlValues;
}

function readValues(env: Environment): ReadValues {
  const file = configFile(env);
  const values = readTomlFile(file);
  if (values !== null) return { file, values };
  const old = oldConfigFile(env);
  return existsSync(old) ? { file: old, values: renewNames(withoutNulls(readJsonFile(old))) } : { file, values: {} };
}

function renewNames(values: TomlValues): TomlValues {
  if (values["profiles"] === undefined) return values;
  const profiles = Object.entries(tablesOf(values["profiles"])).map(([name, { apiKey, ...rest }]) => [name, { ...rest, api_key: apiKey }]);
  return { ...values, profiles: Object.fromEntries(profiles) as TomlValues };
}

/** TOML has no null: what is not there means the same. */
function withoutNulls(values: TomlValues): TomlValues {
  const text = JSON.stringify(values, (_, value: unknown) => (value === null ? undefined : value));
  return JSON.parse(text) as TomlValues;
}

function parseConfig({ file, values }: ReadValues): CliConfig {
  const { profile = localProfile, profiles = {}, workspaces = {} } = values;
  if (typeof profile !== "string") throw invalid(file, "profile is not the name of one");
  if (!isTable(workspaces) || !Object.values(workspaces).every((id) => typeof id === "string"))
    throw invalid(file, "workspaces does not hold a workspace for each address");
  if (!isTable(profiles)) throw invalid(file, "profiles holds no profiles");
  const parsed = Object.entries(profiles).map(([name, value]) => [name, parseProfile(file, name, value)] as const);
  return { profile, profiles: Object.fromEntries(parsed), workspaces: workspaces as Record<string, string> };
}

function parseProfile(file: string, name: string, value: unknown): Profile {
  const { url, api_key: apiKey } = isTable(value) ? value : {};
  if (typeof url === "string" && typeof apiKey === "string") return { url, apiKey };
  throw invalid(file, `the profile ${name} needs a url and an api_key`);
}

function tablesOf(value: unknown): Readonly<Record<string, TomlValues>> {
  return isTable(value) ? Object.fromEntries(Object.entries(value).map(([name, table]) => [name, isTable(table) ? table : {}])) : {};
}

function isTable(value: unknown): value is TomlValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(file: string, why: string): CliError {
  return new CliError(`${file} is not as \`syla auth login\` writes it: ${why}.`, {
    code: "config_invalid",
    exit: "config",
    hint: "Correct it, or delete it and sign in again.",
  });
}
