import { join } from "node:path";
import type { Http } from "./access/http.ts";
import { createRequestLimit } from "./access/request-limit.ts";
import { requireScope } from "./access/scopes.ts";
import { Access } from "./access/service.ts";
import { adoptEmailGrants, Sharing } from "./access/sharing/service.ts";
import { openAccounts, type Accounts } from "./accounts/service.ts";
import { Admin } from "./admin/service.ts";
import { Sealer } from "./audit/sealer.ts";
import { Audit } from "./audit/service.ts";
import { createAuditTrail, type AuditTrail } from "./audit/trail.ts";
import { describeSettings, type Config } from "./config.ts";
import { ResultCache } from "./cache/service.ts";
import { queueMail } from "./notifications/service.ts";
import { openBlobs, type Blobs } from "./platform/blobs.ts";
import { checkLayout, createDataDirectory, dataDirectoryAt, readOrCreateSecret, type DataDirectory } from "./platform/data-directory.ts";
import { openDatabase, type Database, type DatabaseTarget } from "./platform/database.ts";
import { createHttp } from "./platform/http.ts";
import { lockDirectory } from "./platform/lock.ts";
import { createMailer } from "./notifications/deliveries/mailer.ts";
import { Deliveries } from "./notifications/deliveries/service.ts";
import { createWebhooks } from "./notifications/deliveries/webhook.ts";
import { Digests } from "./notifications/digests.ts";
import { Inbox } from "./notifications/inbox.ts";
import { LiveNotifications } from "./notifications/live.ts";
import type { Logger } from "./platform/logger.ts";
import { migrate } from "./platform/migrate.ts";
import { Notifications } from "./platform/notifications.ts";
import { EmbeddedPostgres, ensureDatabase } from "./platform/postgres.ts";
import { Secret } from "./platform/secret.ts";
import { createSharedRateLimit } from "./platform/rate-limit.ts";
import type { Service } from "./platform/service.ts";
import { Quotas } from "./quotas/service.ts";
import { tellOfQuota } from "./quotas/tell.ts";
import { Compilations } from "./runs/compilations/service.ts";
import { compileLimits } from "./runs/config.ts";
import { LiveRuns } from "./runs/live-runs.ts";
import { recoverRuns, sealSpools } from "./runs/recovery.ts";
import { Runs } from "./runs/service.ts";
import { Worker } from "./runs/worker.ts";
import { Previews } from "./previews/service.ts";
import { openRedis } from "./platform/redis.ts";
import { openRuntimes, type Runtimes } from "./runtimes/service.ts";
import { LongLivedSandboxes } from "./sandboxes/long-lived.ts";
import { recoverSandboxes } from "./sandboxes/recovery.ts";
import { openSandboxes, type Sandboxes } from "./sandboxes/service.ts";
import { readVersion } from "./system/version.ts";
import { Teams } from "./teams/service.ts";
import { joinWorkers } from "./workers/service.ts";

/** Facts that change while the server lives. */
export interface ServerState {
  draining: boolean;
}

/** Every dependency of the server on one screen. Domains take the slice they need. */
export interface Context {
  readonly config: Config & { readonly publicUrl: string };
  readonly version: string;
  readonly logger: Logger;
  readonly directory: DataDirectory;
  readonly database: Database;
  readonly notifications: Notifications;
  readonly blobs: Blobs;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly access: Access;
  readonly sharing: Sharing;
  readonly teams: Teams;
  readonly auditTrail: AuditTrail;
  readonly sealer: Sealer;
  readonly quotas: Quotas;
  readonly http: Http;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly runs: Runs;
  readonly cache: ResultCache;
  readonly longLived: LongLivedSandboxes;
  /** This process as a worker. */
  readonly workerId: string;
  readonly previews: Previews;
  readonly inbox: Inbox;
  readonly liveNotifications: LiveNotifications;
  readonly deliveries: Deliveries;
  readonly admin: Admin;
  readonly state: ServerState;
  /** Long-lived parts, started after the routes are bound. */
  readonly services: Service[];
  /** Closes everything in reverse order. */
  close(): Promise<void>;
}

/** What the composition is made of. `config.port` is a real port here. */
export interface ContextOptions {
  readonly config: Config & { readonly publicUrl: string };
  readonly logger: Logger;
  readonly onSetup: () => void;
  readonly checkAnswers?: boolean;
}

/**
 * Opens everything in order: data directory, lock, database, migrations, stores, HTTP.
 *
 * @throws AppError with the code of what is wrong; what was opened by then is closed again
 */
