import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isIP } from "node:net";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { readKubeConfig, readOwnCluster, type ClusterAccess } from "@syla/sandbox/kubernetes/cluster-access";
import { KubernetesTier } from "@syla/sandbox/kubernetes/kubernetes-tier";
import type { ControlPlane, Quota } from "@syla/sandbox/kubernetes/manifest";
import { SandboxError } from "@syla/sandbox/spec";
import type { Config } from "../config.ts";
import type { ControlPlaneAddress } from "../kubernetes-values.ts";

/** Where to read how it is set up. */
const guide = "docs/how-to/isolate-runs-in-a-cluster.md says how.";

/** The settings of the kubernetes tier, as they were read. */
export interface KubernetesSettings {
  /** This server's name in the cluster: the same after each start. */
  readonly server: string;
  readonly allowed: boolean;
  readonly config: string | undefined;
  readonly context: string | undefined;
  readonly namespacePrefix: string;
  readonly images: ReadonlyMap<string, string> | undefined;
  readonly runtimeClass: string | undefined;
  readonly userNamespaces: boolean;
  readonly pullSecrets: readonly string[];
  readonly nodes: Readonly<Record<string, string>>;
  readonly quota: Quota;
  readonly warmPods: number;
  readonly agentUrl: string | undefined;
  readonly agentHost: string;
  readonly agentPort: number;
  readonly agentCert: string | undefined;
  readonly agentKey: string | undefined;
  readonly agentAuthority: string | undefined;
  readonly controlPlane: ControlPlaneAddress | undefined;
}

/** @throws AppError `tier_unavailable` saying what is to be set */
export function openKubernetes(settings: KubernetesSettings): KubernetesTier {
  const { images, agentUrl } = settings;
  if (!settings.allowed) throw refusal("Pods of a cluster are not allowed on this server.", "SYLA_KUBERNETES_ALLOWED=true allows them");
  if (images === undefined) throw refusal("No image is set for pods.", "Set SYLA_KUBERNETES_IMAGE");
  if (agentUrl === undefined) throw refusal("It is not said how pods find this server.", "Set SYLA_KUBERNETES_AGENT_URL");
  const isSecure = agentUrl.startsWith("wss:");
  const tls = isSecure ? readTls(settings) : null;
  const authority =
    isSecure && settings.agentAuthority !== undefined ? readPem(settings.agentAuthority, "SYLA_KUBERNETES_AGENT_AUTHORITY") : null;
  try {
    return new KubernetesTier({
      access: findCluster(settings),
      server: settings.server,
      namespacePrefix: settings.namespacePrefix,
      images,
      pods: {
        runtimeClass: settings.runtimeClass ?? null,
        pullSecrets: settings.pullSecrets,
        nodeSelector: settings.nodes,
        userNamespaces: settings.userNamespaces,
      },
      quota: settings.quota,
      controlPlane: findControlPlane(settings, agentUrl),
      listener: { host: settings.agentHost, port: settings.agentPort, tls },
      address: agentUrl,
      authority,
      warmPods: settings.warmPods,
    });
  } catch (error) {
    if (error instanceof SandboxError) throw refusal(`${error.message}.`, "Look at the settings SYLA_KUBERNETES_…");
    throw error;
  }
}

function findCluster({ config, context }: KubernetesSettings): ClusterAccess {
  const own = config === undefined ? readOwnCluster() : null;
  const file = config ?? join(homedir(), ".kube", "config");
  if (own === null && config === undefined && !existsSync(file))
    throw refusal("It is not said where the cluster is.", "Set SYLA_KUBERNETES_CONFIG");
  return own ?? readKubeConfig(file, context ?? null);
}

function findControlPlane({ controlPlane, agentPort: port }: KubernetesSettings, agentUrl: string): ControlPlane {
  if (controlPlane !== undefined) return { ...controlPlane, port };
  const host = new URL(agentUrl).hostname.replace(/^\[|\]$/g, "");
  const family = isIP(host);
  if (family === 0)
    throw refusal("It is not said what pods may connect to.", "Set SYLA_KUBERNETES_CONTROL_PLANE, as SYLA_KUBERNETES_AGENT_URL has a name");
  return { cidr: `${host}/${family === 4 ? 32 : 128}`, port };
}

function readTls({ agentCert, agentKey }: KubernetesSettings): { cert: string; key: string } {
  if (agentCert === undefined || agentKey === undefined)
    throw refusal(
      "The listener for pods has no certificate.",
      "Set SYLA_KUBERNETES_AGENT_CERT and SYLA_KUBERNETES_AGENT_KEY, as SYLA_KUBERNETES_AGENT_URL is wss://",
    );
  return { cert: readPem(agentCert, "SYLA_KUBERNETES_AGENT_CERT"), key: readPem(agentKey, "SYLA_KUBERNETES_AGENT_KEY") };
}

function readPem(file: string, setting: string): string {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {}
  if (!text.includes("-----BEGIN ")) throw refusal(`${file} is no PEM file that can be read.`, `Look at ${setting}`);
  return text;
}

function refusal(message: string, fix: string): AppError {
  return new AppError("tier_unavailable", { message, hint: `${fix}; then start the server again. ${guide}` });
}

/** `dataDirectory` is what a server keeps over its starts, on its machine. */
export function kubernetesOf(config: Config, dataDirectory: string): KubernetesSettings {
  return {
    server: `${config.hostname}\0${dataDirectory}`,
    allowed: config.kubernetesAllowed,
    config: config.kubernetesConfig,
    context: config.kubernetesContext,
    namespacePrefix: config.kubernetesNamespacePrefix,
    images: config.kubernetesImages,
    runtimeClass: config.kubernetesRuntimeClass,
    userNamespaces: config.kubernetesUserNamespaces,
    pullSecrets: config.kubernetesPullSecrets,
    nodes: config.kubernetesNodes,
    quota: config.kubernetesQuota,
    warmPods: config.kubernetesWarmPods,
    agentUrl: config.kubernetesAgentUrl,
    agentHost: config.kubernetesAgentHost,
    agentPort: config.kubernetesAgentPort,
    agentCert: config.kubernetesAgentCert,
    agentKey: config.kubernetesAgentKey,
    agentAuthority: config.kubernetesAgentAuthority,
    controlPlane: config.kubernetesControlPlane,
  };
}
