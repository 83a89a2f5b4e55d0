import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, sylaHome } from "../settings/home.ts";

/** A plugin that was installed: a folder with one program or more. */
export interface InstalledPlugin {
  /** The name of its package, or of its only command. */
  readonly name: string;
  readonly version: string | null;
  /** What it was installed from, as it was given. */
  readonly source: string;
  readonly folder: string;
  /** The files of its commands, by the names of these. */
  readonly commands: Readonly<Record<string, string>>;
}

/** What says within a plugin's folder what it is. */
export const recordFile = "plugin.json";

/** Where plugins are installed. */
export const pluginsDir = (env: Environment) => join(sylaHome(env), "plugins");

/** The plugins of this person, by name. A folder that is not as it was written is none. */
export function readInstalledPlugins(env: Environment): InstalledPlugin[] {
  const folder = pluginsDir(env);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !name.startsWith("."));
  return names.flatMap((name) => readPlugin(join(folder, name)) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readPlugin(folder: string): InstalledPlugin | null {
  try {
    const { name, version, source, commands } = JSON.parse(readFileSync(join(folder, recordFile), "utf8")) as Partial<InstalledPlugin>;
    if (typeof name !== "string" || typeof commands !== "object") return null;
    const files = Object.entries(commands).map(([command, path]) => [command, join(folder, path)] as const);
    return {
      name,
      version: typeof version === "string" ? version : null,
      source: String(source),
      folder,
      commands: Object.fromEntries(files),
    };
  } catch {
    return null;
  }
}
