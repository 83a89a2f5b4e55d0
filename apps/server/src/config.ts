import { readFileSync } from "node:fs";
import { availableParallelism, hostname, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import { Tier } from "@syla/contracts/runs";
import type { Setting, SettingForm } from "@syla/contracts/settings";
import { SignUpMode } from "@syla/contracts/sign-up";
import { logLevels } from "./platform/logger.ts";
import { Secret } from "./platform/secret.ts";
import {
  absolutePath,
  backupPlace,
  basePath,
  bucketName,
  credentialId,
  databaseUrl,
  domains,
  flag,
  hostName,
  identityProviders,
  imageRepository,
  integer,
  kmsPath,
  kmsUrl,
  mailAddress,
  metricsToken,
  networks,
  objectPrefix,
  otlpHeaders,
  oneOf,
  previewOrigin,
  proxies,
  publicUrl,
  quota,
  redisUrl,
  secondFactorAudiences,
  smtpUrl,
  trustedIssuers,
} from "./config-values.ts";
import {
  agentUrl,
  contextName,
  controlPlane,
  imagesByLanguage,
  kubernetesLabels,
  kubernetesName,
  kubernetesNames,
  namespacePrefix,
  podQuota,
} from "./kubernetes-values.ts";

interface Option<T> {
  readonly env: string;
  readonly description: string;
  readonly parse: (text: string) => T;
  /** Shown in the documentation; the value itself comes from `fallback`. */
  readonly defaultText: string;
  /** Of what administrators may change while the server runs. */
  readonly form?: SettingForm;
}

function option<T>(env: string, defaultText: string, parse: (text: string) => T, description: string): Option<T> {
  return { env, defaultText, parse, description };
}

/** One that may change while the server runs: its readers ask the settings each time. */
function live<T>(entry: Option<T>, form: SettingForm): Option<T> & { readonly form: SettingForm } {
  return { ...entry, form };
}

const flagForm: SettingForm = { kind: "flag" };
const quotaForm: SettingForm = { kind: "number", min: -1, max: 2_000_000_000 };

/**
 * Every setting of the server. An environment variable wins over `config.json` in the data directory (keys as here), which
 * wins over the default. `docs/configuration.gen.md` is generated from this table.
 */
const options = {
  dataDir: option(
    "SYLA_DATA_DIR",
    "`$SYLA_HOME/data`, `~/.syla/data`",
    absolutePath,
    "Directory that holds the database, the blobs and the keys. Environment only.",
  ),
  host: option("SYLA_HOST", "127.0.0.1", hostName, "Address to listen on."),
  port: option("SYLA_PORT", "7878", integer(0, 65_535), "Port to listen on; 0 takes any free one."),
  previewPort: option(
    "SYLA_PREVIEW_PORT",
    "0",
    integer(0, 65_535),
    "Port of the second listener, which shows ports of sandboxes and nothing of Syla; 0 takes any free one.",
  ),
  previewUrl: option(
    "SYLA_PREVIEW_URL",
    "http(s)://localhost:port",
    previewOrigin,
    "The origin that previews have their names below, when a proxy stands in front: with `https://preview.example.org`, send `*.preview.example.org` to the preview port. A domain that is used for nothing else.",
  ),
  publicUrl: option(
    "SYLA_PUBLIC_URL",
    "http(s)://host:port",
    publicUrl,
    "The address that people open, when a proxy stands in front. May end in a path.",
  ),
  basePath: option("SYLA_BASE_PATH", "the path of SYLA_PUBLIC_URL", basePath, "Path below which everything is served, e.g. `/syla`."),
  trustProxy: option(
    "SYLA_TRUST_PROXY",
    "false",
    proxies,
    "Whose `X-Forwarded-*` headers to believe: `true` for one proxy in front, a number of proxies in a row, or their addresses and networks, comma separated.",
  ),
  tlsCert: option("SYLA_TLS_CERT", "none", absolutePath, "PEM file of the TLS certificate chain."),
  tlsKey: option("SYLA_TLS_KEY", "none", absolutePath, "PEM file of the TLS private key."),
  insecure: option("SYLA_INSECURE", "false", flag, "Allow an address that other machines reach, without TLS."),
  databaseUrl: option(
    "DATABASE_URL",
    "embedded PostgreSQL",
    databaseUrl,
    "A PostgreSQL server of your own (`postgres://user:password@host/database`).",
  ),
  redisUrl: option(
    "SYLA_REDIS_URL",
    "none",
    redisUrl,
    "A Redis server (`redis://user:password@host:port`) that several servers share: kept results, wake-ups, live output, counts of requests. Nothing is lost with it.",
  ),
  logLevel: option("SYLA_LOG_LEVEL", "info", oneOf(logLevels), "How much is logged."),
  metrics: option(
    "SYLA_METRICS",
    "admins",
    oneOf(["off", "admins", "here"] as const),
    "Who reads `/metrics`, besides whoever has the token: `admins`; `here`, whoever calls from this machine and not through a proxy, too; or nobody (`off`).",
  ),
  otlpEndpoint: option(
    "SYLA_OTLP_ENDPOINT",
    "none",
    publicUrl,
    "Where traces of runs are sent by OTLP, e.g. `http://localhost:4318`; `/v1/traces` is added.",
  ),
  otlpProtocol: option("SYLA_OTLP_PROTOCOL", "http/protobuf", oneOf(["http/protobuf", "http/json"] as const), "How they are written."),
  otlpHeaders: option(
    "SYLA_OTLP_HEADERS",
    "none",
    otlpHeaders,
    "Headers that are sent along, e.g. a key: `name=value,name=value`, percent-encoded.",
  ),
  metricsToken: option(
    "SYLA_METRICS_TOKEN",
    "none",
    metricsToken,
    "What Prometheus shows to read `/metrics` (`Authorization: Bearer …`), at least 16 characters.",
  ),
  workerSlots: option("SYLA_WORKER_SLOTS", "4 per CPU", integer(0, 10_000), "Runs at the same time in this process; 0 runs nothing here."),
  jailLimit: option(
    "SYLA_JAIL_LIMIT",
    "64",
    integer(1, 10_000),
    "Jails in use at the same time in this process: one for each person and kind of language with something going. Whoever would need one more waits.",
  ),
  defaultTier: option(
    "SYLA_DEFAULT_TIER",
    "namespace",
    oneOf(Tier.options),
    "How runs and sandboxes that do not ask for a tier are isolated, and imports and builds with them. One that cannot be had here is refused, never replaced.",
  ),
  microvmAccelerator: option(
    "SYLA_MICROVM_ACCELERATOR",
    "auto",
    oneOf(["auto", "kvm", "tcg"] as const),
    "What runs the instructions of virtual machines: `kvm`, the processor; `tcg`, a program, which is many times slower; `auto`, the first of both with which a machine boots here.",
  ),
  gvisorPlatform: option(
    "SYLA_GVISOR_PLATFORM",
    "ptrace",
    oneOf(["ptrace", "systrap"] as const),
    "How gVisor meets the system calls of programs: `ptrace`, which every version has; `systrap`, which is faster, since version 20230501.",
  ),
  kubernetesAllowed: option("SYLA_KUBERNETES_ALLOWED", "false", flag, "Whether runs and sandboxes may be pods of a cluster."),
  kubernetesConfig: option(
    "SYLA_KUBERNETES_CONFIG",
    "the cluster that the server is in, else `~/.kube/config`",
    absolutePath,
    "The kubeconfig that says where the cluster is and who asks.",
  ),
  kubernetesContext: option("SYLA_KUBERNETES_CONTEXT", "the current one", contextName, "The context of that kubeconfig."),
  kubernetesNamespacePrefix: option(
    "SYLA_KUBERNETES_NAMESPACE_PREFIX",
    "syla",
    namespacePrefix,
    "What the namespaces begin with that the server makes in the cluster, one for each owner of runs.",
  ),
  kubernetesImages: option(
    "SYLA_KUBERNETES_IMAGE",
    "none",
    imagesByLanguage,
    "The image of all pods; or those of some languages or versions of them, and of all others: `python=…,python@3.12=…,*=…`. Each has `python3` and the language itself.",
  ),
  kubernetesRuntimeClass: option(
    "SYLA_KUBERNETES_RUNTIME_CLASS",
    "none",
    kubernetesName,
    "The runtime class of pods: one of gVisor or Kata isolates more than a container does.",
  ),
  kubernetesUserNamespaces: option(
    "SYLA_KUBERNETES_USER_NAMESPACES",
    "false",
    flag,
    "Have the users of a pod be none of its node's. Not every cluster can that.",
  ),
  kubernetesPullSecrets: option(
    "SYLA_KUBERNETES_PULL_SECRETS",
    "none",
    kubernetesNames,
    "Names of the secrets that images are pulled with, comma separated. Something else has to put them into each namespace.",
  ),
  kubernetesNodes: option(
    "SYLA_KUBERNETES_NODES",
    "all",
    kubernetesLabels,
    "Labels of the nodes that pods may be on: `name=value,name=value`.",
  ),
  kubernetesQuota: option(
    "SYLA_KUBERNETES_QUOTA",
    "pods=20,cpus=20,memory=40Gi,disk=200Gi",
    podQuota,
    "What all pods of one owner may take together.",
  ),
  kubernetesWarmPods: option(
    "SYLA_KUBERNETES_WARM_PODS",
    "0",
    integer(0, 100),
    "Pods that wait ready for the next run of each kind that an owner has used within ten minutes.",
  ),
  kubernetesAgentUrl: option(
    "SYLA_KUBERNETES_AGENT_URL",
    "none",
    agentUrl,
    "How pods find this server: `wss://host:port`, or `ws://host:port` where the network of the cluster is trusted with what programs read and print.",
  ),
  kubernetesAgentHost: option("SYLA_KUBERNETES_AGENT_HOST", "0.0.0.0", hostName, "Address that the listener for pods is on."),
  kubernetesAgentPort: option(
    "SYLA_KUBERNETES_AGENT_PORT",
    "7880",
    integer(1, 65_535),
    "Port of the listener for pods. It has nothing else.",
  ),
  kubernetesAgentCert: option(
    "SYLA_KUBERNETES_AGENT_CERT",
    "none",
    absolutePath,
    "PEM file of that listener's certificate chain, for `wss://`.",
  ),
  kubernetesAgentKey: option("SYLA_KUBERNETES_AGENT_KEY", "none", absolutePath, "PEM file of its private key."),
  kubernetesAgentAuthority: option(
    "SYLA_KUBERNETES_AGENT_AUTHORITY",
    "those of the image",
    absolutePath,
    "PEM file of the authorities that pods trust for that certificate, and no others.",
  ),
  kubernetesControlPlane: option(
    "SYLA_KUBERNETES_CONTROL_PLANE",
    "the address in SYLA_KUBERNETES_AGENT_URL",
    controlPlane,
    "All that pods may connect to: a network (`10.1.2.3/32`), or pods by their namespace and labels (`syla/app=syla`), at the port of the listener.",
  ),
  queueLimit: option(
    "SYLA_QUEUE_LIMIT",
    "10000",
    integer(1, 10_000_000),
    "Runs that may wait in the queue; more are refused with `queue_full`.",
  ),
  networkAllowPrivate: option(
    "SYLA_NETWORK_ALLOW_PRIVATE",
    "none",
    networks,
    "Private networks that runs with a network may reach all the same, comma separated: `10.1.0.0/16`, `10.1.2.3:5432`, `[fd00::]/8:443`.",
  ),
  smtpUrl: option(
    "SYLA_SMTP_URL",
    "none",
    smtpUrl,
    "The SMTP server that sends e-mail: `smtp://user:password@host:587`, `smtps://…`. Without it mails wait, and administrators can read them.",
  ),
  mailFrom: option("SYLA_MAIL_FROM", "Syla <syla@localhost>", mailAddress, "Whom e-mails are from."),
  webhookAllowPrivate: option(
    "SYLA_WEBHOOK_ALLOW_PRIVATE",
    "none",
    networks,
    "Private networks that webhooks may reach all the same, comma separated, as in `SYLA_NETWORK_ALLOW_PRIVATE`.",
  ),
  mergePages: option(
    "SYLA_MERGE_PAGES",
    "false",
    flag,
    "Let the kernel keep equal memory pages of all sandboxes once, where KSM runs: several times more fit on a machine. Not for tenants who may not learn of each other's memory.",
  ),
  sandboxLimit: live(option("SYLA_SANDBOX_LIMIT", "20", integer(0, 10_000), "Long-lived sandboxes that one account may have at once."), {
    kind: "number",
    min: 0,
    max: 10_000,
  }),
  workspaceEphemeralMinutes: live(
    option("SYLA_WORKSPACE_EPHEMERAL_MINUTES", "5", integer(1, 1440), "So long after its last use an ephemeral workspace is removed."),
    { kind: "number", min: 1, max: 1440 },
  ),
  workspaceSessionHours: live(
    option("SYLA_WORKSPACE_SESSION_HOURS", "24", integer(1, 8760), "So long after its last use the time of a session's workspace is over."),
    { kind: "number", min: 1, max: 8760 },
  ),
  workspaceIdleMinutes: live(
    option("SYLA_WORKSPACE_IDLE_MINUTES", "30", integer(1, 10_080), "So long after its last use a workspace is suspended."),
    { kind: "number", min: 1, max: 10_080 },
  ),
  workspaceCollaborativeIdleMinutes: live(
    option(
      "SYLA_WORKSPACE_COLLABORATIVE_IDLE_MINUTES",
      "60",
      integer(1, 10_080),
      "So long after its last use a collaborative workspace is suspended.",
    ),
    { kind: "number", min: 1, max: 10_080 },
  ),
  workspaceArchiveDays: live(
    option("SYLA_WORKSPACE_ARCHIVE_DAYS", "30", integer(1, 3650), "So long after its last use a workspace without an end is archived."),
    { kind: "number", min: 1, max: 3650 },
  ),
  signUp: live(
    option(
      "SYLA_SIGN_UP",
      "closed",
      oneOf(SignUpMode.options),
      "Who may make an account: nobody (`closed`), who is invited by an administrator (`invite`), who has an address of `SYLA_SIGN_UP_DOMAINS` besides (`domain`), anybody (`open`).",
    ),
    { kind: "choice", choices: SignUpMode.options },
  ),
  signUpDomains: live(
    option("SYLA_SIGN_UP_DOMAINS", "none", domains, "Domains of e-mail addresses for `SYLA_SIGN_UP=domain`, comma separated."),
    { kind: "text" },
  ),
  requireTwoFactor: live(
    option(
      "SYLA_REQUIRE_TWO_FACTOR",
      "nobody",
      oneOf(secondFactorAudiences),
      "Who has to have a second factor besides their password: `nobody`, administrators (`admins`), or `all`. Whoever has none can only turn one on; API keys go on.",
    ),
    { kind: "choice", choices: [...secondFactorAudiences] },
  ),
  passwordSignIn: live(
    option(
      "SYLA_PASSWORD_SIGN_IN",
      "true",
      flag,
      "Let people sign in with a password. `false` counts only where there are identity providers; the command line on the server's machine gets in all the same.",
    ),
    flagForm,
  ),
  passwordLength: live(option("SYLA_PASSWORD_LENGTH", "10", integer(10, 64), "Characters that a new password has at least."), {
    kind: "number",
    min: 10,
    max: 64,
  }),
  sessionDays: live(
    option(
      "SYLA_SESSION_DAYS",
      "30",
      integer(1, 365),
      "Days after which a session ends that is not used. Shorter is for those that there are, too.",
    ),
    { kind: "number", min: 1, max: 365 },
  ),
  anonymousLinks: live(
    option(
      "SYLA_ANONYMOUS_LINKS",
      "false",
      flag,
      "Let share links be opened without signing in. Whoever has such a link may view what it leads to, and nothing else; running always needs an account.",
    ),
    flagForm,
  ),
  quotaConcurrentRuns: live(
    option(
      "SYLA_QUOTA_CONCURRENT_RUNS",
      "3",
      quota,
      "Runs that somebody may have at once, unless their quotas say otherwise; -1 for any number. Administrators have no limits.",
    ),
    quotaForm,
  ),
  runLimit: live(
    option(
      "SYLA_RUN_LIMIT",
      "-1",
      quota,
      "Runs that all people may have at once, on all servers together; more wait in the queue. -1 for as many as the workers have slots.",
    ),
    quotaForm,
  ),
  quotaRunsPerDay: live(
    option(
      "SYLA_QUOTA_RUNS_PER_DAY",
      "50",
      quota,
      "Programs and compositions that somebody may run a day, unless their quotas say otherwise; -1 for any number.",
    ),
    quotaForm,
  ),
  quotaCpuSecondsPerMonth: live(
    option(
      "SYLA_QUOTA_CPU_SECONDS_PER_MONTH",
      "360000",
      quota,
      "CPU time that somebody may use a month, seconds, unless their quotas say otherwise; -1 for any.",
    ),
    quotaForm,
  ),
  quotaStorageMb: live(
    option("SYLA_QUOTA_STORAGE_MB", "5000", quota, "What somebody may store, MB, unless their quotas say otherwise; -1 for any amount."),
    quotaForm,
  ),
  quotaExecutionsPerMinute: live(
    option(
      "SYLA_QUOTA_EXECUTIONS_PER_MINUTE",
      "600",
      quota,
      "Executions that one key or session may start a minute, unless the quotas of its person say otherwise; -1 for any number.",
    ),
    quotaForm,
  ),
  modelShareCap: live(
    option(
      "SYLA_MODEL_SHARE_CAP",
      "10",
      quota,
      "US dollars a month that a model may be called for by a grant, when whoever shares it says nothing else; -1: they have to say it.",
    ),
    quotaForm,
  ),
  quotaLlmSpendPerMonth: live(
    option(
      "SYLA_QUOTA_LLM_SPEND_PER_MONTH",
      "100",
      quota,
      "What somebody may spend on models a month, US dollars, unless their quotas say otherwise; -1 for any amount.",
    ),
    quotaForm,
  ),
  identityProviders: option(
    "SYLA_IDENTITY_PROVIDERS",
    "none",
    identityProviders,
    'Whose accounts let people in, as JSON: `[{"preset": "google", "clientId": …, "clientSecret": …}, {"id": "corp", "name": "Corp", "issuer": "https://…", …}]`; presets are `google` and `github` (with `issuer`, a GitHub Enterprise Server). With `"signUp": true` whoever it confirms may make an account. The redirect address is `<SYLA_PUBLIC_URL>/api/v1/sign-in/providers/<id>/callback`.',
  ),
  trustedIssuers: option(
    "SYLA_TRUSTED_ISSUERS",
    "none",
    trustedIssuers,
    'Whose tokens are exchanged for tokens of ours, so that the people of a host platform need no second sign-in, as JSON: `[{"issuer": "https://…", "audience": "syla"}]`, with `jwksUrl` where there is no discovery document and `role` (`end_user`, `developer`).',
  ),
  storage: option(
    "SYLA_STORAGE",
    "local",
    oneOf(["local", "s3"] as const),
    "Where content is stored: in the data directory, or in a bucket. An installation that has content is moved with `syla server storage move`.",
  ),
  storageBackup: option(
    "SYLA_STORAGE_BACKUP",
    "none",
    (text) => resolve(text),
    "The folder `blobs` of a copy of a data directory, from which damaged content is restored. It is read and never written.",
  ),
  s3Endpoint: option("SYLA_S3_ENDPOINT", "none", publicUrl, "The address of an S3-compatible service."),
  s3Bucket: option("SYLA_S3_BUCKET", "none", bucketName, "The bucket, which has to be there."),
  s3Region: option("SYLA_S3_REGION", "us-east-1", hostName, "The region that requests are signed for."),
  s3Prefix: option(
    "SYLA_S3_PREFIX",
    "none",
    objectPrefix,
    "What the names of all objects begin with, when the bucket is for other things too.",
  ),
  s3AccessKeyId: option("SYLA_S3_ACCESS_KEY_ID", "none", (text) => text, "The id of the key to the bucket."),
  s3SecretAccessKey: option("SYLA_S3_SECRET_ACCESS_KEY", "none", (text) => new Secret(text), "The key to the bucket."),
  storageColdDays: option(
    "SYLA_STORAGE_COLD_DAYS",
    "none",
    integer(1, 36_500),
    "After so many days in which nobody has read it, content above 64 KiB goes from the data directory into the bucket, and comes back when somebody reads it. Needs `SYLA_STORAGE=local` and the `SYLA_S3_…` settings.",
  ),
  storageGraceHours: option(
    "SYLA_STORAGE_GRACE_HOURS",
    "24",
    integer(3, 8760),
    "How long nothing must have referred to content before it is deleted.",
  ),
  backupTo: option(
    "SYLA_BACKUP_TO",
    "none",
    backupPlace,
    "Where backups go: a folder, on another disk than the data directory, or `s3://bucket/prefix`. Made at the first backup.",
  ),
  backupPassphrase: option(
    "SYLA_BACKUP_PASSPHRASE",
    "none",
    (text) => new Secret(text),
    "What backups are sealed with, at least 16 characters. Keep it elsewhere too: without it no backup opens.",
  ),
  backupKeyFile: option("SYLA_BACKUP_KEY_FILE", "none", absolutePath, "A file that holds the passphrase, instead."),
  backupS3Endpoint: option("SYLA_BACKUP_S3_ENDPOINT", "SYLA_S3_ENDPOINT", publicUrl, "The service of the bucket that backups go to."),
  backupS3Region: option("SYLA_BACKUP_S3_REGION", "SYLA_S3_REGION", hostName, "Its region."),
  backupS3AccessKeyId: option("SYLA_BACKUP_S3_ACCESS_KEY_ID", "SYLA_S3_ACCESS_KEY_ID", (text) => text, "The id of the key to it."),
  backupS3SecretAccessKey: option(
    "SYLA_BACKUP_S3_SECRET_ACCESS_KEY",
    "SYLA_S3_SECRET_ACCESS_KEY",
    (text) => new Secret(text),
    "The key to it.",
  ),
  backupLogHours: option(
    "SYLA_BACKUP_LOG_HOURS",
    "0",
    integer(0, 8760),
    "For the embedded PostgreSQL: keep its log in the repository too, so that the database can be taken back to any moment of so many hours. 0: only to the moments of backups. Not longer than SYLA_STORAGE_GRACE_HOURS: content has to be there as well.",
  ),
  backupEveryHours: live(
    option(
      "SYLA_BACKUP_EVERY_HOURS",
      "24",
      integer(0, 8760),
      "How often a backup is made by itself, where SYLA_BACKUP_TO is set; 0: never.",
    ),
    { kind: "number", min: 0, max: 8760 },
  ),
  backupKeep: live(option("SYLA_BACKUP_KEEP", "7", integer(1, 10_000), "How many of those backups are kept. What somebody made stays."), {
    kind: "number",
    min: 1,
    max: 10_000,
  }),
  modelAllowPrivate: option(
    "SYLA_MODEL_ALLOW_PRIVATE",
    "none",
    networks,
    "Private networks in which models may be, comma separated, as in `SYLA_NETWORK_ALLOW_PRIVATE`: `127.0.0.1:11434` for an Ollama of this machine.",
  ),
  modelConnectSeconds: option("SYLA_MODEL_CONNECT_SECONDS", "10", integer(1, 600), "How long connecting to a model's provider may take."),
  modelFirstByteSeconds: option(
    "SYLA_MODEL_FIRST_BYTE_SECONDS",
    "300",
    integer(1, 3600),
    "How long a model's provider may take to begin its answer.",
  ),
  modelIdleSeconds: option(
    "SYLA_MODEL_IDLE_SECONDS",
    "120",
    integer(1, 3600),
    "How long a model's provider may be silent within its answer.",
  ),
  modelReaderSeconds: option(
    "SYLA_MODEL_READER_SECONDS",
    "120",
    integer(1, 3600),
    "How long in all an answer of a model waits for who reads it; then the call is ended, and the provider's connection with it.",
  ),
  modelRateLimit: option(
    "SYLA_MODEL_RATE_LIMIT",
    "600",
    integer(0, 1_000_000),
    "Calls of models a minute of one person, in all of their runs and keys together; 0 for any number.",
  ),
  modelTextDays: live(
    option(
      "SYLA_MODEL_TEXT_DAYS",
      "30",
      integer(0, 36_500),
      "Days after which the texts of prompts and answers are removed that models keep; 0 for no end. A model may say fewer.",
    ),
    { kind: "number", min: 0, max: 36_500 },
  ),
  modelHashDays: live(
    option(
      "SYLA_MODEL_HASH_DAYS",
      "0",
      integer(0, 36_500),
      "Days after which the hashes of prompts and answers are removed; 0 for no end. A model may say fewer.",
    ),
    { kind: "number", min: 0, max: 36_500 },
  ),
  webDir: option("SYLA_WEB_DIR", "apps/web/dist", absolutePath, "Directory of the built web application."),
  bodyLimit: option("SYLA_BODY_LIMIT", "67108864", integer(1024, 1024 ** 3), "Largest JSON request, bytes."),
  uploadLimit: option("SYLA_UPLOAD_LIMIT", "1073741824", integer(1024, 1024 ** 4), "Largest uploaded blob, bytes."),
  datasetLimit: option("SYLA_DATASET_LIMIT", "100000000", integer(1024, 100_000_000), "Largest file of a dataset, bytes."),
  compileSeconds: option("SYLA_COMPILE_SECONDS", "60", integer(1, 3600), "How long compiling a program may take."),
  compileMemory: option(
    "SYLA_COMPILE_MEMORY",
    "2147483648",
    integer(64 * 1024 ** 2, 64 * 1024 ** 3),
    "Memory for compiling a program, bytes.",
  ),
  treeCacheBytes: option(
    "SYLA_TREE_CACHE_BYTES",
    "4294967296",
    integer(0, 1024 ** 4),
    "Room for the files of workspaces and programs that lie ready for sandboxes, bytes; above it, what was used longest ago makes room. 0: none do, and each sandbox gets a copy of its files.",
  ),
  environmentQuota: option(
    "SYLA_ENVIRONMENT_QUOTA",
    "21474836480",
    integer(64 * 1024 ** 2, 1024 ** 5),
    "Room for the built dependencies of programs, bytes; above it, what was used longest ago is removed, and built again when it is needed.",
  ),
  environmentBytes: option(
    "SYLA_ENVIRONMENT_BYTES",
    "4294967296",
    integer(16 * 1024 ** 2, 64 * 1024 ** 3),
    "The most that the dependencies of one program may take on the disk, bytes.",
  ),
  environmentSeconds: option(
    "SYLA_ENVIRONMENT_SECONDS",
    "900",
    integer(1, 86_400),
    "How long building the dependencies of a program may take.",
  ),
  environmentMemory: option(
    "SYLA_ENVIRONMENT_MEMORY",
    "2147483648",
    integer(256 * 1024 ** 2, 64 * 1024 ** 3),
    "Memory for building the dependencies of a program, bytes.",
  ),
  imageRepository: live(
    option(
      "SYLA_IMAGE_REPOSITORY",
      "none",
      imageRepository,
      "Where environments are pushed to as OCI images, for clusters: `registry.example.org/team/environments`. Takes `buildah` on the server.",
    ),
    { kind: "text" },
  ),
  imageCredential: live(
    option(
      "SYLA_IMAGE_CREDENTIAL",
      "none",
      credentialId,
      "Id of the credential (kind `registry`, with a user name) that images are pushed with.",
    ),
    { kind: "text" },
  ),
  imageInsecure: live(
    option(
      "SYLA_IMAGE_INSECURE",
      "false",
      flag,
      "The registry for images speaks plain HTTP, or has a certificate that nobody vouches for.",
    ),
    flagForm,
  ),
  pythonIndex: option(
    "SYLA_PYTHON_INDEX",
    "what pip is set up with, else what uv takes",
    publicUrl,
    "The index that Python packages come from.",
  ),
  nodeRegistry: option("SYLA_NODE_REGISTRY", "what npm is set up with", publicUrl, "The registry that Node.js packages come from."),
  goProxy: option("SYLA_GO_PROXY", "what Go is set up with", publicUrl, "The proxy that Go modules come from."),
  uv: option(
    "SYLA_UV",
    "`uv/uv` in SYLA_RUNTIMES_DIR, else the system's",
    absolutePath,
    "The uv that builds the environments of Python programs.",
  ),
  runtimesDir: option(
    "SYLA_RUNTIMES_DIR",
    "`$SYLA_HOME/runtimes`, `~/.syla/runtimes`",
    absolutePath,
    "Directory in which `syla runtimes install` puts languages that no package manager has. Installations of Python are found in `python/NAME/bin`.",
  ),
  credentialKeysFile: option(
    "SYLA_CREDENTIAL_KEYS_FILE",
    "credential-keys.json in the data directory",
    absolutePath,
    "The file with the keys that seal credentials; made when it is not there. Servers of one database share it. Back it up apart from the database.",
  ),
  runRetentionDays: option(
    "SYLA_RUN_RETENTION_DAYS",
    "14",
    integer(0, 36_500),
    "Days after which the logs and artifacts of runs that have ended are removed, but for those that are pinned; 0 keeps everything.",
  ),
  credentialKeys: option(
    "SYLA_CREDENTIAL_KEYS",
    "file",
    oneOf(["file", "kms"]),
    "What seals credentials from now on: `file` (the key file) or `kms` (the key management service of SYLA_KMS_URL). `syla server keys rotate` moves what is stored; the other one opens it until then.",
  ),
  kmsUrl: option(
    "SYLA_KMS_URL",
    "none",
    kmsUrl,
    "Address of a key management service with the transit engine of HashiCorp Vault or OpenBao, e.g. `https://vault.example.org:8200`. Plain http only on this machine.",
  ),
  kmsMount: option("SYLA_KMS_MOUNT", "transit", kmsPath, "Where its transit engine is mounted."),
  kmsKey: option("SYLA_KMS_KEY", "syla", kmsPath, "What the key is called there."),
  kmsNamespace: option("SYLA_KMS_NAMESPACE", "none", kmsPath, "The namespace, where there are such."),
  kmsToken: option("SYLA_KMS_TOKEN", "none", (text) => new Secret(text), "A token for it; or a role:"),
  kmsRoleId: option("SYLA_KMS_ROLE_ID", "none", String, "The id of a role (AppRole) that gets tokens."),
  kmsSecretId: option("SYLA_KMS_SECRET_ID", "none", (text) => new Secret(text), "The secret id of that role."),
  kmsSeconds: option("SYLA_KMS_SECONDS", "5", integer(1, 60), "How long one of its answers may take."),
  kmsCacheSeconds: option(
    "SYLA_KMS_CACHE_SECONDS",
    "300",
    integer(0, 86_400),
    "How long an opened key stays in memory, and its credential usable without the service; 0: not at all.",
  ),
  auditRetentionDays: option(
    "SYLA_AUDIT_RETENTION_DAYS",
    "0",
    integer(0, 36_500),
    "Days after which the oldest sealed batches of the audit trail are removed; 0 keeps everything.",
  ),
  rateLimitAnonymous: live(
    option(
      "SYLA_RATE_LIMIT_ANONYMOUS",
      "600",
      integer(0, 100_000_000),
      "Requests a minute from one address that need no sign-in; 0 for any number.",
    ),
    { kind: "number", min: 0, max: 100_000_000 },
  ),
  rateLimit: live(
    option(
      "SYLA_RATE_LIMIT",
      "120000",
      integer(0, 100_000_000),
      "Requests a minute with one API key or session; 0 for any number. The key of the local user has no limit.",
    ),
    { kind: "number", min: 0, max: 100_000_000 },
  ),
  drainSeconds: option("SYLA_DRAIN_SECONDS", "30", integer(0, 3600), "How long a stopping server waits for running work."),
};

type OptionName = keyof typeof options;
/** What administrators may change while the server runs. */
export type LiveName = { [K in OptionName]: (typeof options)[K] extends { form: SettingForm } ? K : never }[OptionName];
type OptionValue<K extends OptionName> = ReturnType<(typeof options)[K]["parse"]>;
type Optional =
  | "kubernetesConfig"
  | "kubernetesContext"
  | "kubernetesImages"
  | "kubernetesRuntimeClass"
  | "kubernetesAgentUrl"
  | "kubernetesAgentCert"
  | "kubernetesAgentKey"
  | "kubernetesAgentAuthority"
  | "kubernetesControlPlane"
  | "s3Endpoint"
  | "s3Bucket"
  | "s3AccessKeyId"
  | "s3SecretAccessKey"
  | "backupTo"
  | "backupPassphrase"
  | "backupKeyFile"
  | "backupS3Endpoint"
  | "backupS3Region"
  | "backupS3AccessKeyId"
  | "backupS3SecretAccessKey"
  | "credentialKeysFile"
  | "kmsUrl"
  | "kmsNamespace"
  | "kmsToken"
  | "kmsRoleId"
  | "kmsSecretId"
  | "tlsCert"
  | "tlsKey"
  | "databaseUrl"
  | "otlpEndpoint"
  | "otlpHeaders"
  | "redisUrl"
  | "previewUrl"
  | "smtpUrl"
  | "imageRepository"
  | "imageCredential"
  | "pythonIndex"
  | "nodeRegistry"
  | "goProxy"
  | "uv";

/** Where a setting came from. */
export type Origin = "environment" | "file" | "default";

/** The settings of a server: pure values, read once. `publicUrl` is unset as long as the port is not known (port 0). */
export type Config = Readonly<
  { [K in Exclude<OptionName, Optional | "publicUrl">]: OptionValue<K> } & { [K in Optional | "publicUrl"]: OptionValue<K> | undefined }
> & {
  readonly hostname: string;
  /** The home directory of whoever runs the server; empty when there is none. */
  readonly home: string;
  readonly origins: Readonly<Record<OptionName, Origin>>;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The directory of everything that Syla writes for this person. */
function sylaHome(env: Environment): string {
  return env["SYLA_HOME"] ? resolve(env["SYLA_HOME"]) : join(env["HOME"] || homeOfUser(), ".syla");
}

/** A user without a name has no home (`docker run --user 12345`). */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch (cause) {
    throw new AppError("config_invalid", {
      message: "This user has no home directory.",
      hint: "Set `SYLA_HOME` to a directory of its own.",
      cause,
    });
  }
}

/** Whoever names the data directory may be without a home: then languages are installed in there. */
function runtimesFolder(env: Environment): string {
  const named = env[options.dataDir.env];
  return join(named && !env["SYLA_HOME"] && !env["HOME"] ? named : sylaHome(env), "runtimes");
}

function defaults(env: Environment): { [K in OptionName]: OptionValue<K> | undefined } {
  return {
    dataDir: env[options.dataDir.env] || join(sylaHome(env), "data"),
    host: "127.0.0.1",
    port: 7878,
    previewPort: 0,
    previewUrl: undefined,
    publicUrl: undefined,
    basePath: "",
    trustProxy: false,
    tlsCert: undefined,
    tlsKey: undefined,
    insecure: false,
    databaseUrl: undefined,
    redisUrl: undefined,
    logLevel: "info",
    metrics: "admins",
    metricsToken: undefined,
    otlpEndpoint: undefined,
    otlpProtocol: "http/protobuf",
    otlpHeaders: undefined,
    workerSlots: availableParallelism() * 4,
    jailLimit: 64,
    defaultTier: "namespace",
    microvmAccelerator: "auto",
    gvisorPlatform: "ptrace",
    kubernetesAllowed: false,
    kubernetesConfig: undefined,
    kubernetesContext: undefined,
    kubernetesNamespacePrefix: "syla",
    kubernetesImages: undefined,
    kubernetesRuntimeClass: undefined,
    kubernetesUserNamespaces: false,
    kubernetesPullSecrets: [],
    kubernetesNodes: {},
    kubernetesQuota: podQuota("pods=20,cpus=20,memory=40Gi,disk=200Gi"),
    kubernetesWarmPods: 0,
    kubernetesAgentUrl: undefined,
    kubernetesAgentHost: "0.0.0.0",
    kubernetesAgentPort: 7880,
    kubernetesAgentCert: undefined,
    kubernetesAgentKey: undefined,
    kubernetesAgentAuthority: undefined,
    kubernetesControlPlane: undefined,
    queueLimit: 10_000,
    networkAllowPrivate: [],
    smtpUrl: undefined,
    mailFrom: "Syla <syla@localhost>",
    webhookAllowPrivate: [],
    mergePages: false,
    sandboxLimit: 20,
    workspaceEphemeralMinutes: 5,
    workspaceSessionHours: 24,
    workspaceIdleMinutes: 30,
    workspaceCollaborativeIdleMinutes: 60,
    workspaceArchiveDays: 30,
    signUp: "closed",
    signUpDomains: [],
    requireTwoFactor: "nobody",
    passwordSignIn: true,
    passwordLength: 10,
    sessionDays: 30,
    anonymousLinks: false,
    quotaConcurrentRuns: 3,
    runLimit: -1,
    quotaRunsPerDay: 50,
    quotaCpuSecondsPerMonth: 100 * 3600,
    quotaStorageMb: 5000,
    modelShareCap: 10,
    quotaExecutionsPerMinute: 600,
    quotaLlmSpendPerMonth: 100,
    identityProviders: [],
    trustedIssuers: [],
    storage: "local",
    storageBackup: undefined,
    s3Endpoint: undefined,
    s3Bucket: undefined,
    s3Region: "us-east-1",
    s3Prefix: "",
    s3AccessKeyId: undefined,
    s3SecretAccessKey: undefined,
    storageColdDays: undefined,
    storageGraceHours: 24,
    backupTo: undefined,
    backupPassphrase: undefined,
    backupKeyFile: undefined,
    backupS3Endpoint: undefined,
    backupS3Region: undefined,
    backupS3AccessKeyId: undefined,
    backupS3SecretAccessKey: undefined,
    backupLogHours: 0,
    backupEveryHours: 24,
    backupKeep: 7,
    modelAllowPrivate: [],
    modelConnectSeconds: 10,
    modelFirstByteSeconds: 300,
    modelIdleSeconds: 120,
    modelReaderSeconds: 120,
    modelRateLimit: 600,
    modelTextDays: 30,
    modelHashDays: 0,
    webDir: join(import.meta.dirname, "../../web/dist"),
    bodyLimit: 64 * 1024 * 1024,
    uploadLimit: 1024 ** 3,
    datasetLimit: 100_000_000,
    compileSeconds: 60,
    imageRepository: undefined,
    imageCredential: undefined,
    imageInsecure: false,
    pythonIndex: undefined,
    nodeRegistry: undefined,
    goProxy: undefined,
    uv: undefined,
    treeCacheBytes: 4 * 1024 ** 3,
    environmentQuota: 20 * 1024 ** 3,
    environmentBytes: 4 * 1024 ** 3,
    environmentSeconds: 900,
    environmentMemory: 2 * 1024 ** 3,
    compileMemory: 2 * 1024 ** 3,
    runtimesDir: runtimesFolder(env),
    credentialKeysFile: undefined,
    runRetentionDays: 14,
    credentialKeys: "file",
    kmsUrl: undefined,
    kmsMount: "transit",
    kmsKey: "syla",
    kmsNamespace: undefined,
    kmsToken: undefined,
    kmsRoleId: undefined,
    kmsSecretId: undefined,
    kmsSeconds: 5,
    kmsCacheSeconds: 300,
    auditRetentionDays: 0,
    rateLimitAnonymous: 600,
    rateLimit: 120_000,
    drainSeconds: 30,
  };
}

/** Reads `config.json` of the data directory: a flat object of option names. */
function readSettingsFile(dataDir: string, problems: FieldProblem[]): Map<string, string> {
  const file = join(dataDir, "config.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return new Map();
  }
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== "object" || document === null || Array.isArray(document)) throw new Error("not an object");
    return new Map(
      Object.entries(document).map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)]),
    );
  } catch {
    problems.push({ path: file, message: "must be a JSON object" });
    return new Map();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Rules that span options. */
function checkTogether(config: Config, problems: FieldProblem[]): void {
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    problems.push({ path: "SYLA_TLS_CERT, SYLA_TLS_KEY", message: "give both or neither" });
  }
  for (const [name, file] of [
    ["SYLA_TLS_CERT", config.tlsCert],
    ["SYLA_TLS_KEY", config.tlsKey],
  ] as const) {
    if (file !== undefined && !isReadable(file)) problems.push({ path: name, message: `cannot read ${file}` });
  }
  const [ours, theirs] = [config.publicUrl, config.previewUrl].map((url) => (url === undefined ? null : new URL(url).hostname));
  if (theirs !== null && theirs !== undefined && (ours === theirs || ours?.endsWith(`.${theirs}`) === true))
    problems.push({ path: "SYLA_PREVIEW_URL", message: "must be another host than that of SYLA_PUBLIC_URL, and none above it" });
  if (config.previewPort !== 0 && config.previewPort === config.port)
    problems.push({ path: "SYLA_PREVIEW_PORT", message: "must be another port than SYLA_PORT" });
  if (config.signUp === "domain" && config.signUpDomains.length === 0)
    problems.push({ path: "SYLA_SIGN_UP_DOMAINS", message: "must name a domain when SYLA_SIGN_UP is `domain`" });
  for (const name of ["s3Endpoint", "s3Bucket", "s3AccessKeyId", "s3SecretAccessKey"] as const)
    if ((config.storage === "s3" || config.storageColdDays !== undefined) && config[name] === undefined)
      problems.push({ path: options[name].env, message: "is needed when SYLA_STORAGE is `s3`, or SYLA_STORAGE_COLD_DAYS is given" });
  if (config.storageColdDays !== undefined && config.storage === "s3")
    problems.push({ path: "SYLA_STORAGE_COLD_DAYS", message: "is for content in the data directory: SYLA_STORAGE must be `local`" });
  checkKms(config, problems);
  checkBackups(config, problems);
  if (!isAbsolute(config.dataDir)) problems.push({ path: "SYLA_DATA_DIR", message: "must be a path" });
}

