import { SylaError } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { findRunningServer } from "../local-server/server-file.ts";
import { printFields, printJson } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { defaultDataDir } from "../settings/home.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface ServerStatus {
  /** `ready` takes work; `not_ready` answers and says why; `unreachable` should be there and does not answer; `stopped` does not run. */
  readonly status: "ready" | "not_ready" | "unreachable" | "stopped";
  readonly reason: string | null;
  readonly source: "SYLA_URL" | "profile" | "local";
  readonly url: string | null;
  readonly version: string | null;
  readonly pid: number | null;
  readonly startedAt: string | null;
  readonly dataDir: string | null;
  readonly setupNeeded: boolean | null;
}

/** Not running is no error, but scripts must be able to ask: the number is systemctl's. */
const notReadyExitCode = 3;

export const statusCommand: Command = defineServerCommand("status", "whether the server runs and takes work").action(
  async (flags: CommonFlags) => {
    const status = await readStatus(flags);
    if (flags.json === true) printJson(status);
    else printFields(fieldsOf(status));
    process.exitCode = status.status === "ready" ? 0 : notReadyExitCode;
  },
);

async function readStatus(flags: CommonFlags): Promise<ServerStatus> {
  const dataDir = defaultDataDir(process.env);
  const connection = await connect({ env: process.env, profile: flags.profile }).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "server_not_running") return null;
    throw error;
  });
  if (connection === null)
    return {
      status: "stopped",
      reason: null,
      source: "local",
      url: null,
      version: null,
      pid: null,
      startedAt: null,
      dataDir,
      setupNeeded: null,
    };
  const { syla, target } = connection;
  const file = target.source === "local" ? findRunningServer(dataDir) : null;
  const [ready, info, setup] = await Promise.allSettled([
    syla.server.ready({ timeoutMs: 5000 }),
    syla.server.info({ timeoutMs: 5000 }),
    syla.setup.status(undefined, { timeoutMs: 5000 }),
  ]);
  const answered = ready.status === "fulfilled" || (ready.reason instanceof SylaError && ready.reason.status !== 0);
  return {
    status: ready.status === "fulfilled" ? "ready" : answered ? "not_ready" : "unreachable",
    reason: ready.status === "rejected" ? (ready.reason as Error).message : null,
    source: target.source,
    url: target.url,
    version: info.status === "fulfilled" ? info.value.version : (file?.version ?? null),
    pid: file?.pid ?? null,
    startedAt: file?.startedAt ?? null,
    dataDir: target.source === "local" ? dataDir : null,
    setupNeeded: setup.status === "fulfilled" ? setup.value.needed : null,
  };
}

function fieldsOf(status: ServerStatus): [string, string][] {
  const word = styleStatus(process.stdout, status.status === "ready" ? "ok" : status.status === "stopped" ? "warning" : "error").replace(
    /ok|warning|error/,
    status.status,
  );
  const fields: [string, string][] = [["status", status.reason === null ? word : `${word}: ${plainLine(status.reason)}`]];
  if (status.url !== null) fields.push(["address", status.url]);
  if (status.version !== null) fields.push(["version", plainLine(status.version)]);
  if (status.pid !== null) fields.push(["process", String(status.pid)]);
  if (status.startedAt !== null) fields.push(["started", formatAge(status.startedAt)]);
  if (status.dataDir !== null) fields.push(["data", status.dataDir]);
  if (status.setupNeeded === true) fields.push(["set-up", "nobody has been set up yet: `syla up` prints the link"]);
  if (status.status === "stopped") fields.push(["next", "`syla up --detach` starts it"]);
  return fields;
}
