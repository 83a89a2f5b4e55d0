import { readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { SylaError } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { examine } from "../doctor/examine.ts";
import { findRepairs } from "../doctor/repairs.ts";
import { readVersion } from "../local-server/installation.ts";
import { readLocalKey } from "../local-server/server-file.ts";
import { readLastLines, serverLogFile } from "../local-server/server-log.ts";
import { describeError } from "../output/report-error.ts";
import { findPlugins } from "../plugins/find-plugins.ts";
import { readCliConfig } from "../settings/config-file.ts";
import { defaultDataDir, type Environment } from "../settings/home.ts";
import { readServerSettings } from "../settings/server-settings.ts";
import { excerptLog } from "./log-excerpt.ts";
import { createRedactor, type Redact } from "./redact.ts";
import type { TarFile } from "./write-tar.ts";

/** What is taken up, and for which server. */
interface BundleOptions {
  readonly profile: string | undefined;
  readonly logLines: number;
}

/** Variables whose values are places, names or numbers; of others only the name is told. */
const shownVariables =
  /^SYLA_(HOME|DATA_DIR|RUNTIMES_DIR|PROFILE|URL|PORT|HOST|PUBLIC_URL|BASE_PATH|LOG_LEVEL|WORKER_SLOTS|UV|DEBUG|ROLE)$/;

const readme = `What somebody needs to see who looks into a problem with Syla.

versions.json     of Syla, Node and the system
doctor.json       what \`syla doctor\` finds
settings.json     of the command line and of the server of this machine
environment.json  variables that Syla knows
server.log        the end of its log

Keys, passwords and tokens are left out; so are the output of programs, messages of errors, and what was typed. Names of
profiles, addresses of servers and paths of this machine are in it: look through it before you pass it on.
`;

/** The files of a bundle, without secrets. */
export async function collectBundle(env: Environment, { profile, logLines }: BundleOptions): Promise<TarFile[]> {
  const redact = createRedactor(findSecrets(env));
  const json = (path: string, value: unknown): TarFile => ({ path, text: `${redact(JSON.stringify(value, null, 2))}\n` });
  const { lines } = readLastLines(serverLogFile(defaultDataDir(env)), logLines);
  return [
    { path: "README.txt", text: readme },
    json("versions.json", await readVersions(env, profile)),
    json(
      "doctor.json",
      await orError(async () => ({
        ...(await examine(profile)),
        repairs: findRepairs(env).map(({ problem, step }) => ({ problem, step })),
      })),
    ),
    json("settings.json", await orError(async () => readSettings(env, redact))),
    json("environment.json", readVariables(env)),
    { path: "server.log", text: excerptLog(lines, redact) },
  ];
}

async function readVersions(env: Environment, profile: string | undefined): Promise<object> {
  const server = await orError(async () => {
    const { syla, target } = await connect({ env, profile });
    const { version } = await syla.server.info({ timeoutMs: 5000 });
    return { url: target.url, source: target.source, version };
  });
  const plugins = findPlugins(env).map(({ name, plugin }) => ({ name, plugin }));
  return {
    syla: readVersion(),
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    release: release(),
    server,
    plugins,
  };
}

/** What goes wrong while it is collected is a finding too. */
async function orError<Value>(read: () => Promise<Value>): Promise<Value | { readonly error: object }> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CliError || error instanceof SylaError)) return { error: { code: "internal", name: (error as Error).name } };
    const { code, message, hint } = describeError(error).report;
    return { error: { code, message, hint } };
  }
}

function readSettings(env: Environment, redact: Redact): object {
  const { profile, profiles, workspaces } = readCliConfig(env);
  const shown = Object.entries(profiles).map(([name, { url }]) => [name, { url: redact(url), api_key: "[secret]" }] as const);
  return { commandLine: { profile, profiles: Object.fromEntries(shown), workspaces }, server: readServerSettings(defaultDataDir(env)) };
}

function readVariables(env: Environment): Record<string, string> {
  const ours = Object.entries(env).filter(([name]) => /^(SYLA_|NO_COLOR$|FORCE_COLOR$|DATABASE_URL$)/.test(name));
  return Object.fromEntries(ours.map(([name, value = ""]) => [name, shownVariables.test(name) ? value : "[set]"]));
}

/** Every secret that this machine knows of. */
function findSecrets(env: Environment): string[] {
  const dataDir = defaultDataDir(env);
  const variables = Object.entries(env).flatMap(([name, value = ""]) => (/KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL/.test(name) ? [value] : []));
  const urls = Object.entries(env).flatMap(([name, value = ""]) => (name.endsWith("URL") ? passwordsIn(value) : []));
  const keys = [readLocalKey(dataDir), ...attempt(() => Object.values(readCliConfig(env).profiles).map(({ apiKey }) => apiKey))];
  const stored = attempt(() => passwordsIn(readFileSync(join(dataDir, "config.json"), "utf8")));
  return [...variables, ...urls, ...keys, ...stored].filter((secret) => secret !== null);
}

function passwordsIn(text: string): string[] {
  return [...text.matchAll(/\/\/[^/\s:@]*:([^@\s"]+)@/g)].flatMap(([, password = ""]) => [password, decode(password)]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function attempt<Value>(read: () => readonly Value[]): readonly Value[] {
  try {
    return read();
  } catch {
    return [];
  }
}
