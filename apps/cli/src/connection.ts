import { Syla } from "@syla/sdk";
import { CliError } from "./cli-error.ts";
import { findRunningServer, readLocalKey } from "./local-server/server-file.ts";
import { ensureServer, trustLocalCertificate } from "./local-server/start-server.ts";
import { readCliConfig } from "./settings/config-file.ts";
import { defaultDataDir, type Environment } from "./settings/home.ts";
import { findProfile } from "./settings/profiles.ts";

/** Which server a command talks to, and why that one. */
export interface Target {
  readonly url: string;
  readonly apiKey: string | null;
  readonly source: "SYLA_URL" | "profile" | "local";
  readonly profile: string | null;
}

/** What decides about the server. */
export interface ConnectOptions {
  readonly env: Environment;
  readonly profile?: string | undefined;
  /** Start the local server when it is the one that is meant and does not run. */
  readonly start?: boolean;
  readonly onStart?: () => void;
}

/**
 * `SYLA_URL` goes first, then `--profile` or `SYLA_PROFILE`, then the profile that `syla auth login` made current, then the
 * local server. `SYLA_API_KEY` replaces the key of any of them. The local server's key is never sent to another address.
 */
export async function findTarget(options: ConnectOptions): Promise<Target> {
  const { env } = options;
  const key = env["SYLA_API_KEY"] || null;
  if (env["SYLA_URL"])
    return {
      url: checkUrl(env["SYLA_URL"], "SYLA_URL"),
      apiKey: key ?? keyForUrl(env, env["SYLA_URL"]),
      source: "SYLA_URL",
      profile: null,
    };
  const name = options.profile ?? (env["SYLA_PROFILE"] || readCliConfig(env).profile);
  const profile = findProfile(env, name);
  if (profile !== null)
    return { url: checkUrl(profile.url, `profile ${name}`), apiKey: key ?? profile.apiKey, source: "profile", profile: name };
  const local = await findLocal(options);
  return { url: local.url, apiKey: key ?? readLocalKey(local.dataDir), source: "local", profile: null };
}

async function findLocal({ env, start, onStart }: ConnectOptions): Promise<{ url: string; dataDir: string }> {
  const dataDir = defaultDataDir(env);
  const running = findRunningServer(dataDir);
  if (start === true) {
    if (running === null) onStart?.();
    return { url: (await ensureServer({ dataDir, env, anyPort: true })).file.url, dataDir };
  }
  if (running !== null) return { url: running.url, dataDir };
  const hint = "`syla up --detach` starts one; SYLA_URL or `syla auth login` choose one elsewhere.";
  throw new CliError("No local server is running.", { code: "server_not_running", exit: "unavailable", hint });
}

/** Connects to the server that the environment and the settings name. */
export async function connect(options: ConnectOptions): Promise<{ syla: Syla; target: Target }> {
  const target = await findTarget(options);
  if (target.source === "local" || isLocalServer(options.env, target.url)) trustLocalCertificate(target.url);
  const headers = { "user-agent": "syla-cli" };
  return {
    target,
    syla: new Syla({ baseUrl: target.url, headers, retry: { maxRetries: 3 }, ...(target.apiKey !== null && { apiKey: target.apiKey }) }),
  };
}

/** Whether an address that is named is that of the local server, which shows a certificate for another name: plugins are told it so. */
function isLocalServer(env: Environment, url: string): boolean {
  return url.startsWith("https://") && findRunningServer(defaultDataDir(env))?.url === url;
}

/** An address of a server as a person gives it, without a slash at its end. */
export function checkUrl(text: string, origin: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password)
    return text.replace(/\/+$/, "");
  throw new CliError(`"${text.replace(/\/\/[^@/]*@/, "//…@")}" (${origin}) is not the address of a server.`, {
    code: "url_invalid",
    exit: "config",
    hint: "Write it like https://syla.example.com or http://127.0.0.1:7878/path.",
  });
}

/** `SYLA_URL` alone may name a server that we have a key for: one of the profiles, or the local server. */
function keyForUrl(env: Environment, text: string): string | null {
  const url = text.replace(/\/+$/, "");
  const profile = Object.values(readCliConfig(env).profiles).find((entry) => entry.url === url);
  if (profile !== undefined) return profile.apiKey;
  const dataDir = defaultDataDir(env);
  return findRunningServer(dataDir)?.url === url ? readLocalKey(dataDir) : null;
}