function checkBackups({ backupLogHours, backupTo, databaseUrl: url, storageGraceHours }: Config, problems: FieldProblem[]): void {
  if (backupLogHours === 0) return;
  const path = options.backupLogHours.env;
  if (backupTo === undefined) problems.push({ path, message: "needs SYLA_BACKUP_TO" });
  if (url !== undefined) problems.push({ path, message: "is for the embedded PostgreSQL; yours archives its log itself" });
  if (backupLogHours > storageGraceHours)
    problems.push({ path, message: `is more than SYLA_STORAGE_GRACE_HOURS (${storageGraceHours}): content would be gone` });
}

function checkKms({ credentialKeys, kmsUrl: url, kmsToken, kmsRoleId, kmsSecretId }: Config, problems: FieldProblem[]): void {
  if (credentialKeys === "kms" && url === undefined)
    problems.push({ path: "SYLA_KMS_URL", message: "is needed when SYLA_CREDENTIAL_KEYS is `kms`" });
  if ((kmsRoleId === undefined) !== (kmsSecretId === undefined))
    problems.push({ path: "SYLA_KMS_ROLE_ID, SYLA_KMS_SECRET_ID", message: "give both or neither" });
  if (url !== undefined && (kmsToken === undefined) === (kmsRoleId === undefined))
    problems.push({ path: "SYLA_KMS_TOKEN, SYLA_KMS_ROLE_ID", message: "give a token or a role with SYLA_KMS_URL" });
}

