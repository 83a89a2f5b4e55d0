import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { SandboxError } from "../spec.ts";

const run = promisify(execFile);
const inside = "/var/run/secrets/kubernetes.io/serviceaccount";
/** A token that a program has made is used for so long when that does not say how long it is good for; one out of a file is read again after. */
const tokenMs = 60_000;
/** Before a token ends it is asked for anew. */
const earlyMs = 10_000;
const helperMs = 30_000;
/** Where programs of clouds are; a kubeconfig may name one by its path, or set another PATH for it. */
const helperPath = "/usr/local/bin:/usr/bin:/bin:/snap/bin";

/** How a cluster is reached. */
export interface ClusterAccess {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  /** PEM of whom to trust; null: the system's. */
  readonly authority: string | null;
  readonly serverName: string | null;
  /** PEM of a certificate and its key. */
  readonly certificate: { readonly cert: string; readonly key: string } | null;
  /** What is shown with each request; null: nothing. */
  readonly token: () => Promise<string | null>;
}

const Data = z.base64().transform((text) => Buffer.from(text, "base64").toString());
const Cluster = z.object({
  server: z.url({ protocol: /^https?$/ }),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": Data.optional(),
  "tls-server-name": z.string().optional(),
});
const Exec = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});
const User = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": Data.optional(),
  "client-key": z.string().optional(),
  "client-key-data": Data.optional(),
  exec: Exec.optional(),
});
const KubeConfig = z.object({
  "current-context": z.string().optional(),
  clusters: z.array(z.object({ name: z.string(), cluster: Cluster })).default([]),
  users: z.array(z.object({ name: z.string(), user: User.nullish() })).default([]),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) })).default([]),
});
const Credential = z.object({
  kind: z.literal("ExecCredential"),
  status: z.object({ token: z.string().min(1), expirationTimestamp: z.iso.datetime({ offset: true }).optional() }),
});

/** That of a pod to its own cluster; null elsewhere. `folder`: where clusters put what pods need for that. */
export function readOwnCluster(folder: string = inside): ClusterAccess | null {
  if (!existsSync(join(folder, "token"))) return null;
  const token = keepToken(async () => ({ token: readFileSync(join(folder, "token"), "utf8").trim(), endsAt: Date.now() + tokenMs }));
  const authority = readText(join(folder, "ca.crt"), join(folder, "ca.crt"));
  return { server: "https://kubernetes.default.svc", authority, serverName: null, certificate: null, token };
}

/** What a kubeconfig says of one of its contexts, the current one when `context` is null. @throws SandboxError `tier_unavailable` */
export function readKubeConfig(file: string, context: string | null): ClusterAccess {
  const config = parseKubeConfig(file);
  const name = context ?? config["current-context"] ?? "";
  const chosen = config.contexts.find((entry) => entry.name === name)?.context;
  const cluster = config.clusters.find((entry) => entry.name === chosen?.cluster)?.cluster;
  const user = config.users.find((entry) => entry.name === chosen?.user)?.user ?? {};
  if (chosen === undefined || cluster === undefined)
    throw unusable(
      `${file} has no cluster for the context ${JSON.stringify(name)}; it has ${config.contexts.map((entry) => entry.name).join(", ") || "none"}`,
    );
  const read = (data: string | undefined, path: string | undefined) =>
    data ?? (path === undefined ? null : readText(join(dirname(file), path), path));
  const cert = read(user["client-certificate-data"], user["client-certificate"]);
  const key = read(user["client-key-data"], user["client-key"]);
  return {
    server: cluster.server.replace(/\/$/, ""),
    authority: read(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    serverName: cluster["tls-server-name"] ?? null,
    certificate: cert === null || key === null ? null : { cert, key },
    token: tokenOf(user, dirname(file)),
  };
}

function parseKubeConfig(file: string): z.infer<typeof KubeConfig> {
  let document: unknown;
  try {
    document = parseYaml(readText(file, file));
  } catch (error) {
    throw error instanceof SandboxError ? error : unusable(`${file} is no YAML`, error);
  }
  const parsed = KubeConfig.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unusable(`${file} is no kubeconfig: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function tokenOf({ token, tokenFile, exec }: z.infer<typeof User>, folder: string): ClusterAccess["token"] {
  if (exec !== undefined) return keepToken(() => askHelper(exec, folder));
  if (tokenFile !== undefined)
    return keepToken(async () => ({ token: readText(join(folder, tokenFile), tokenFile).trim(), endsAt: Date.now() + tokenMs }));
  return async () => token ?? null;
}

interface Token {
  readonly token: string;
  readonly endsAt: number;
}

/** Asks for another one when the one that is there ends soon, once for all who wait. */
function keepToken(ask: () => Promise<Token>): ClusterAccess["token"] {
  let kept: Promise<Token> | null = null;
  return async () => {
    const known = await kept?.catch(() => null);
    if (known === undefined || known === null || known.endsAt - earlyMs < Date.now()) kept = ask();
    return (await (kept as Promise<Token>)).token;
  };
}

/** The program that a cloud's kubeconfig names, as client-go asks it. */
async function askHelper({ apiVersion, command, args, env }: z.infer<typeof Exec>, folder: string): Promise<Token> {
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const variables = { PATH: helperPath, HOME: homedir(), ...own, KUBERNETES_EXEC_INFO: info };
  const path = command.includes("/") ? join(command.startsWith("/") ? "" : folder, command) : command;
  try {
    const { stdout } = await run(path, args ?? [], { env: variables, timeout: helperMs, maxBuffer: 1 << 20 });
    const { token, expirationTimestamp } = Credential.parse(JSON.parse(stdout)).status;
    return { token, endsAt: expirationTimestamp === undefined ? Date.now() + tokenMs : Date.parse(expirationTimestamp) };
  } catch (error) {
    throw unusable(`${command} gives no credential for the cluster`, error);
  }
}

function readText(file: string, shown: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unusable(`${shown} cannot be read`, error);
  }
}

function unusable(message: string, cause?: unknown): SandboxError {
  return new SandboxError("tier_unavailable", message, cause);
}
