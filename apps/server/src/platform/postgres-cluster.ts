import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { readIfPresent } from "./data-directory.ts";
import type { Logger } from "./logger.ts";
import { findPostgresBinaries, postgresMajor, type PostgresBinaries } from "./postgres-binaries.ts";

/** The role that owns everything in the cluster. */
export const clusterUser = "syla";
/** Only part of the socket's name: nothing listens on it. */
export const clusterPort = 5432;
/** `sockaddr_un` holds 107 bytes and a NUL; PostgreSQL adds the socket's file name to the directory. */
const longestSocketDirectory = 107 - "/.s.PGSQL.5432".length;
/** How long a server that was killed may need to finish before its successor gives up. */
export const predecessorMs = 15_000;

/** A cluster on disk: its programs, its files and the directory of its socket. */
export interface Cluster {
  readonly binaries: PostgresBinaries;
  readonly data: string;
  readonly sockets: string;
  /** The socket lies outside the data directory, whose path is too long for it. */
  readonly socketsAreElsewhere: boolean;
  readonly passwordFile: string;
  readonly logger: Logger;
}

/** The cluster in a directory; it may not have been made yet. */
export function openCluster(directory: string, logger: Logger): Cluster {
  const binaries = findPostgresBinaries();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    binaries,
    data: join(directory, "cluster"),
    ...socketDirectory(directory),
    passwordFile: join(directory, "password"),
    logger,
  };
}

/** A directory whose name is short enough for a Unix socket: beside the cluster, else in the system's temporary directory. */
function socketDirectory(directory: string): Pick<Cluster, "sockets" | "socketsAreElsewhere"> {
  const inside = join(directory, "run");
  const socketsAreElsewhere = Buffer.byteLength(inside) > longestSocketDirectory;
  // The name is fixed, so that a restart finds the same place.
  const name = `syla-pg-${createHash("sha256").update(directory).digest("hex").slice(0, 16)}`;
  const sockets = socketsAreElsewhere ? join(tmpdir(), name) : inside;
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  refuseForeignDirectory(sockets);
  return { sockets, socketsAreElsewhere };
}

/** In a shared temporary directory somebody else may have taken the name first. */
function refuseForeignDirectory(directory: string): void {
  const info = lstatSync(directory);
  if (info.isDirectory() && info.uid === process.getuid?.() && (info.mode & 0o077) === 0) return;
  throw new AppError("postgres_unavailable", { message: `The directory ${directory} belongs to somebody else or is open to others.` });
}

/**
 * The command line that runs a PostgreSQL program. PostgreSQL refuses to run as root or as a user without a name, so those run it
 * in a user namespace in which they are another user: the files stay their own.
 */
export function asOrdinaryUser(program: string, args: readonly string[], dieWithParent: boolean): [string, string[]] {
  const guarded = dieWithParent ? ["setpriv", "--pdeathsig", "INT", program, ...args] : [program, ...args];
  const standIn = standInUser();
  const command =
    standIn === undefined ? guarded : ["unshare", "--user", `--map-user=${standIn}`, `--map-group=${standIn}`, "--", ...guarded];
  return [command[0] ?? program, command.slice(1)];
}

/** The id of a user that has a name, when ours is root or has none (`docker run --user 12345`); undefined when ours will do. */
function standInUser(): number | undefined {
  if (process.getuid?.() !== 0 && hasName()) return undefined;
  const ids = (readIfPresent("/etc/passwd") ?? "").split("\n").map((line) => Number(line.split(":")[2]));
  const named = ids.filter((id) => id > 0);
  return named.find((id) => id === 65_534) ?? named[0] ?? 65_534;
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

/** PostgreSQL's own messages in English and its times in UTC, whatever the machine's settings. */
export const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" };

/** Makes the cluster beside its final place, so that an interrupted start leaves nothing that looks finished. */
export function createCluster(cluster: Cluster): void {
  const unfinished = `${cluster.data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const [program, args] = asOrdinaryUser(
    cluster.binaries.initdb,
    [
      "--pgdata",
      unfinished,
      "--username",
      clusterUser,
      "--pwfile",
      cluster.passwordFile,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
    ],
    false,
  );
  try {
    execFileSync(program, args, { stdio: ["ignore", "pipe", "pipe"], env: environment });
  } catch (cause) {
    const reason =
      String((cause as { stderr?: Buffer }).stderr ?? (cause as Error).message)
        .trim()
        .split("\n")
        .at(0) ?? "";
    const hint = /unshare/.test(reason) ? "Start Syla as an ordinary user, or set `DATABASE_URL`." : undefined;
    throw new AppError("postgres_unavailable", {
      message: `The database cluster cannot be created: ${reason}.`,
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
  }
  renameSync(unfinished, cluster.data);
  const parent = openSync(dirname(cluster.data), "r");
  fsyncSync(parent);
  closeSync(parent);
}

/** @throws AppError `postgres_version` when the cluster belongs to another major version, `postgres_unavailable` when it is damaged */
export function checkMajor(cluster: Cluster): void {
  const found = readIfPresent(join(cluster.data, "PG_VERSION"))?.trim();
  if (found === undefined)
    throw new AppError("postgres_unavailable", { message: `The database cluster ${cluster.data} is damaged: PG_VERSION is missing.` });
  const wanted = postgresMajor(cluster.binaries);
  if (found === wanted) return;
  throw new AppError("postgres_version", {
    message: `The database cluster belongs to PostgreSQL ${found}; this version of Syla comes with PostgreSQL ${wanted}.`,
  });
}

/**
 * Waits for the PostgreSQL of a server that was killed a moment ago, and clears its pid file. After a reboot the number in that
 * file may belong to any process, which PostgreSQL would take for a living server. We hold the directory's lock, so only a
 * process that really is a PostgreSQL on this cluster counts.
 */
export async function endPredecessor(cluster: Cluster): Promise<void> {
  const pidFile = join(cluster.data, "postmaster.pid");
  const deadline = Date.now() + predecessorMs;
  for (let polls = 0; existsSync(pidFile); polls += 1) {
    const pid = Number(readFileSync(pidFile, "utf8").split("\n", 1)[0]);
    if (!isPostgresOn(cluster, pid)) return rmSync(pidFile, { force: true });
    if (Date.now() > deadline)
      throw new AppError("postgres_unavailable", { message: `An earlier PostgreSQL (pid ${pid}) on ${cluster.data} does not end.` });
    if (polls === 20) process.kill(pid, "SIGINT");
    await sleep(50);
  }
}

function isPostgresOn(cluster: Cluster, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(cluster.data);
  } catch {
    return false;
  }
}
