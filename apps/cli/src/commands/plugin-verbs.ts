import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findPlugins, type PluginCommand } from "../plugins/find-plugins.ts";
import { installPlugin, removePlugin } from "../plugins/install-plugin.ts";
import { readInstalledPlugins } from "../plugins/installed-plugins.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

/** `list`, `install` and `remove`; `builtIn` are the names that no plugin may take. */
export function pluginVerbs(builtIn: () => ReadonlySet<string>): Command[] {
  return [list(builtIn), install(builtIn), remove()];
}

interface ListedPlugin extends PluginCommand {
  readonly version: string | null;
  readonly source: string | null;
  /** A command of Syla's own has its name, so that it is never run. */
  readonly shadowed: boolean;
}

function listPlugins(builtIn: ReadonlySet<string>): ListedPlugin[] {
  const installed = new Map(readInstalledPlugins(process.env).map((plugin) => [plugin.name, plugin]));
  return findPlugins(process.env).map((command) => {
    const plugin = command.plugin === null ? undefined : installed.get(command.plugin);
    return { ...command, version: plugin?.version ?? null, source: plugin?.source ?? null, shadowed: builtIn.has(command.name) };
  });
}

function list(builtIn: () => ReadonlySet<string>): Command {
  return defineCommand("list", "the commands that plugins add").action((flags: CommonFlags) => {
    const all = listPlugins(builtIn());
    if (flags.json === true) return printJson(all);
    if (all.length === 0 && process.stdout.isTTY) return printLine("There are no plugins: `syla plugin install` takes one in.");
    printTable<ListedPlugin>(
      [
        { title: "command", value: ({ name, shadowed }) => (shadowed ? `${name} (not used: Syla's own goes first)` : name) },
        { title: "plugin", value: ({ plugin }) => plainLine(plugin ?? "-") },
        { title: "version", value: ({ version }) => plainLine(version ?? "-") },
        { title: "file", value: ({ file }) => plainLine(file) },
      ],
      all,
    );
  });
}

function install(builtIn: () => ReadonlySet<string>): Command {
  return defineCommand("install", "take in a plugin: it may do whatever you may do")
    .argument("<source>", "a file called syla-NAME, a folder with such files, an archive of `npm pack`, or a package that npm knows")
    .addHelpText(
      "after",
      "\nA file or folder that is there goes before a package of that name. No script of a package is run while it is installed.",
    )
    .action((source: string, flags: CommonFlags) => {
      const plugin = installPlugin(process.env, source, builtIn());
      if (flags.json === true) return printJson(plugin);
      for (const name of Object.keys(plugin.commands)) printLine(`syla ${name}`);
      note(plainLine(`installed ${plugin.name}${plugin.version === null ? "" : ` ${plugin.version}`} in ${plugin.folder}`));
    });
}

function remove(): Command {
  return defineCommand("remove", "remove a plugin that was installed")
    .argument("<plugin>", "its name, or that of one of its commands")
    .action((word: string, flags: CommonFlags) => {
      const name = removePlugin(process.env, word);
      if (name === null) throw notInstalled(word);
      if (flags.json === true) return printJson({ removed: name });
      note(plainLine(`removed ${name}`));
    });
}

function notInstalled(word: string): CliError {
  const known = readInstalledPlugins(process.env).flatMap(({ name, commands }) => [name, ...Object.keys(commands)]);
  const other = findPlugins(process.env).find(({ name, plugin }) => name === word && plugin === null);
  return new CliError(`No plugin "${word}" is installed.${didYouMean(word, known)}`, {
    code: "plugin_not_found",
    exit: "no_input",
    hint: other === undefined ? "`syla plugin list` lists them." : `${other.file} was not installed by Syla: delete it there.`,
  });
}
