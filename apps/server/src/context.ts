import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Actor } from "./access/actor.ts";
import type { Http } from "./access/http.ts";
import { createRequestLimit } from "./access/request-limit.ts";
import { requireScope } from "./access/scopes.ts";
import { Access } from "./access/service.ts";
import { createOnce } from "./access/idempotency/service.ts";
import { acceptShareLinks } from "./access/sharing/link-actor.ts";
import { adoptEmailGrants, Sharing } from "./access/sharing/service.ts";
import { openAccounts, type Accounts } from "./accounts/service.ts";
import { Admin } from "./admin/service.ts";
import { Sealer } from "./audit/sealer.ts";
import { Audit } from "./audit/service.ts";
import { createAuditTrail, type AuditTrail } from "./audit/trail.ts";
import { KnownRepository } from "./backups/known-repository.ts";
import { archiveFolder, archiveSettings } from "./backups/physical/log-archive.ts";
import { carryingLog } from "./backups/physical/log-carrier.ts";
import { Backups } from "./backups/service.ts";
import { WorkspaceBackups } from "./backups/workspace-backups.ts";
import { LiveCatalog } from "./catalog/live.ts";
import { forgettingWords, purging } from "./catalog/purge.ts";
import { Catalog, createOwnership } from "./catalog/service.ts";
import { GraphFiles } from "./compositions/graph-files.ts";
import { LiveCompositions } from "./compositions/live/service.ts";
import { Compositions } from "./compositions/service.ts";
import { CompositionTemplates } from "./compositions/templates.ts";
import { Datasets } from "./datasets/service.ts";
import { expiryWarnings } from "./credentials/expiry-warnings.ts";
import { openKeys } from "./credentials/open-keys.ts";
import { Credentials } from "./credentials/service.ts";
import { createAddressRules } from "@syla/sandbox/egress/addresses";
import { createResolve } from "@syla/sandbox/egress/resolve";
import { Images } from "./environments/images/service.ts";
import { Indexes } from "./environments/indexes/service.ts";
import { LayerStore } from "./environments/layer-store.ts";
import { PackageIndexes } from "./environments/package-index.ts";
import { Environments, recoverEnvironments } from "./environments/service.ts";
import { findUv } from "./environments/tools.ts";
import { checkSecrets, openSecrets } from "./program-runs/secrets.ts";
import { SandboxPrograms } from "./program-runs/sandbox-programs.ts";
import { ProgramRuns } from "./program-runs/service.ts";
import type { Config } from "./config.ts";
import { CompositionRuns } from "./composition-runs/service.ts";
import { NodeReports } from "./composition-runs/node-reports.ts";
import { tellWaiting } from "./composition-runs/tell-waiting.ts";
import { RunNodes } from "./composition-runs/run-nodes.ts";
import { failedNode, wasAsked } from "./composition-runs/store.ts";
import { ResultCache } from "./cache/service.ts";
import type { Blobs } from "./platform/blobs.ts";
import {
  checkLayout,
  createDataDirectory,
  dataDirectoryAt,
  readOrCreateSecret,
  refuseUnfinishedRestore,
  type DataDirectory,
} from "./platform/data-directory.ts";
import { openDatabase, type Database, type DatabaseTarget } from "./platform/database.ts";
import { createHttp } from "./platform/http.ts";
import { lockDirectory } from "./platform/lock.ts";
import { createMailer } from "./deliveries/mailer.ts";
import { createPost } from "./deliveries/post.ts";
import { Deliveries, queueMail } from "./deliveries/service.ts";
import { digests } from "./notifications/digests.ts";
import { callSweeping } from "./gateway/sweeper.ts";
import { createCallBook } from "./gateway/calls/service.ts";
import { GatewayListener } from "./gateway/listener.ts";
import { expiringCalls } from "./gateway/calls/retention.ts";
import { probeModel } from "./gateway/probe.ts";
import { createModelAccess } from "./gateway/run-access.ts";
import { looksLikeRunToken, RunTokens } from "./gateway/run-tokens/service.ts";
import { Gateway } from "./gateway/service.ts";
import { createSend } from "./gateway/upstream/send.ts";
import { Metrics } from "./metrics/service.ts";
import { Models, type CallBook } from "./models/service.ts";
import { Inbox } from "./notifications/inbox.ts";
import { LiveNotifications } from "./notifications/live.ts";
import type { Logger } from "./platform/logger.ts";
import { migrate } from "./platform/migrate.ts";
import { Notifications } from "./platform/notifications.ts";
import { recurring } from "./platform/recurring.ts";
import { EmbeddedPostgres, ensureDatabase } from "./platform/postgres.ts";
import { Secret } from "./platform/secret.ts";
import { createDeriveSecret } from "./platform/standard-webhooks.ts";
import { createSharedRateLimit } from "./platform/rate-limit.ts";
import type { Service } from "./platform/service.ts";
import { forgettingTries } from "./platform/tries.ts";
import { TreeFolders } from "./platform/tree-folders.ts";
import { openTrees, type Trees } from "./platform/trees.ts";
import { Quotas } from "./quotas/service.ts";
import { tellOfQuota } from "./quotas/tell.ts";
import { Compilations } from "./runs/compilations/service.ts";
import { buildLimits, compileLimits } from "./runs/config.ts";
import { LiveRelay } from "./runs/live-relay.ts";
import { LiveRuns } from "./runs/live-runs.ts";
import { QueueBell } from "./runs/queue-bell.ts";
import { recoverRuns, sealSpools } from "./runs/recovery.ts";
import { RunComparisons } from "./runs/comparison/service.ts";
import { expiringRuns } from "./runs/controls/retention.ts";
import { RunArtifacts } from "./runs/artifacts/service.ts";
import { RunControls } from "./runs/controls/service.ts";
import { Runs, type NoteProgramRun, type RunsContext } from "./runs/service.ts";
import { Warmth } from "./runs/warmth.ts";
import { Worker } from "./runs/worker.ts";
import { Analyses } from "./programs/analysis/service.ts";
import { KeptAnalyses } from "./programs/analysis/kept/service.ts";
import { Previews } from "./previews/service.ts";
import { openRedis } from "./platform/redis.ts";
import { openRuntimes, type Runtimes } from "./runtimes/service.ts";
import { LongLivedSandboxes } from "./sandboxes/long-lived.ts";
import type { OpenSecrets } from "./sandboxes/program.ts";
import { ProgramSandboxes } from "./sandboxes/program-sandboxes.ts";
import { recoverSandboxes } from "./sandboxes/recovery.ts";
import { findProgram } from "./sandboxes/programs.ts";
import { WorkspaceSandboxes } from "./sandboxes/workspace-sandboxes.ts";
import { kubernetesOf } from "./sandboxes/kubernetes.ts";
import { openSandboxes, type Sandboxes, type SandboxesOptions } from "./sandboxes/service.ts";
import { Schedules, ticking } from "./schedules/service.ts";
import { Settings } from "./settings/service.ts";
import { Budgets } from "./spend/budgets/service.ts";
import { clearUnfinished } from "./imports/gather.ts";
import { Git } from "./imports/git/service.ts";
import { Imports } from "./imports/service.ts";
import { Templates } from "./imports/templates.ts";
import { openStore } from "./storage/open-store.ts";
import { Storage } from "./storage/service.ts";
import { readVersion } from "./system/version.ts";
import { Teams } from "./teams/service.ts";
import { Triggers } from "./triggers/service.ts";
import { FanOut, Webhooks } from "./webhooks/service.ts";
import { joinWorkers, type OnWorkerGone } from "./workers/service.ts";
import { WorkspaceGit } from "./workspaces/git/service.ts";
import { LiveWorkspaces } from "./workspaces/live/service.ts";
import { WorkspaceMirrors } from "./workspaces/mirrors/service.ts";
import { sweepingWorkspaces } from "./workspaces/lifecycle.ts";
import { everyOwnership, workspaceOwnership } from "./workspaces/ownership.ts";
import { forSandboxes } from "./workspaces/for-sandboxes.ts";
import { placeForRun, requireOpen, takeBack } from "./workspaces/returns.ts";
import { readTimes, Workspaces } from "./workspaces/service.ts";