function isReadable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

function fail(problems: readonly FieldProblem[]): never {
  const list = problems.map((problem) => `${problem.path}: ${problem.message}`).join("; ");
  throw new AppError("config_invalid", { message: `The configuration is not valid: ${list}.`, fields: problems });
}

/**
 * Reads the configuration from the environment and the data directory's `config.json`.
 *
 * @throws AppError `config_invalid` with every problem at once, or `insecure_bind`
 */
export function loadConfig(env: Environment = process.env): Config {
  const problems: FieldProblem[] = [];
  const values: Record<string, unknown> = defaults(env);
  const origins: Record<string, Origin> = {};
  const read = (name: OptionName, text: string | undefined, origin: Origin, label: string) => {
    if (text === undefined || text === "") return;
    try {
      values[name] = options[name].parse(text);
      origins[name] = origin;
    } catch (error) {
      problems.push({ path: label, message: (error as Error).message });
    }
  };
  const names = Object.keys(options) as OptionName[];
  for (const name of names) origins[name] = "default";
  read("dataDir", env[options.dataDir.env], "environment", options.dataDir.env);
  const file = readSettingsFile(String(values["dataDir"]), problems);
  for (const key of file.keys()) {
    if (!names.includes(key as OptionName) || key === "dataDir") problems.push({ path: `config.json ${key}`, message: "is not an option" });
  }
  for (const name of names) {
    if (name === "dataDir") continue;
    const { env: variable } = options[name];
    if (env[variable]) read(name, env[variable], "environment", variable);
    else read(name, file.get(name), "file", `config.json ${name}`);
  }
  const config = complete({ ...values, origins, hostname: hostname(), home: env["HOME"] ?? "" } as unknown as Config);
  checkTogether(config, problems);
  if (problems.length > 0) fail(problems);
  refuseInsecureBind(config);
  return config;
}

