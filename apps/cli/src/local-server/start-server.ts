import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { type Environment, sylaHome } from "../settings/home.ts";
import { makeFolder } from "../settings/private-file.ts";
import { readServerSettings } from "../settings/server-settings.ts";
import { installationRoot } from "./installation.ts";
import { findRunningServer, serverEntry, type ServerFile } from "./server-file.ts";
import { serverLogFile } from "./server-log.ts";
import { describeStartFailure } from "./start-failure.ts";
import { withStartLock } from "./start-lock.ts";

/** How to start the server of this machine. */
export interface StartOptions {
  readonly dataDir: string;
  readonly env: Environment;
  /** `SYLA_*` variables that flags set. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Take a free port when nobody chose one and the usual one is taken, e.g. by another user's server. */
  readonly anyPort?: boolean;
  /** Live and die with this process, instead of going on in the background. */
  readonly foreground?: boolean;
  /** Told at once about the process, long before it is ready. */
  readonly onSpawn?: (process: ChildProcess) => void;
}

/** A server that is ready, and its process if it was started just now. */
export interface StartedServer {
  readonly file: ServerFile;
  readonly process: ChildProcess | null;
}

const readyTimeoutMs = 120_000;

/** The server that runs on the data directory, ready to take work; started first if there is none. */
export async function ensureServer(options: StartOptions): Promise<StartedServer> {
  const running = findRunningServer(options.dataDir);
  if (running !== null && (await isReady(running))) return { file: running, process: null };
  createDataDir(options.dataDir);
  return withStartLock(options.dataDir, async () => {
    const other = findRunningServer(options.dataDir);
    if (other === null) return startServer(options);
    await waitUntilUp({
      isUp: () => isReady(other),
      ended: () => (findRunningServer(options.dataDir) === null ? "unknown" : null),
      dataDir: options.dataDir,
      logStart: logSize(options.dataDir),
    });
    return { file: other, process: null };
  });
}

/** Private from its first moment: the log is written before the server has looked at the folder. */
function createDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir, 0o700);
    chmodSync(dataDir, 0o700);
  } catch (error) {
    const hint = "Choose another with --data-dir or SYLA_DATA_DIR.";
    throw new CliError(`The data directory ${dataDir} cannot be used: ${(error as Error).message}`, {
      code: "data_dir_unusable",
      exit: "cannot_create",
      hint,
      cause: error,
    });
  }
}

async function startServer(options: StartOptions): Promise<StartedServer> {
  const entry = join(installationRoot(), serverEntry);
  if (!existsSync(entry)) {
    const hint = "Start the CLI with ./syla from the folder of Syla, or point SYLA_URL at a server.";
    throw new CliError(`There is no server in this installation (${entry}).`, { code: "server_missing", exit: "unavailable", hint });
  }
  const before = logSize(options.dataDir);
  const child = await spawnServer(entry, options);
  options.onSpawn?.(child);
  const find = () => {
    const file = findRunningServer(options.dataDir);
    return file?.pid === child.pid ? file : null;
  };
  const isUp = async () => {
    const file = find();
    return file !== null && isReady(file);
  };
  const ended = () => child.exitCode ?? (child.signalCode === null ? null : "unknown");
  await waitUntilUp({ isUp, ended, dataDir: options.dataDir, logStart: before });
  if (options.foreground !== true) child.unref();
  return { file: find() as ServerFile, process: child };
}

async function spawnServer(entry: string, options: StartOptions): Promise<ChildProcess> {
  // the key and the address of another server are no business of this one
  const { SYLA_API_KEY: _key, SYLA_URL: _url, ...inherited } = options.env;
  const env: Record<string, string | undefined> = {
    ...inherited,
    ...options.settings,
    SYLA_HOME: sylaHome(options.env),
    SYLA_DATA_DIR: options.dataDir,
  };
  if (options.anyPort === true && (await shouldTakeAnyPort(options, env))) env["SYLA_PORT"] = "0";
  const log = openSync(serverLogFile(options.dataDir), "a", 0o600);
  try {
    return spawn(process.execPath, [entry], {
      cwd: installationRoot(),
      env,
      detached: options.foreground !== true,
      stdio: ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
}

async function shouldTakeAnyPort(options: StartOptions, env: Environment): Promise<boolean> {
  if (env["SYLA_PORT"] || env["SYLA_HOST"]) return false;
  const settings = readServerSettings(options.dataDir);
  if ("port" in settings || "host" in settings) return false;
  return !(await canListen(7878));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

async function isReady(file: ServerFile): Promise<boolean> {
  trustLocalCertificate(file.url);
  return new Syla({ baseUrl: file.url }).server.ready({ timeoutMs: 5000 }).then(
    () => true,
    () => false,
  );
}

interface StartWatch {
  readonly isUp: () => Promise<boolean>;
  /** What to exit with when it has ended, `unknown` when that cannot be told; null while it runs. */
  readonly ended: () => number | "unknown" | null;
  readonly dataDir: string;
  readonly logStart: number;
}

async function waitUntilUp({ isUp, ended, dataDir, logStart }: StartWatch): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  const fail = (why: string, code: number | null) => describeStartFailure(why, dataDir, logStart, code);
  while (!(await isUp())) {
    const code = ended();
    if (code !== null) throw fail("it ended while starting", code === "unknown" ? null : code);
    if (performance.now() > deadline) throw fail(`it was not ready within ${readyTimeoutMs / 1000} s`, null);
    await sleep(25);
  }
}

function logSize(dataDir: string): number {
  const file = serverLogFile(dataDir);
  return existsSync(file) ? statSync(file).size : 0;
}

/**
 * A local server with TLS shows a certificate for its public name, while we reach it on a loopback address that only our own
 * data directory told us: there is nobody in between to check. No other connection is made by a process that talks to it.
 */
export function trustLocalCertificate(url: string): void {
  if (!url.startsWith("https://127.0.0.1:") && !url.startsWith("https://[::1]:") && !url.startsWith("https://localhost:")) return;
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") return;
  process.removeAllListeners("warning");
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
}