/** Of calls of models, so many of each run are looked at where two are compared. */
const mostComparedCalls = 1000;

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
  readonly trees: Trees;
  readonly storage: Storage;
  readonly backups: Backups;
  readonly workspaceBackups: WorkspaceBackups;
  readonly imports: Imports;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly access: Access;
  readonly sharing: Sharing;
  readonly teams: Teams;
  readonly catalog: Catalog;
  readonly compositions: Compositions;
  readonly workspaces: Workspaces;
  readonly workspaceGit: WorkspaceGit;
  readonly liveWorkspaces: LiveWorkspaces;
  readonly liveCompositions: LiveCompositions;
  readonly workspaceMirrors: WorkspaceMirrors;
  readonly datasets: Datasets;
  readonly auditTrail: AuditTrail;
  readonly sealer: Sealer;
  readonly quotas: Quotas;
  readonly http: Http;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly runs: Runs;
  readonly schedules: Schedules;
  readonly runControls: RunControls;
  readonly runArtifacts: RunArtifacts;
  readonly runComparisons: RunComparisons;
  readonly environments: Environments;
  readonly images: Images;
  readonly packageIndexes: Indexes;
  readonly layers: LayerStore;
  readonly programRuns: ProgramRuns;
  readonly compositionRuns: CompositionRuns;
  readonly runNodes: RunNodes;
  readonly cache: ResultCache;
  readonly analyses: Analyses;
  readonly keptAnalyses: KeptAnalyses;
  readonly longLived: LongLivedSandboxes;
  readonly programSandboxes: ProgramSandboxes;
  readonly workspaceSandboxes: WorkspaceSandboxes;
  /** This process as a worker. */
  readonly workerId: string;
  readonly previews: Previews;
  readonly inbox: Inbox;
  readonly liveNotifications: LiveNotifications;
  readonly deliveries: Deliveries;
  readonly webhooks: Webhooks;
  readonly triggers: Triggers;
  readonly admin: Admin;
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly models: Models;
  readonly gateway: Gateway;
  readonly budgets: Budgets;
  readonly callBook: CallBook;
  /** Null: switched off. */
  readonly metrics: Metrics | null;
  /** Who is asking, by whatever a request carries. */
  readonly authenticate: Accounts["authenticate"];
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
  /** Versions of binaries that were asked before. */
  readonly knownVersions?: Map<string, string>;
  readonly leaseMs?: number;
  readonly sandboxes?: Pick<SandboxesOptions, "maxSpares" | "agent">;
}

