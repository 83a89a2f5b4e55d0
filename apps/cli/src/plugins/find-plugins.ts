import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, parse } from "node:path";
import type { Environment } from "../settings/home.ts";
import { readInstalledPlugins } from "./installed-plugins.ts";

/** A program that adds a command: an executable `syla-NAME`. */
export interface PluginCommand {
  readonly name: string;
  readonly file: string;
  /** The plugin that it was installed with; null: it lies in the PATH. */
  readonly plugin: string | null;
}

/** What a plugin's command may be called. */
const commandName = /^[a-z0-9][a-z0-9-]*$/;

/** The command that a file adds, by its name: `syla-report` and `syla-report.py` add `report`. */
export function commandOf(fileName: string): string | null {
  const { name } = parse(fileName);
  const command = name.startsWith("syla-") ? name.slice("syla-".length) : "";
  return commandName.test(command) ? command : null;
}

/** Whether a file is there and may be started. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Every command that a plugin adds: those that were installed go before those of the PATH, and there the first one counts. */
export function findPlugins(env: Environment): PluginCommand[] {
  const installed = readInstalledPlugins(env).flatMap(({ name: plugin, commands }) =>
    Object.entries(commands).map(([name, file]) => ({ name, file, plugin })),
  );
  const all = [...installed, ...pathFolders(env).flatMap(readFolder)];
  const first = new Map<string, PluginCommand>();
  for (const command of all) if (!first.has(command.name) && isExecutable(command.file)) first.set(command.name, command);
  return [...first.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The plugin behind a word; null when there is none. */
export function findPlugin(env: Environment, word: string): PluginCommand | null {
  if (!commandName.test(word)) return null;
  return findPlugins(env).find(({ name }) => name === word) ?? null;
}

/** A relative folder would be another one wherever somebody stands. */
function pathFolders(env: Environment): string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
}

function readFolder(folder: string): PluginCommand[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((fileName) => {
    // Here the whole name is the command's: what ends in .py is a file that somebody calls by another name.
    const name = parse(fileName).ext === "" ? commandOf(fileName) : null;
    return name === null ? [] : [{ name, file: join(folder, fileName), plugin: null }];
  });
}
