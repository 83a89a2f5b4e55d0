import type { Command } from "commander";
import type { Environment } from "../settings/home.ts";
import { findPlugin, findPlugins, type PluginCommand } from "./find-plugins.ts";

/** The plugin that a command line means; null when its first word is a command of ours, a flag, or nothing that is known. */
export function choosePlugin(program: Command, [word = ""]: readonly string[], env: Environment): PluginCommand | null {
  const isOurs = program.commands.some((command) => command.name() === word || command.aliases().includes(word));
  return isOurs || word === "help" ? null : findPlugin(env, word);
}

/** What the help of `syla` says of plugins; empty without any. */
export function describePlugins(program: Command, env: Environment): string {
  const ours = new Set(program.commands.map((command) => command.name()));
  const names = findPlugins(env).flatMap(({ name }) => (ours.has(name) ? [] : [name]));
  return names.length === 0 ? "" : `\nCommands of plugins: ${names.join(", ")}`;
}
