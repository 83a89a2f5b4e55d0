import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { runNpm } from "../npm/run-npm.ts";
import { makeFolder } from "../settings/private-file.ts";
import type { Environment } from "../settings/home.ts";
import { commandOf, isExecutable } from "./find-plugins.ts";
import { type InstalledPlugin, pluginsDir, readInstalledPlugins, recordFile } from "./installed-plugins.ts";

/** What a plugin's folder came to hold. */
type Unpacked = Pick<InstalledPlugin, "name" | "version" | "commands">;

/** A package of npm, with or without a version. */
const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(@[a-z0-9.^~<>=*+-]+)?$/i;

/**
 * Installs a plugin from a file, a folder, an archive of `npm pack`, or a package that npm knows, beside an older one, whose place it takes.
 *
 * @throws CliError when it adds no command, or one that is there already
 */
export function installPlugin(env: Environment, source: string, builtIn: ReadonlySet<string>): InstalledPlugin {
  const fresh = join(pluginsDir(env), `.new-${process.pid}`);
  try {
    makeFolder(fresh, 0o700);
    const unpacked = unpack(source, fresh);
    refuseConflicts(env, unpacked, builtIn);
    const { commands } = unpacked;
    const record = {
      ...unpacked,
      source,
      commands: Object.fromEntries(Object.entries(commands).map(([name, file]) => [name, relative(fresh, file)])),
    };
    writeFileSync(join(fresh, recordFile), `${JSON.stringify(record, null, 2)}\n`);
    const folder = join(pluginsDir(env), unpacked.name.replace("/", "+"));
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
    const moved = Object.entries(record.commands).map(([name, file]) => [name, join(folder, file)] as const);
    return { ...record, folder, commands: Object.fromEntries(moved) };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(`The plugin cannot be written: ${(cause as Error).message}`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "SYLA_HOME names another folder for everything that Syla writes.",
      cause,
    });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Removes a plugin. @returns its name; null when there is none of that name or with that command */
export function removePlugin(env: Environment, word: string): string | null {
  const all = readInstalledPlugins(env);
  const plugin = all.find(({ name }) => name === word) ?? all.find(({ commands }) => Object.hasOwn(commands, word));
  if (plugin === undefined) return null;
  rmSync(plugin.folder, { recursive: true, force: true });
  return plugin.name;
}

function unpack(source: string, fresh: string): Unpacked {
  if (!existsSync(source)) {
    if (packageName.test(source)) return unpackPackage(source, fresh);
    throw new CliError(`There is no ${source}, and no package of npm is called so.`, {
      code: "file_not_found",
      exit: "no_input",
      hint: "Name a file called syla-NAME, a folder with such files, or a package of npm.",
    });
  }
  const path = resolve(source);
  if (statSync(path).isDirectory()) return existsSync(join(path, "package.json")) ? unpackPackage(path, fresh) : unpackFolder(path, fresh);
  return path.endsWith(".tgz") ? unpackPackage(path, fresh) : unpackFile(path, fresh);
}

function unpackFile(path: string, fresh: string): Unpacked {
  const name = commandOf(path);
  if (name === null)
    throw usageError(
      `${basename(path)} is not called syla-NAME.`,
      "Its name says what the command is called: syla-report adds `syla report`.",
    );
  const file = join(fresh, basename(path));
  copyFileSync(path, file);
  chmodSync(file, 0o755);
  return { name, version: null, commands: { [name]: file } };
}

function unpackFolder(path: string, fresh: string): Unpacked {
  cpSync(path, fresh, { recursive: true, filter: (file) => basename(file) !== ".git" });
  return { name: folderName(path), version: null, commands: listCommands(fresh) };
}

function folderName(path: string): string {
  const name = basename(path);
  return packageName.test(name) ? name : "plugin";
}

/** npm copies it with what it needs; no script of a package is run. */
function unpackPackage(source: string, fresh: string): Unpacked {
  writeFileSync(join(fresh, "package.json"), '{ "private": true }\n');
  const words = ["install", "--ignore-scripts", "--omit=dev", "--install-links", "--save-exact"];
  runNpm({ words, operands: [source], folder: fresh, failure: "npm could not install it" });
  const { dependencies = {} } = readManifest(fresh);
  const [name] = Object.keys(dependencies);
  if (name === undefined) throw noCommand(source);
  const { version = null } = readManifest(join(fresh, "node_modules", name));
  return { name, version, commands: listCommands(join(fresh, "node_modules/.bin")) };
}

function readManifest(folder: string): { readonly version?: string; readonly dependencies?: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
}

function listCommands(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder).flatMap((fileName) => {
    const name = commandOf(fileName);
    const file = join(folder, fileName);
    return name !== null && isExecutable(file) ? [[name, file] as const] : [];
  });
  return Object.fromEntries(files);
}

function refuseConflicts(env: Environment, { name, commands }: Unpacked, builtIn: ReadonlySet<string>): void {
  const names = Object.keys(commands);
  if (names.length === 0) throw noCommand(name);
  const ours = names.find((command) => builtIn.has(command));
  if (ours !== undefined)
    throw conflict(`\`syla ${ours}\` is a command of Syla's own.`, "A plugin cannot take its place: give it another name.");
  for (const other of readInstalledPlugins(env)) {
    const taken = other.name === name ? undefined : names.find((command) => Object.hasOwn(other.commands, command));
    if (taken !== undefined)
      throw conflict(`\`syla ${taken}\` is of the plugin ${other.name}.`, `Remove that one first: syla plugin remove ${other.name}`);
  }
}

function conflict(message: string, hint: string): CliError {
  return new CliError(message, { code: "plugin_conflict", exit: "cannot_create", hint });
}

function noCommand(what: string): CliError {
  return new CliError(`${what} adds no command.`, {
    code: "plugin_empty",
    exit: "no_input",
    hint: "A plugin holds executables called syla-NAME; a package of npm names them under `bin`.",
  });
}