export async function openContext({ config, logger, onSetup, checkAnswers = false }: ContextOptions): Promise<Context> {
  await using opened = new AsyncDisposableStack();
  const directory = dataDirectoryAt(config.dataDir);
  createDataDirectory(directory);
  opened.adopt(lockDirectory(directory.lockFile), (lock) => lock.release());
  checkLayout(directory);

  const target = await openTarget(config, directory, logger, opened);
  await migrate(target, join(import.meta.dirname, "migrations"));
  const database = opened.adopt(openDatabase(target, logger), (value) => value.close());
  const notifications = opened.adopt(new Notifications(target, logger), (value) => value.close());
  const blobs = opened.adopt(await openBlobs(directory.blobs), (value) => value.close());
  const { publicUrl, basePath, trustProxy, bodyLimit, tlsCert, tlsKey } = config;
  const { signUp: mode, signUpDomains: domains } = config;
  const signUp = { mode, domains };
  const onEmailConfirmed = adoptEmailGrants;
  const { identityProviders, trustedIssuers } = config;
  const accounts = await openAccounts({
    database,
    directory,
    logger,
    publicUrl,
    basePath,
    onSetup,
    signUp,
    identityProviders,
    trustedIssuers,
    queueMail,
    onEmailConfirmed,
  });
  opened.adopt(accounts, (value) => value.settled());
  const audit = new Audit({ database, logger });
  const access = opened.adopt(new Access({ database, notifications, audit }), (value) => value.close());
  await access.listen((what) => {
    if (what === null || what.startsWith("user:")) accounts.forgetKeys(what?.slice("user:".length) ?? null);
  });
  const auditTrail = createAuditTrail(database);
  const sealer = new Sealer({ database, audit, logger, retentionDays: config.auditRetentionDays });
  const redis = opened.adopt(openRedis(config.redisUrl, logger), (value) => value.close());
  const rateLimit = createSharedRateLimit(redis);
  const quotas = new Quotas({
    database,
    notifications,
    rateLimit,
    onWarning: (warning) => {
      tellOfQuota(database.queries, warning).catch((err: unknown) => logger.warn({ err }, "somebody could not be told of their quota"));
    },
  });
  const state: ServerState = { draining: false };
  const version = readVersion();
  const tls = tlsCert === undefined || tlsKey === undefined ? {} : { tls: { cert: tlsCert, key: tlsKey } };
  const http: Http = createHttp({
    logger,
    basePath,
    publicUrl,
    trustProxy,
    bodyLimit,
    ...tls,
    authenticate: (request, reply) => accounts.authenticate(request, reply),
    authorize: requireScope,
    audit: (change) => audit.record(change),
    rateLimit: createRequestLimit(rateLimit, config),
    isDraining: () => state.draining,
    checkAnswers,
  });
  opened.adopt(http, (value) => value.close());

  const runtimes = await openRuntimes(join(import.meta.dirname, "../../../runtimes"), { home: config.home, runtimes: config.runtimesDir });
  const sandboxes = openSandboxes({
    folder: directory.sandboxes,
    dataDirectory: directory.root,
    slots: config.workerSlots,
    historyFile: directory.demandFile,
    mergePages: config.mergePages,
    networkAllowPrivate: config.networkAllowPrivate,
  });
  opened.adopt(sandboxes, (value) => value.stop());
  const liveRuns = new LiveRuns(directory.spool);
  const membership = await joinWorkers(database, logger, { slots: config.workerSlots, version }, async (work, workerId) => {
    await recoverRuns(work, workerId);
    await recoverSandboxes(work, workerId);
  });
  await sealSpools(database.queries, blobs, directory.spool, logger);
  const shared = { access, database, blobs, sandboxes, runtimes, liveRuns };
  const cache = new ResultCache({ database, notifications, redis });
  const limits = compileLimits(config.compileSeconds, config.compileMemory);
  const compilations = new Compilations({ database, blobs, sandboxes, logger, limits, librariesFolder: join(directory.root, "libraries") });
  const worker = new Worker({
    ...shared,
    cache,
    quotas,
    compilations,
    notifications,
    logger,
    workerId: membership.id,
    slots: config.workerSlots,
  });
  const runs = new Runs({ ...shared, cache, quotas, worker, queueLimit: config.queueLimit });
  const longLived = new LongLivedSandboxes({ ...shared, runs, logger, workerId: membership.id, limit: config.sandboxLimit });
  const previews = new Previews({
    logger,
    sandboxes: longLived,
    host: config.host,
    port: config.previewPort,
    url: config.previewUrl,
    tls: tls.tls ?? null,
    isDraining: () => state.draining,
  });
  const teams = new Teams({ database, publicUrl, queueMail });
  const sharing = new Sharing({
    database,
    access,
    publicUrl,
    queueMail,
    things: { run: (id) => runs.thing(id), sandbox: (id) => longLived.thing(id) },
    isMember: (actor, teamId) => teams.isMember(actor, teamId),
  });
  const mailer = createMailer(config.smtpUrl, config.mailFrom);
  const webhooks = createWebhooks(new Secret(readOrCreateSecret(directory.secretFile)), config.webhookAllowPrivate);
  const deliveries = new Deliveries({ database, notifications, logger, mailer, webhooks, publicUrl });
  const inbox = new Inbox({ database, deliveries, webhooks, publicUrl });
  const liveNotifications = await LiveNotifications.open(database, notifications);
  const admin = new Admin({ database, accounts, deliveries, settings: describeSettings(config) });
  if (config.workerSlots > 0) sandboxes.warm([...runtimes.toWarm(), ...compilations.knownLibraries(runtimes.installed())]);

  const owned = opened.move();
  return {
    config,
    version,
    logger,
    directory,
    database,
    notifications,
    blobs,
    accounts,
    audit,
    access,
    sharing,
    teams,
    auditTrail,
    sealer,
    quotas,
    http,
    runtimes,
    sandboxes,
    runs,
    cache,
    longLived,
    workerId: membership.id,
    previews,
    inbox,
    liveNotifications,
    deliveries,
    admin,
    state,
    services: [audit, sealer, worker, previews, longLived, membership, cache, deliveries, new Digests({ database, logger })],
    close: () => owned.disposeAsync(),
  };
}

/** The database that is configured, else our own PostgreSQL. */
async function openTarget(config: Config, directory: DataDirectory, logger: Logger, opened: AsyncDisposableStack): Promise<DatabaseTarget> {
  if (config.databaseUrl !== undefined) return { connectionString: config.databaseUrl.reveal() };
  const postgres = opened.adopt(await EmbeddedPostgres.start(directory.postgres, logger), (value) => value.stop());
  await ensureDatabase(postgres, "syla");
  return postgres.address("syla");
}
