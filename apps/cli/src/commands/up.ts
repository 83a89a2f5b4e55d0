import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { ensureUv } from "../local-server/install-uv.ts";
import { followLines, formatLogLine, serverLogFile, readLastLines } from "../local-server/server-log.ts";
import { findRunningServer, type ServerFile } from "../local-server/server-file.ts";
import { ensureServer, type StartedServer } from "../local-server/start-server.ts";
import { createProgress, note } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { style } from "../output/style.ts";
import { defaultDataDir } from "../settings/home.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly detach?: boolean;
  readonly publicUrl?: string;
  readonly basePath?: string;
  readonly trustProxy?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
}

export const upCommand: Command = defineCommand("up", "start the server of this machine, and print the link to it")
  .option("-p, --port <number>", "the port (7878); 0 takes any free one")
  .option("--host <address>", "the address to listen on (127.0.0.1)")
  .option("--data-dir <folder>", "where its data is ($SYLA_HOME/data)")
  .option("-d, --detach", "return when it is ready, and leave it running")
  .option("--public-url <url>", "the address that people open, when a proxy stands in front")
  .option("--base-path <path>", "the path below which everything is served, e.g. /syla")
  .option("--trust-proxy", "believe X-Forwarded-* headers")
  .option("--tls-cert <file>", "PEM file of the certificate chain")
  .option("--tls-key <file>", "PEM file of its private key")
  .option("--insecure", "allow an address that other machines reach, without TLS")
  .action(up);

async function up(flags: Flags): Promise<void> {
  const dataDir = flags.dataDir === undefined ? defaultDataDir(process.env) : resolve(flags.dataDir);
  const settings = settingsOf(flags);
  const already = findRunningServer(dataDir);
  const progress = createProgress();
  if (already === null) {
    const missing = ensureUv(process.env, () => note("fetching uv, which installs the packages of Python programs (once) …"));
    if (missing !== null) note(missing);
    progress.show("starting the server …");
  }
  const logStart = readLastLines(serverLogFile(dataDir), 0).end;
  const foreground = flags.detach !== true;
  const options = { dataDir, env: process.env, settings, foreground, ...(foreground && { onSpawn: passSignalsOn() }) };
  const started = await ensureServer(options).finally(progress.clear);
  if (started.process === null && Object.keys(settings).length > 0)
    note("it was running already, so the options have no effect; `syla down` stops it");
  announce(started, flags);
  if (started.process !== null && foreground) await attend(started, dataDir, logStart);
}

function settingsOf(flags: Flags): Record<string, string> {
  if (flags.port !== undefined && !/^\d{1,5}$/.test(flags.port))
    throw usageError(`"${flags.port}" is not a port.`, "Write --port 7878, or --port 0 for any free one.");
  const given: Record<string, string | undefined> = {
    SYLA_PORT: flags.port,
    SYLA_HOST: flags.host,
    SYLA_PUBLIC_URL: flags.publicUrl,
    SYLA_BASE_PATH: flags.basePath,
    SYLA_TRUST_PROXY: flags.trustProxy === true ? "true" : undefined,
    SYLA_TLS_CERT: flags.tlsCert && resolve(flags.tlsCert),
    SYLA_TLS_KEY: flags.tlsKey && resolve(flags.tlsKey),
    SYLA_INSECURE: flags.insecure === true ? "true" : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function announce({ file, process: child }: StartedServer, flags: Flags): void {
  if (flags.json === true) return printJson({ ...describeServer(file), started: child !== null });
  if (file.setupUrl === null)
    return printLine(process.stdout.isTTY ? `Syla is running at ${style(process.stdout, "bold", file.url)}` : file.url);
  if (!process.stdout.isTTY) return printLine(file.setupUrl);
  printLine("Syla is running. Open this link once to choose your name and password:\n");
  printLine(`  ${style(process.stdout, ["bold", "underline"], file.setupUrl)}\n`);
}

function describeServer({ pid, url, version, startedAt, setupUrl }: ServerFile): object {
  return { pid, url, version, startedAt, setupUrl };
}

/** From the first moment on: a server in the foreground must not outlive us, also when we are stopped before it is ready. */
function passSignalsOn(): (child: ChildProcess) => void {
  let server: ChildProcess | null = null;
  let stopped = false;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      stopped = true;
      server?.kill("SIGTERM");
    });
  }
  return (child) => {
    server = child;
    if (stopped) child.kill("SIGTERM");
  };
}

/** In the foreground: show the log on stderr, and end when the server ends. */
async function attend({ process: child }: StartedServer, dataDir: string, logStart: number): Promise<void> {
  if (child === null) return;
  const ended = new AbortController();
  const showing = showLog(dataDir, logStart, ended.signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  ended.abort();
  await showing;
  process.exitCode = child.exitCode ?? 1;
}

async function showLog(dataDir: string, start: number, signal: AbortSignal): Promise<void> {
  for await (const line of followLines(serverLogFile(dataDir), start, signal)) process.stderr.write(`${formatLogLine(line)}\n`);
}
