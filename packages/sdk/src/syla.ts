import { createSharing, type Sharing } from "./access.ts";
import { type Accounts, createAccounts } from "./accounts.ts";
import { type Audit, createAudit } from "./audit.ts";
import { type Blobs, createBlobs } from "./blobs.ts";
import { type Cache, createCache } from "./cache.ts";
import { createAdmin, type AdminApi } from "./admin.ts";
import { createNotifications, type Notifications } from "./notifications.ts";
import { createQuotas, createUsage, type Quotas, type ReadUsage } from "./quotas.ts";
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
  readonly signUp: Accounts["signUp"];
  readonly passwordReset: Accounts["passwordReset"];
  readonly invitations: Accounts["invitations"];
  readonly sessions: Accounts["sessions"];
  readonly apiKeys: Accounts["apiKeys"];
  readonly deviceCodes: Accounts["deviceCodes"];
  readonly signInProviders: Accounts["signInProviders"];
  readonly tokens: Accounts["tokens"];
  readonly server: System;
  readonly cache: Cache;
  readonly sharing: Sharing;
  readonly teams: Teams;
  readonly workers: Workers;
  readonly pools: Pools;
  readonly notifications: Notifications;
  readonly users: AdminApi["users"];
  readonly admin: AdminApi["admin"];
  readonly announcements: AdminApi["announcements"];
  readonly impersonation: AdminApi["impersonation"];
  readonly account: AdminApi["account"];
  readonly audit: Audit;
  readonly quotas: Quotas;
  readonly usage: ReadUsage;

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
    this.signUp = accounts.signUp;
    this.passwordReset = accounts.passwordReset;
    this.invitations = accounts.invitations;
    this.sessions = accounts.sessions;
    this.apiKeys = accounts.apiKeys;
    this.deviceCodes = accounts.deviceCodes;
    this.signInProviders = accounts.signInProviders;
    this.tokens = accounts.tokens;
    this.server = createSystem(transport);
    this.sharing = createSharing(transport);
    this.teams = createTeams(transport);
    this.workers = createWorkers(transport);
    this.pools = createPools(transport);
    this.notifications = createNotifications(transport);
    const { users, admin, announcements, impersonation, account } = createAdmin(transport);
    this.users = users;
    this.admin = admin;
    this.announcements = announcements;
    this.impersonation = impersonation;
    this.account = account;
    this.audit = createAudit(transport);
    this.quotas = createQuotas(transport);
    this.usage = createUsage(transport);
  }
}
