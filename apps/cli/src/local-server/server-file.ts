import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a running server writes into its data directory. */
export interface ServerFile {
  readonly pid: number;
  readonly url: string;
  readonly version: string;
  readonly startedAt: string;
  /** The one-time link that names the first admin; gone once it was used. */
  readonly setupUrl: string | null;
}

/** Where a server is started from; part of its command line, by which it is recognised. */
export const serverEntry = "apps/server/src/main.ts";

/** Reads the file of the server that runs on this data directory; null when none does. */
export function findRunningServer(dataDir: string): ServerFile | null {
  const file = readServerFile(dataDir);
  return file !== null && isServerProcess(file.pid) ? file : null;
}

function readServerFile(dataDir: string): ServerFile | null {
  try {
    const value = JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")) as Partial<ServerFile> | null;
    const { pid, url, version, startedAt, setupUrl } = value ?? {};
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 1 || typeof url !== "string" || !URL.canParse(url)) return null;
    return { pid, url, version: String(version), startedAt: String(startedAt), setupUrl: typeof setupUrl === "string" ? setupUrl : null };
  } catch {
    return null;
  }
}

/** A process id alone proves nothing: after a crash it may belong to any other program. */
export function isServerProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8")
      .split("\0")
      .some((argument) => argument.endsWith(serverEntry));
  } catch {
    return false;
  }
}

/** The bearer token that a local server makes for the OS user who started it. */
export function readLocalKey(dataDir: string): string | null {
  try {
    return readFileSync(join(dataDir, "cli.key"), "utf8").trim() || null;
  } catch {
    return null;
  }
}
