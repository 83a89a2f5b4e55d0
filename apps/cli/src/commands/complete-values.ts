import type { Syla } from "@syla/sdk";
import { Argument, type Command } from "commander";
import { connect } from "../connection.ts";
import { type ValueKind, valueKinds } from "../output/completed-values.ts";
import { printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { readInstalledPlugins } from "../plugins/installed-plugins.ts";
import { localProfile, readCliConfig } from "../settings/config-file.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** Nobody waits longer for a word. */
const timeoutMs = 1500;
const most = 50;

/** For completion scripts: a word a line. Whatever goes wrong, there is nothing to offer. */
export const completeValuesCommand: Command = defineServerCommand("complete-values", "for completion scripts: what may stand for a value")
  .addArgument(new Argument("<kind>", "of what").choices(valueKinds))
  .action(async (kind: ValueKind, flags: CommonFlags) => {
    const values = await readValues(kind, flags.profile).catch(() => []);
    for (const value of new Set(values)) if (/^[^\s"'`$\\;&|<>()]+$/.test(value) && plainLine(value) === value) printLine(value);
  });

async function readValues(kind: ValueKind, profile: string | undefined): Promise<readonly string[]> {
  if (kind === "profiles") return [localProfile, ...Object.keys(readCliConfig(process.env).profiles)];
  if (kind === "plugins") return readInstalledPlugins(process.env).map(({ name }) => name);
  const { syla } = await connect({ env: process.env, profile });
  return await ask[kind](syla);
}

const ask: Readonly<Record<Exclude<ValueKind, "profiles" | "plugins">, (syla: Syla) => Promise<readonly string[]>>> = {
  runs: async (syla) => (await syla.runs.list({ limit: most }, { timeoutMs })).items.map(({ id }) => id),
  workspaces: async (syla) => (await syla.workspaces.list({ limit: most }, { timeoutMs })).items.flatMap(({ id, name }) => [name, id]),
  runtimes: async (syla) => (await syla.runtimes.list({ timeoutMs })).map(({ name }) => name),
  sandboxes: async (syla) => (await syla.sandboxes.list({ limit: most }, { timeoutMs })).items.map(({ id }) => id),
  templates: async (syla) => (await syla.imports.templates({ timeoutMs })).map(({ id }) => id),
};