/** Fills in what follows from other options. */
function complete(config: Config): Config {
  if (config.publicUrl === undefined) return config.port === 0 ? config : { ...config, publicUrl: localUrl(config, config.port) };
  const path = new URL(config.publicUrl).pathname.replace(/\/+$/, "");
  if (config.origins.basePath === "default") return { ...config, basePath: path };
  return path === config.basePath ? config : { ...config, publicUrl: new URL(config.publicUrl).origin + config.basePath };
}

/** The address under which this machine reaches the server. */
export function localUrl(config: Pick<Config, "host" | "tlsCert" | "basePath">, port: number): string {
  const anyAddress = config.host === "0.0.0.0" || config.host === "::";
  const host = anyAddress ? "127.0.0.1" : config.host.includes(":") ? `[${config.host}]` : config.host;
  return `${config.tlsCert === undefined ? "http" : "https"}://${host}:${port}${config.basePath}`;
}

function refuseInsecureBind(config: Config): void {
  if (isLoopback(config.host) || config.tlsCert !== undefined || config.insecure) return;
  throw new AppError("insecure_bind", { message: `The address ${config.host} can be reached from other machines, and there is no TLS.` });
}

/** The rows of `docs/configuration.gen.md`. */
export function describeOptions(): { name: string; env: string; default: string; description: string }[] {
  return Object.entries(options).map(([name, entry]) => ({
    name,
    env: entry.env,
    default: entry.defaultText,
    description: entry.description,
  }));
}

