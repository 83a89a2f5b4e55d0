import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import pg from "pg";
import { readOrCreateSecret } from "./data-directory.ts";
import type { Logger } from "./logger.ts";
import {
  asOrdinaryUser,
  checkMajor,
  clusterPort,
  clusterUser,
  createCluster,
  endPredecessor,
  environment,
  openCluster,
  predecessorMs,
  type Cluster,
} from "./postgres-cluster.ts";

/** How to reach a database of the cluster. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A PostgreSQL of our own on a Unix socket. It is started again when it dies under a living server. */
export class EmbeddedPostgres {
  readonly #cluster: Cluster;
  readonly #settings: readonly string[];
  readonly #password: string;
  #child: ChildProcess | undefined;
  #restarting: Promise<void> | undefined;
  #stopping = false;

  private constructor(cluster: Cluster, settings: readonly string[]) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#password = readOrCreateSecret(cluster.passwordFile);
  }

  /**
   * Starts PostgreSQL with its cluster in `directory`; makes the cluster on the first start. `settings` are added to ours.
   *
   * @throws AppError `postgres_unavailable`, `postgres_version`
   */
  static async start(directory: string, logger: Logger, settings: readonly string[] = []): Promise<EmbeddedPostgres> {
    const cluster = openCluster(directory, logger);
    const postgres = new EmbeddedPostgres(cluster, settings);
    if (!existsSync(cluster.data)) createCluster(cluster);
    checkMajor(cluster);
    await postgres.#launch();
    return postgres;
  }

  /** The running process, for tests of outages. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How to reach one of its databases. */
  address(database: string): PostgresAddress {
    return { host: this.#cluster.sockets, port: clusterPort, user: clusterUser, password: this.#password, database };
  }

  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#restarting;
    if (this.#child !== undefined) await end(this.#child);
    if (this.#cluster.socketsAreElsewhere) rmSync(this.#cluster.sockets, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    await endPredecessor(this.#cluster);
    const child = await this.#launchWhenFree();
    this.#child = child;
    child.once("exit", (code, signal) => {
      if (this.#stopping) return;
      this.#cluster.logger.error({ code, signal }, "PostgreSQL ended unexpectedly; starting it again");
      this.#restarting = this.#restart();
    });
  }

  /** When the main process of a predecessor was killed alone, its workers hold the cluster for a moment longer. */
  async #launchWhenFree(): Promise<ChildProcess> {
    const deadline = Date.now() + predecessorMs;
    for (;;) {
      try {
        return await launch(this.#cluster, this.address("postgres"), this.#settings);
      } catch (error) {
        const isHeld = /shared memory block|lock file/.test((error as Error).message);
        if (!isHeld || this.#stopping || Date.now() > deadline) throw error;
        await sleep(200);
      }
    }
  }

  async #restart(): Promise<void> {
    let waitMs = 100;
    while (!this.#stopping) {
      await sleep(waitMs);
      waitMs = Math.min(waitMs * 2, 5000);
      try {
        if (!this.#stopping) return await this.#launch();
      } catch (error) {
        this.#cluster.logger.error({ err: error }, "PostgreSQL did not start");
      }
    }
  }
}

function serverArguments(cluster: Cluster, settings: readonly string[]): string[] {
  const all = [
    "listen_addresses=",
    `port=${clusterPort}`,
    `unix_socket_directories=${cluster.sockets}`,
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "max_connections=100",
    "max_wal_size=512MB",
    "jit=off",
    "log_min_messages=warning",
    "timezone=UTC",
    "log_timezone=UTC",
    ...settings,
  ];
  return ["-D", cluster.data, ...all.flatMap((setting) => ["-c", setting])];
}

/** Starts the process and waits until it answers; a crash recovery may take long, so only its death ends the wait. */
async function launch(cluster: Cluster, address: PostgresAddress, settings: readonly string[]): Promise<ChildProcess> {
  const [program, args] = asOrdinaryUser(cluster.binaries.postgres, serverArguments(cluster, settings), true);
  // In a session of its own: Ctrl+C in a terminal reaches us only, and we stop it when the work in hand is done.
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment, cwd: cluster.data });
  const lines: string[] = [];
  const listen = (chunk: Buffer) => {
    for (const line of chunk.toString().split("\n").filter(Boolean)) {
      if (lines.push(line) > 20) lines.shift();
      cluster.logger.debug({ postgres: line }, "PostgreSQL");
    }
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  while (!(await answers(address))) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) throw launchError(child, lines, failure);
    await sleep(15);
  }
  return child;
}

function launchError(child: ChildProcess, lines: readonly string[], failure: NodeJS.ErrnoException | undefined): AppError {
  // Whoever asks whether it answers is told so in the log, too.
  const own = lines.filter((line) => !/the database system is/.test(line));
  const named = own.find((line) => /FATAL|ERROR|could not|failed/.test(line)) ?? own.at(-1) ?? lines.at(-1);
  const reason = failure?.message ?? named ?? `exit code ${child.exitCode}`;
  const isProgramMissing = failure?.code === "ENOENT";
  const hint = isProgramMissing ? { hint: "Install the package `util-linux` (`setpriv`, `unshare`), or set `DATABASE_URL`." } : {};
  return new AppError("postgres_unavailable", {
    message: `The embedded PostgreSQL cannot be started: ${reason}.`,
    ...hint,
    cause: failure,
  });
}

async function answers(address: PostgresAddress): Promise<boolean> {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 5000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    await client.end().catch(() => undefined);
    return false;
  }
}

/** SIGINT is PostgreSQL's fast shutdown; SIGQUIT, after a while, its immediate one (recovered from the log at the next start). */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const force = setTimeout(() => child.kill("SIGQUIT"), 10_000);
  await exited;
  clearTimeout(force);
}

/** Creates a database unless it exists. */
export async function ensureDatabase(postgres: EmbeddedPostgres, name: string): Promise<void> {
  const client = new pg.Client(postgres.address("postgres"));
  await client.connect();
  try {
    const found = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
