import { chmodSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { findUv, installUv } from "../local-server/install-uv.ts";
import { installationRoot } from "../local-server/installation.ts";
import { findRunningServer } from "../local-server/server-file.ts";
import { configFile, migrateConfig, needsMigration, oldConfigFile } from "../settings/config-file.ts";
import { defaultDataDir, type Environment, sylaHome } from "../settings/home.ts";

/** Something that can be put right without asking: nothing that anybody needs is lost by it. */
export interface Repair {
  /** What is wrong. */
  readonly problem: string;
  /** What is done about it, as a command would be: "take … away". */
  readonly step: string;
  readonly apply: () => void;
}

const hourMs = 3600 * 1000;

/** What `syla doctor --fix` would do now, in this order. */
export function findRepairs(env: Environment): Repair[] {
  return [...closePrivateFiles(env), ...moveSettings(env), ...forgetGoneServer(env), ...sweepLeftovers(env), ...fetchUv(env)];
}

/** What others must not read: keys, settings with keys, what was typed. */
function closePrivateFiles(env: Environment): Repair[] {
  const [home, data] = [sylaHome(env), defaultDataDir(env)];
  const history = join(home, "history");
  const folders = [home, data, history];
  const files = [
    configFile(env),
    oldConfigFile(env),
    join(data, "cli.key"),
    join(data, "config.json"),
    join(data, "server.json"),
    ...listFiles(history),
  ];
  const open = (path: string) => existsSync(path) && isOurs(path) && (statSync(path).mode & 0o077) !== 0;
  const close = (path: string, mode: number): Repair => ({
    problem: `${path} can be used by others`,
    step: `let only you use it (chmod ${mode.toString(8)} ${path})`,
    apply: () => chmodSync(path, mode),
  });
  return [...folders.filter(open).map((path) => close(path, 0o700)), ...files.filter(open).map((path) => close(path, 0o600))];
}

function moveSettings(env: Environment): Repair[] {
  if (!needsMigration(env)) return [];
  const step = `take them over into ${configFile(env)}`;
  return [{ problem: `the settings are in ${oldConfigFile(env)}, as they used to be`, step, apply: () => void migrateConfig(env) }];
}

/** A server that was killed leaves behind where it could be reached. */
function forgetGoneServer(env: Environment): Repair[] {
  const file = join(defaultDataDir(env), "server.json");
  if (!existsSync(file) || findRunningServer(defaultDataDir(env)) !== null) return [];
  return [{ problem: `${file} is of a server that is gone`, step: "remove it", apply: () => rmSync(file, { force: true }) }];
}

/** Files and folders that a command was writing when it was killed. */
function sweepLeftovers(env: Environment): Repair[] {
  const folders = [sylaHome(env), defaultDataDir(env), join(sylaHome(env), "plugins"), join(sylaHome(env), "runtimes")];
  const leftovers = folders.flatMap((folder) =>
    listNames(folder)
      .filter(isLeftover)
      .map((name) => join(folder, name)),
  );
  return leftovers
    .filter((path) => Date.now() - statSync(path).mtimeMs > hourMs)
    .map((path) => ({
      problem: `${path} was left half written`,
      step: "remove it",
      apply: () => rmSync(path, { recursive: true, force: true }),
    }));
}

function isLeftover(name: string): boolean {
  return /\.\d+\.[0-9a-f]{8}\.tmp$/.test(name) || /(^|\.)new-\d+$/.test(name);
}

function fetchUv(env: Environment): Repair[] {
  const isServerHere = existsSync(join(installationRoot(), "tools/uv/requirements.txt"));
  if (!isServerHere || env["SYLA_UV"] !== undefined || findUv(env) !== undefined) return [];
  return [
    { problem: "uv, which installs the packages of Python programs, is missing", step: "fetch it", apply: () => void installUv(env) },
  ];
}

function isOurs(path: string): boolean {
  return process.getuid === undefined || statSync(path).uid === process.getuid();
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function listFiles(folder: string): string[] {
  return listNames(folder).map((name) => join(folder, name));
}