/**
 * Each setting with its value and where that came from. Values that hold a secret are left out. `chosen`: what administrators have set while
 * the server ran.
 */
export function describeSettings(config: Config, chosen: Partial<Config> = {}): Setting[] {
  return (Object.keys(options) as OptionName[]).map((name) => {
    const { env, defaultText, description, form }: Option<unknown> = options[name];
    const isChosen = name in chosen;
    const value = isChosen ? chosen[name] : config[name];
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    const origin = isChosen ? "administrator" : config.origins[name];
    const isFixed = form === undefined || (origin !== "default" && origin !== "administrator");
    return {
      name,
      env,
      description,
      default: defaultText,
      value: isSet ? textOf(value) : null,
      isSet,
      origin,
      form: form ?? null,
      isFixed,
    };
  });
}

/** Whether it is the name of a setting that may change while the server runs. */
export function isLive(name: string): name is LiveName {
  return Object.hasOwn(options, name) && "form" in options[name as OptionName];
}

/** Reads a setting as an administrator has written it. @throws Error whose message completes «signUp: …» */
export function parseLive<K extends LiveName>(name: K, text: string): Config[K] {
  return options[name].parse(text) as Config[K];
}

/** A value as people write it; null for what holds a secret. */
function textOf(value: unknown): string | null {
  if (value instanceof Secret) return null;
  if (!Array.isArray(value)) return String(value);
  const parts = value.map((part: unknown) => (typeof part === "object" && part !== null ? nameOf(part) : String(part)));
  return parts.join(", ");
}

/** Of an entry of a list: what it is called. */
function nameOf(entry: object): string {
  if ("name" in entry) return String(entry.name);
  return "issuer" in entry ? String(entry.issuer) : "…";
}