/**
 * Opens everything in order: data directory, lock, database, migrations, stores, HTTP.
 *
 * @throws AppError with the code of what is wrong; what was opened by then is closed again
 */
export async function openContext(opening: ContextOptions): Promise<Context> {
  const { config, logger, onSetup, checkAnswers = false, knownVersions, leaseMs, sandboxes: sandboxOptions } = opening;
  await using opened = new AsyncDisposableStack();
  const directory = dataDirectoryAt(config.dataDir);
  createDataDirectory(directory);
  opened.adopt(lockDirectory(directory.lockFile), (lock) => lock.release());
  checkLayout(directory);
  refuseUnfinishedRestore(directory);

  const target = await openTarget(config, directory, logger, opened);
  await migrate(target, join(import.meta.dirname, "migrations"));
  const database = opened.adopt(openDatabase(target, logger), (value) => value.close());
  const notifications = opened.adopt(new Notifications(target, logger), (value) => value.close());
  const store = opened.adopt(await openStore(config, directory, database.queries), (value) => value.close());
  const { blobs } = store;
  const trees = openTrees(database, blobs);
  const { publicUrl, basePath, trustProxy, bodyLimit, tlsCert, tlsKey } = config;
  const settings = opened.adopt(await Settings.open({ config, database, notifications, logger }), (value) => value.close());
  const anonymousLinks = () => settings.get("anonymousLinks");
  const signUp = {
    get mode() {
      return settings.get("signUp");
    },
    get domains() {
      return settings.get("signUpDomains");
    },
  };
  const onEmailConfirmed = adoptEmailGrants;
  const { identityProviders, trustedIssuers } = config;
  const signIn = {
    get secondFactor() {
      return settings.get("requireTwoFactor");
    },
    get passwords() {
      return settings.get("passwordSignIn") || identityProviders.length === 0;
    },
    get sessionDays() {
      return settings.get("sessionDays");
    },
    get passwordLength() {
      return settings.get("passwordLength");
    },
  };
  const runTokens = new RunTokens(database.queries);
  const accounts = await openAccounts({
    database,
    directory,
    logger,
    publicUrl,
    basePath,
    onSetup,
    signUp,
    signIn,
    identityProviders,
    trustedIssuers,
    queueMail,
    sendsMail: config.smtpUrl !== undefined,
    onEmailConfirmed,
    async readRunToken(token) {
      if (!looksLikeRunToken(token)) return undefined;
      const { userId, role, runId, sandboxId, programId, modelIds, keyId } = await runTokens.read(token);
      const key = keyId === null ? {} : { keyId };
      return {
        userId,
        role,
        via: "token",
        ...key,
        scopes: ["models:use"],
        run: { id: runId, sandboxId, programId, modelIds: modelIds ?? [] },
      };
    },
  });
  opened.adopt(accounts, (value) => value.settled());
  const audit = new Audit({ database, logger });
  const needsSecondFactor = (actor: Actor) => accounts.needsSecondFactor(actor);
  const access = opened.adopt(new Access({ database, notifications, audit, anonymousLinks, needsSecondFactor }), (value) => value.close());
  await access.listen((what) => {
    if (what === null || what.startsWith("user:")) accounts.forgetKeys(what?.slice("user:".length) ?? null);
  });
  const auditTrail = createAuditTrail(database);
  const sealer = new Sealer({ database, audit, logger, retentionDays: config.auditRetentionDays });
  const redis = opened.adopt(await openRedis(config.redisUrl, logger), (value) => value.close());
  const rateLimit = createSharedRateLimit(redis);
  const quotas = new Quotas({
    database,
    notifications,
    rateLimit,
    settings,
    onWarning: (warning) => {
      tellOfQuota(database.queries, warning).catch((err: unknown) => logger.warn({ err }, "somebody could not be told of their quota"));
    },
  });
  settings.onChange(() => {
    access.lookAgain();
    quotas.forgetAll();
    const complain = (err: unknown) => logger.warn({ err }, "sessions could not be shortened");
    accounts.shortenSessions().then(() => access.lookAgain(), complain);
  });
  const state: ServerState = { draining: false };
  const version = readVersion();
  const tls = tlsCert === undefined || tlsKey === undefined ? {} : { tls: { cert: tlsCert, key: tlsKey } };
  const authenticate: Accounts["authenticate"] = acceptShareLinks({ database, areAllowed: anonymousLinks }, (request, reply) =>
    accounts.authenticate(request, reply),
  );
  const http: Http = createHttp({
    logger,
    basePath,
    publicUrl,
    trustProxy,
    bodyLimit,
    ...tls,
    authenticate,
    authorize: requireScope,
    hold: (actor, gone) => access.holdCaller(actor, gone),
    audit: (change) => audit.record(change),
    rateLimit: createRequestLimit(rateLimit, {
      anonymous: () => settings.get("rateLimitAnonymous"),
      signedIn: () => settings.get("rateLimit"),
    }),
    once: createOnce({ queries: database.queries, logger, workerId: () => membership.id }),
    isDraining: () => state.draining,
    checkAnswers,
  });
  opened.adopt(http, (value) => value.close());

  const runtimes = await openRuntimes(join(import.meta.dirname, "../../../runtimes"), {
    home: config.home,
    runtimes: config.runtimesDir,
    ...(knownVersions === undefined ? {} : { known: knownVersions }),
  });
  const layerLimits = { maxBytes: config.environmentBytes, maxFiles: 500_000 };
  const layers = new LayerStore(directory.environments, layerLimits);
  const ownership = everyOwnership([createOwnership((...change) => models.capGrants(...change)), workspaceOwnership]);
  const workspaceTimes = () => readTimes((name) => settings.get(name));
  const teams = new Teams({ database, publicUrl, queueMail, assets: ownership, onLimitChanged: () => quotas.announceChange() });
  const credentials = new Credentials({
    database,
    keys: openKeys(config, directory.credentialKeysFile),
    ownsTeam: (actor, teamId) => teams.isOwner(actor, teamId),
  });
  const { modelConnectSeconds, modelFirstByteSeconds, modelIdleSeconds } = config;
  const send = createSend({
    rules: createAddressRules(config.modelAllowPrivate),
    resolve: createResolve(),
    times: { connectMs: modelConnectSeconds * 1000, firstByteMs: modelFirstByteSeconds * 1000, idleMs: modelIdleSeconds * 1000 },
  });
  const readerMs = config.modelReaderSeconds * 1000;
  const pools = () => sandboxes.pools();
  const metrics = config.metrics === "off" ? null : new Metrics({ database, version, sandboxes: { pools } });
  metrics?.observe(http.fastify);
  const budgets = new Budgets({
    database,
    requireProgram: (actor, id) => catalog.resolve(actor, "asset:read", id, undefined, "program"),
  });
  const gateway = new Gateway({
    database,
    logger,
    credentials,
    quotas,
    budgets,
    rateLimit,
    redis,
    send,
    access,
    onEnded: (call) => metrics?.callEnded(call),
    onNodeCall: (runId, path) => nodes.noteCall(runId, path),
    callsPerMinute: config.modelRateLimit,
    readerMs,
  });
  const callBook = createCallBook(database.queries);
  const nodesOf: RunsContext["nodesOf"] = (row) => runNodes.traced(row);
  const liveRuns = new LiveRuns(directory.spool);
  const nodes = new NodeReports({ database, blobs, liveRuns, calls: callBook, logger });
  const listener = opened.adopt(new GatewayListener({ gateway, runTokens, queries: database.queries, nodes, readerMs }), (value) =>
    value.close(),
  );
  const treeFolders = new TreeFolders({ root: directory.trees, blobs, trees, maxBytes: config.treeCacheBytes });
  const sandboxes = openSandboxes({
    layers: layers.folder,
    trees: treeFolders.folder,
    machines: directory.machines,
    containers: directory.containers,
    gvisorPlatform: config.gvisorPlatform,
    accelerator: config.microvmAccelerator,
    guests: join(config.runtimesDir, "guest"),
    kubernetes: kubernetesOf(config, directory.root),
    folder: directory.sandboxes,
    dataDirectory: directory.root,
    slots: config.workerSlots,
    jails: config.jailLimit,
    defaultTier: config.defaultTier,
    historyFile: directory.demandFile,
    mergePages: config.mergePages,
    networkAllowPrivate: config.networkAllowPrivate,
    gateway: (socket, { token }) => listener.accept(socket, token),
    ...sandboxOptions,
  });
  opened.adopt(sandboxes, (value) => value.stop());
  const { otlpEndpoint: endpoint, otlpProtocol: protocol, otlpHeaders: headers } = config;
  const traceExport =
    endpoint === undefined
      ? null
      : await (
          await import("./runs/tracing/trace-export.ts")
        ).openTraceExport(
          { endpoint, protocol, headers },
          {
            queries: database.queries,
            calls: callBook,
            nodesOf,
            logger,
            version,
            count: (outcome, count) => metrics?.tracesExported(outcome, count),
          },
        );
  const relay = new LiveRelay(redis, liveRuns);
  opened.defer(await relay.serve());
  const bell = new QueueBell(redis, database.queries);
  const warmth = new Warmth(() => new Set(sandboxes.pools().flatMap(({ jails }) => jails.map(({ tenant }) => tenant))));
  const setDrained = (isDrained: boolean) => (isDrained ? worker.pause() : worker.resume());
  const onGone: OnWorkerGone = async (work, workerId, isLost) => {
    for (const id of await recoverRuns(work, workerId, isLost)) traceExport?.note(id);
    await recoverSandboxes(work, workerId);
    await recoverEnvironments(work, workerId);
  };
  const workerFacts = { slots: config.workerSlots, version, leaseMs };
  const membership = await joinWorkers({ database, notifications, logger, onGone, warmth, setDrained }, workerFacts);
  await sealSpools(database.queries, blobs, directory.spool, logger);
  await clearUnfinished(directory.spool);
  const shared = { access, database, blobs, sandboxes, runtimes, liveRuns };
  const cache = new ResultCache({ database, notifications, redis });
  const limits = compileLimits(config.compileSeconds, config.compileMemory);
  const compilations = new Compilations({ database, blobs, sandboxes, logger, limits, librariesFolder: join(directory.root, "libraries") });
  const tools = { home: config.home, runtimes: config.runtimesDir, uv: config.uv };
  const buildLogs = new LiveRuns(join(directory.environments, "spool"));
  const python = findProgram("python3") ?? "/usr/bin/python3";
  const packageIndexes = new Indexes({
    database,
    credentials,
    connections: { rules: createAddressRules(config.networkAllowPrivate), resolve: createResolve() },
    ownsTeam: (actor, teamId) => teams.isOwner(actor, teamId),
  });
  const environments = await Environments.open({
    ...shared,
    trees,
    logger,
    layers,
    tools,
    indexes: new PackageIndexes(
      { python: config.pythonIndex, node: config.nodeRegistry, go: config.goProxy, buildMs: config.environmentSeconds * 1000 },
      () => findUv(tools) ?? null,
    ),
    privateIndexes: packageIndexes,
    credentials,
    live: buildLogs,
    limits: buildLimits(config.environmentSeconds, config.environmentMemory, config.environmentBytes),
    quotaBytes: config.environmentQuota,
    runsPrograms: config.workerSlots > 0,
    workerId: membership.id,
    python,
    catalog: { resolve: (...wish) => catalog.resolve(...wish) },
  });
  const images = new Images({
    ...shared,
    environments,
    layers,
    live: buildLogs,
    logger,
    credentials,
    workerId: membership.id,
    python,
    folder: directory.environments,
    target: () => ({
      repository: settings.get("imageRepository") ?? null,
      credentialId: settings.get("imageCredential") ?? null,
      isInsecure: settings.get("imageInsecure"),
    }),
  });
  const settleLive = (id: string) => liveWorkspaces.settleAll(id);
  const workspaceFiles = () => ({ database, access, blobs, trees, uploads: runs, times: workspaceTimes, settleLive });
  const noteProgramRun: NoteProgramRun = (id, run) => catalog.noteRun(id, run);
  const openProgramSecrets: OpenSecrets = (ownerId, secrets) => openSecrets(credentials, ownerId, secrets);
  const modelAccess = createModelAccess(runTokens, callBook);
  const worker = new Worker({
    ...shared,
    trees,
    treeFolders,
    environments,
    openSecrets: openProgramSecrets,
    nodes: { asked: (run) => wasAsked(database.queries, run), failed: (runId) => failedNode(database.queries, runId), tellWaiting },
    workspaces: {
      requireOpen: (id) => requireOpen({ database }, id),
      takeBack: (files) => takeBack({ ...workspaceFiles(), actFor: accounts.actFor, audit }, files),
    },
    noteProgramRun,
    cache,
    quotas,
    compilations,
    modelAccess,
    onEnded: (run) => {
      metrics?.runEnded(run);
      traceExport?.note(run.id);
    },
    notifications,
    logger,
    workerId: membership.id,
    slots: config.workerSlots,
    warmth,
    bell,
  });
  const { queueLimit } = config;
  const onCancelled: RunsContext["onCancelled"] = (id) => traceExport?.note(id);
  const requireProgram: RunsContext["requireProgram"] = (actor, ran) => programRuns.requireAgain(actor, ran);
  const requireComposition: RunsContext["requireComposition"] = (actor, ran) => compositionRuns.requireAgain(actor, ran);
  const requireDatasets: RunsContext["requireDatasets"] = (actor, mounts) => datasets.requireAgain(actor, mounts);
  const modelsOfRuns = {
    forRun: (...wish: Parameters<Models["forRun"]>) => models.forRun(...wish),
    checkForRun: (actor: Actor, ids: readonly string[]) => models.checkForRun(actor, ids),
  };
  const runs = new Runs({
    ...shared,
    trees,
    cache,
    quotas,
    relay,
    bell,
    worker,
    models: modelsOfRuns,
    calls: callBook,
    nodesOf,
    onCancelled,
    queueLimit,
    requireProgram,
    requireComposition,
    requireDatasets,
    submitVersion: (actor, input, options) => programRuns.submit(actor, input, options),
    mountDatasets: (...wish) => datasets.forRun(...wish),
    requireOpen: (id) => requireOpen({ database }, id),
    placeForRun: (actor, wish) => placeForRun(workspaceFiles(), actor, wish),
    noteProgramRun,
  });
  const runControls = new RunControls({ database, cache, runs });
  const callsOf = async (runId: string) => (await callBook.ofRun(runId, { limit: mostComparedCalls })).items;
  const runComparisons = new RunComparisons({ blobs, runs, callsOf });
  const longLived = new LongLivedSandboxes({
    ...shared,
    runs,
    programs: { parts: (...wish) => sandboxPrograms.parts(...wish) },
    logger,
    workerId: membership.id,
    limit: () => settings.get("sandboxLimit"),
  });
  const workspaceSandboxes = new WorkspaceSandboxes({
    access,
    blobs,
    database,
    tiers: sandboxes,
    sandboxes: longLived,
    workspaces: forSandboxes({ ...workspaceFiles(), actFor: accounts.actFor, audit }),
  });
  const analyses = new Analyses({ runs, runtimes, blobs, cache });
  const previews = new Previews({
    logger,
    sandboxes: longLived,
    host: config.host,
    port: config.previewPort,
    url: config.previewUrl,
    tls: tls.tls ?? null,
    isDraining: () => state.draining,
  });
  const storage = new Storage({
    database,
    blobs,
    claims: store.claims,
    store: store.name,
    graceMs: config.storageGraceHours * 3_600_000,
    logger,
    workerId: membership.id,
    kind: store.kind,
    place: store.place,
    replicas: store.replicas,
    copyTarget: store.copyTarget,
    tiers: store.tiers,
    settleStored: () => quotas.settleStored(),
  });
  const isMember = (actor: Actor, teamId: string) => teams.isMember(actor, teamId);
  const graphs = new GraphFiles(blobs);
  const catalog = new Catalog({
    database,
    access,
    blobs,
    trees,
    runtimes,
    compositions: graphs,
    uploads: runs,
    isMember,
    checkConfig: async (actor, asset) => {
      await models.checkConfig(actor, asset);
      await models.checkBinding(actor, asset);
      await checkSecrets(credentials, actor, asset);
    },
    onChanged: (...change) => models.capGrants(...change),
    mayUseModel: (actor, id) => models.mayUse(actor, id),
    onFiles: (actor, tree, isPublished) => keptAnalyses.note(actor, tree, isPublished),
    settleDraft: (id) => liveCompositions.settleDraft(id),
  });
  const keptAnalyses: KeptAnalyses = new KeptAnalyses({
    database,
    blobs,
    trees,
    catalog,
    analyses,
    logger,
    workerId: membership.id,
  });
  const models: Models = new Models({
    database,
    catalog,
    credentials,
    calls: callBook,
    usualCap: () => settings.get("modelShareCap"),
    probe: (modelConfig, reveal) => probeModel(send, modelConfig, reveal),
  });
  const compositionTemplates = new CompositionTemplates(join(import.meta.dirname, "../../../examples/compositions"));
  const compositions = new Compositions({ catalog, analyses: keptAnalyses, trees, graphs, templates: compositionTemplates, uploads: runs });
  const imports = new Imports({
    database,
    notifications,
    blobs,
    trees,
    catalog,
    uploads: runs,
    analyses,
    keptAnalyses,
    runtimes,
    logger,
    git: new Git({ sandboxes, blobs }),
    models,
    credentials,
    templates: new Templates(join(import.meta.dirname, "../../../examples/templates")),
    compositionTemplates: () => compositions.templates(),
    folder: directory.spool,
    workerId: membership.id,
  });
  const workspaces = new Workspaces({ ...workspaceFiles(), catalog, imports, isMember });
  const workspaceGit = new WorkspaceGit({ ...workspaceFiles(), sandboxes });
  const liveWorkspaces: LiveWorkspaces = new LiveWorkspaces({ ...workspaceFiles(), actFor: accounts.actFor, logger, notifications, redis });
  await liveWorkspaces.listen();
  const liveGraphs = { database, access, catalog, trees, graphs, uploads: runs, actFor: accounts.actFor, logger, notifications, redis };
  const liveCompositions: LiveCompositions = new LiveCompositions(liveGraphs);
  await liveCompositions.listen();
  const workspaceMirrors = new WorkspaceMirrors({ ...workspaceFiles(), imports, logger, actFor: accounts.actFor });
  const backupRepository = opened.adopt(new KnownRepository(config, database.queries), (value) => value.close());
  const keepsLog = config.backupLogHours > 0;
  const backups = new Backups({
    database,
    logger,
    settings,
    repository: backupRepository,
    source: { config, directory, target, blobs, version, keepsLog },
    workerId: membership.id,
    logHours: config.backupLogHours,
  });
  const workspaceBackups = new WorkspaceBackups({ backups, repository: backupRepository, workspaces, blobs, trees, version });
  const datasets = new Datasets({ catalog, blobs, trees, uploads: runs, quotas, maxBytes: config.datasetLimit });
  const programRuns = new ProgramRuns({ ...shared, catalog, trees, environments, runs, models, datasets });
  const compositionRuns = new CompositionRuns({ ...shared, catalog, compositions, trees, environments, runs, models });
  const runNodes = new RunNodes({ database, blobs, runs, calls: callBook });
  const sandboxPrograms = new SandboxPrograms({ ...shared, catalog, trees, environments, models, datasets });
  const programSandboxes = new ProgramSandboxes({
    access,
    database,
    programs: sandboxPrograms,
    sandboxes: longLived,
    openSecrets: openProgramSecrets,
    modelAccess,
  });
  const schedules = new Schedules({ database, catalog });
  const ticker = ticking({
    database,
    logger,
    audit,
    actFor: accounts.actFor,
    submit: (...wish) => programRuns.submit(...wish),
    cancel: (actor, id) => runs.cancel(actor, id),
  });
  const sharing = new Sharing({
    database,
    access,
    publicUrl,
    queueMail,
    anonymousLinks,
    things: {
      run: (id) => runs.thing(id),
      sandbox: (id) => longLived.thing(id),
      asset: (id) => catalog.thing(id),
      workspace: (id) => workspaces.thing(id),
    },
    linked: { asset: (id) => catalog.linked(id), sandbox: (id) => longLived.linked(id) },
    isMember,
    onGranted: (work, grant) => models.capGrant(work, grant),
  });
  const mailer = await createMailer(config.smtpUrl, config.mailFrom);
  const secretOf = createDeriveSecret(new Secret(readOrCreateSecret(directory.secretFile)));
  const runArtifacts = new RunArtifacts({ database, blobs, runs, secretOf, actFor: accounts.actFor, publicUrl });
  const post = createPost(config.webhookAllowPrivate);
  const refusal = (url: string) => post.refusal(url);
  const webhooks = new Webhooks({ database, secretOf, refusal, teams });
  const triggers = new Triggers({ database, secretOf, publicUrl, catalog, programRuns, runs, quotas, rateLimit });
  const deliveries = new Deliveries({ database, notifications, logger, mailer, post, secretOf, hooks: webhooks, publicUrl });
  const inbox = new Inbox({ database, deliveries, secretOf, refusal });
  const liveNotifications = await LiveNotifications.open(database, notifications);
  await LiveCatalog.open(database, notifications, liveNotifications);
  const admin = new Admin({ database, accounts, deliveries, assets: ownership, onCancelled });
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
    trees,
    storage,
    backups,
    workspaceBackups,
    imports,
    accounts,
    audit,
    access,
    sharing,
    teams,
    catalog,
    compositions,
    workspaces,
    workspaceGit,
    liveWorkspaces,
    liveCompositions,
    workspaceMirrors,
    datasets,
    auditTrail,
    sealer,
    quotas,
    http,
    runtimes,
    sandboxes,
    runs,
    schedules,
    runControls,
    runArtifacts,
    runComparisons,
    environments,
    images,
    packageIndexes,
    layers,
    programRuns,
    compositionRuns,
    runNodes,
    cache,
    analyses,
    keptAnalyses,
    longLived,
    programSandboxes,
    workspaceSandboxes,
    workerId: membership.id,
    previews,
    inbox,
    liveNotifications,
    deliveries,
    webhooks,
    triggers,
    admin,
    settings,
    credentials,
    models,
    gateway,
    budgets,
    callBook,
    metrics,
    authenticate,
    state,
    services: [
      audit,
      sealer,
      keptAnalyses,
      imports, // before the worker: what it runs ends with it
      worker,
      images,
      environments,
      previews,
      longLived,
      membership,
      ...(traceExport === null ? [] : [traceExport]), // after what ends runs
      cache,
      liveWorkspaces,
      liveCompositions,
      storage,
      backups,
      deliveries,
      new FanOut({ database, notifications, logger }),
      ...[
        digests(database),
        expiryWarnings(database),
        callSweeping({ database, runTokens }),
        purging(database),
        sweepingWorkspaces(database, workspaceTimes),
        ticker,
        workspaceMirrors.fetching(),
        forgettingWords(database),
        expiringRuns({ database, cache }, config.runRetentionDays),
        expiringCalls({ database, settings }),
        forgettingTries(database.queries),
        ...(keepsLog ? [carryingLog({ database, logger, repository: backupRepository, folder: archiveFolder(directory) })] : []),
      ].map((work) => recurring(work, logger)),
    ],
    close: () => owned.disposeAsync(),
  };
}

/** The database that is configured, else our own PostgreSQL, which archives its log when backups want it. */
async function openTarget(config: Config, directory: DataDirectory, logger: Logger, opened: AsyncDisposableStack): Promise<DatabaseTarget> {
  if (config.databaseUrl !== undefined) return { connectionString: config.databaseUrl.reveal() };
  const archive = archiveFolder(directory);
  if (config.backupLogHours > 0) mkdirSync(archive, { recursive: true, mode: 0o700 });
  const settings = config.backupLogHours > 0 ? archiveSettings(archive) : [];
  const postgres = opened.adopt(await EmbeddedPostgres.start(directory.postgres, logger, settings), (value) => value.stop());
  await ensureDatabase(postgres, "syla");
  return postgres.address("syla");
}
