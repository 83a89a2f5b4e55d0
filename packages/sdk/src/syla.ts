import { createSharing, type Sharing } from "./access.ts";
import { type Accounts, createAccounts } from "./accounts.ts";
import { type Blobs, createBlobs } from "./blobs.ts";
import { type Cache, createCache } from "./cache.ts";
import { createExecutions, createRuns, type Executions, type Runs } from "./runs.ts";
import { createSandboxes, type Sandboxes } from "./sandboxes.ts";
import { createRuntimes, type Runtimes } from "./runtimes.ts";
import { createSystem, type System } from "./system.ts";
import { createTeams, type Teams } from "./teams.ts";
import { createTransport, type SylaOptions } from "./transport.ts";
import { createPools, createWorkers, type Pools, type Workers } from "./workers.ts";

/**
 * A client of one Syla server.
 *
 * ```ts
 * const syla = new Syla({ baseUrl: "http://127.0.0.1:7878", apiKey: process.env.SYLA_API_KEY });
 * const run = await syla.executions.run({ language: "python", code: "print(6 * 7)" });
 * console.log(run.stdout);
 * ```
 */
export class Syla {
  readonly executions: Executions;
  readonly runs: Runs;
  readonly runtimes: Runtimes;
  readonly blobs: Blobs;
  readonly sandboxes: Sandboxes;
  readonly me: Accounts["me"];
  readonly setup: Accounts["setup"];
  readonly sessions: Accounts["sessions"];
  readonly apiKeys: Accounts["apiKeys"];
  readonly server: System;
  readonly cache: Cache;
  readonly sharing: Sharing;
  readonly teams: Teams;
  readonly workers: Workers;
  readonly pools: Pools;

  constructor(options: SylaOptions) {
    const transport = createTransport(options);
    this.executions = createExecutions(transport);
    this.runs = createRuns(transport);
    this.runtimes = createRuntimes(transport);
    this.blobs = createBlobs(transport);
    this.cache = createCache(transport);
    this.sandboxes = createSandboxes(transport);
    const accounts = createAccounts(transport);
    this.me = accounts.me;
    this.setup = accounts.setup;
    this.sessions = accounts.sessions;
    this.apiKeys = accounts.apiKeys;
    this.server = createSystem(transport);
    this.sharing = createSharing(transport);
    this.teams = createTeams(transport);
    this.workers = createWorkers(transport);
    this.pools = createPools(transport);
  }
}
