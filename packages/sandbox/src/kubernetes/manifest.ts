import { isIP } from "node:net";
import type { SandboxLimits } from "../spec.ts";
import { containerVariables, literal, requireImage, requireLabels, requireName } from "./names.ts";

/** What is asked of a cluster, as documents. Nothing in here asks for it. */

const mebibyte = 1 << 20;
/** Memory of the agent itself, which a container has for itself and its program together. */
export const agentBytes: number = 32 * mebibyte;
/** On disk, besides what the run may write: the watch of the agent is to be there first. */
const spareDiskBytes = 64 * mebibyte;
const tmpBytes = 64 * mebibyte;
/** What a pod has to end in when it is told to. */
const graceSeconds = 10;
/** How long a job that is over stays when nobody removes it. */
const keptSeconds = 300;
/** How long a node may be out of reach. */
const lostSeconds = 30;

const agentFolder = "/agent";
export const tokenFolder = "/run/syla-token";
const contextsFolder = "/run/syla";
export const managedBy = "app.kubernetes.io/managed-by";

/** A document of the API. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Whom pods may connect to: addresses, or pods by their labels in a namespace. */
export type ControlPlane =
  | { readonly cidr: string; readonly port: number }
  | { readonly namespace: string; readonly labels: Readonly<Record<string, string>>; readonly port: number };

/** What a whole cluster's pods have in common. */
export interface PodSettings {
  /** Isolates more than a container does: `gvisor`, `kata`; null: the cluster's own. */
  readonly runtimeClass: string | null;
  /** Names of secrets that images are pulled with; they have to be in each namespace. */
  readonly pullSecrets: readonly string[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Users of a pod are none of its node's. Clusters since 1.33 can that, on nodes that can. */
  readonly userNamespaces: boolean;
}

export interface PodWish {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  /** The user of everything in it. */
  readonly user: number;
  readonly command: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** The config map with the agent's files, and where they lie below its folder. */
  readonly agent: { readonly name: string; readonly files: readonly AgentFile[] };
  readonly limits: Pick<SandboxLimits, "cpus" | "memoryBytes" | "diskBytes">;
  /** When the cluster ends it, whatever becomes of its server. */
  readonly deadlineSeconds: number;
  /** Names that it knows addresses of: there is no name server for it. */
  readonly hosts: readonly { readonly ip: string; readonly name: string }[];
  readonly settings: PodSettings;
}

export interface AgentFile {
  readonly key: string;
  readonly path: string;
}

/** The pod of one sandbox. It waits for the secret of the same name. @throws ManifestError */
export function renderPod(wish: PodWish): Manifest {
  return { apiVersion: "v1", kind: "Pod", metadata: metadataOf(wish), spec: podSpec(wish) };
}

/** The same for a run that goes on for long: it is removed in time also when nobody comes back for it. @throws ManifestError */
export function renderJob(wish: PodWish): Manifest {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadataOf(wish),
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: wish.deadlineSeconds,
      ttlSecondsAfterFinished: keptSeconds,
      template: { metadata: { labels: requireLabels(wish.labels) }, spec: podSpec(wish) },
    },
  };
}

/** What a pod shows to be let in, and whom it trusts; gone with its owner. @throws ManifestError */
export function renderTokenSecret(
  wish: Pick<PodWish, "name" | "namespace" | "labels">,
  owner: OwnerReference | null,
  token: string,
  authority: string | null,
): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadataOf(wish), ...(owner === null ? {} : { ownerReferences: [owner] }) },
    immutable: true,
    type: "Opaque",
    stringData: { token, ...(authority === null ? {} : { authority }) },
  };
}

/** The agent, which so belongs to the server and not to an image. */
export function renderAgent(
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  files: readonly (AgentFile & { readonly content: string })[],
): Manifest {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf({ name, namespace, labels }),
    immutable: true,
    data: Object.fromEntries(files.map(({ key, content }) => [key, content])),
  };
}

/** A tenant's namespace, in which the cluster lets nobody make a pod that is less locked up than ours. */
export function renderNamespace(name: string, labels: Readonly<Record<string, string>>): Manifest {
  const levels = Object.fromEntries(["enforce", "warn", "audit"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: requireName("a namespace", name), labels: requireLabels({ ...labels, ...levels }) },
  };
}

/** What all sandboxes of a tenant may take together. */
export interface Quota {
  readonly pods: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export function renderQuota(namespace: string, labels: Readonly<Record<string, string>>, quota: Quota): Manifest {
  const cpu = quantityOfCpus(quota.cpus);
  const [memory, disk, pods] = [String(quota.memoryBytes), String(quota.diskBytes), String(quota.pods)];
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: metadataOf({ name: "syla", namespace, labels }),
    spec: {
      hard: {
        pods,
        "count/jobs.batch": pods,
        "requests.cpu": cpu,
        "limits.cpu": cpu,
        "requests.memory": memory,
        "limits.memory": memory,
        "requests.ephemeral-storage": disk,
        "limits.ephemeral-storage": disk,
        services: "0",
        persistentvolumeclaims: "0",
      },
    },
  };
}

/** Nobody reaches a sandbox, and it reaches nobody but the control plane: neither a name server nor the metadata of a cloud. @throws ManifestError */
export function renderNetworkPolicy(namespace: string, labels: Readonly<Record<string, string>>, to: ControlPlane): Manifest {
  const peer =
    "cidr" in to
      ? { ipBlock: { cidr: to.cidr } }
      : {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": requireName("a namespace", to.namespace) } },
          podSelector: { matchLabels: requireLabels(to.labels) },
        };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataOf({ name: "syla", namespace, labels }),
    spec: {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [{ to: [peer], ports: [{ protocol: "TCP", port: to.port }] }],
    },
  };
}

function metadataOf({ name, namespace, labels }: Pick<PodWish, "name" | "namespace" | "labels">): Manifest["metadata"] {
  return { name: requireName("a name", name), namespace: requireName("a namespace", namespace), labels: requireLabels(labels) };
}

function podSpec(wish: PodWish): unknown {
  const { name, settings, user, deadlineSeconds } = wish;
  const diskBytes = wish.limits.diskBytes + spareDiskBytes;
  const hostAliases = wish.hosts.map(({ ip, name: host }) => {
    if (isIP(ip) === 0) throw new RangeError(`no address: ${ip}`);
    return { ip, hostnames: [host] };
  });
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    activeDeadlineSeconds: deadlineSeconds,
    ...(settings.runtimeClass === null ? {} : { runtimeClassName: requireName("a runtime class", settings.runtimeClass) }),
    ...(settings.userNamespaces ? { hostUsers: false } : {}),
    ...(Object.keys(settings.nodeSelector).length === 0 ? {} : { nodeSelector: requireLabels(settings.nodeSelector) }),
    ...(settings.pullSecrets.length === 0
      ? {}
      : { imagePullSecrets: settings.pullSecrets.map((secret) => ({ name: requireName("a secret", secret) })) }),
    // A node that is not heard of any more: after that its pods are given up, and so are their runs.
    tolerations: ["not-ready", "unreachable"].map((trouble) => ({
      key: `node.kubernetes.io/${trouble}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: lostSeconds,
    })),
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    shareProcessNamespace: false,
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["127.0.0.1"] }, // one has to be named; nobody answers there
    ...(hostAliases.length === 0 ? {} : { hostAliases }),
    securityContext: { runAsNonRoot: true, runAsUser: user, runAsGroup: user, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container(wish)],
    volumes: [
      {
        name: "agent",
        configMap: { name: wish.agent.name, defaultMode: 0o444, items: wish.agent.files.filter((file) => !isContext(file)) },
      },
      {
        name: "contexts",
        configMap: {
          name: wish.agent.name,
          defaultMode: 0o444,
          items: wish.agent.files.filter(isContext).map(({ key, path }) => ({ key, path: path.slice("contexts/".length) })),
        },
      },
      { name: "token", secret: { secretName: name, defaultMode: 0o444, optional: false } },
      { name: "workspace", emptyDir: { sizeLimit: String(diskBytes) } },
      { name: "output", emptyDir: { sizeLimit: String(diskBytes) } },
      { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: String(tmpBytes) } },
    ],
  };
}

function container({ image, command, variables, limits }: PodWish): unknown {
  const amounts = {
    cpu: quantityOfCpus(limits.cpus),
    memory: String(limits.memoryBytes + agentBytes),
    "ephemeral-storage": String(limits.diskBytes + spareDiskBytes),
  };
  return {
    name: "sandbox",
    image: requireImage(image),
    command: command.map(literal),
    env: containerVariables(variables),
    workingDir: "/",
    stdin: false,
    tty: false,
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: amounts, limits: amounts },
    securityContext: {
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [
      { name: "agent", mountPath: agentFolder, readOnly: true },
      { name: "contexts", mountPath: contextsFolder, readOnly: true },
      { name: "token", mountPath: tokenFolder, readOnly: true },
      { name: "workspace", mountPath: "/workspace" },
      { name: "output", mountPath: "/output" },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

function isContext({ path }: AgentFile): boolean {
  return path.startsWith("contexts/");
}

function quantityOfCpus(cpus: number): string {
  return `${Math.max(1, Math.round(cpus * 1000))}m`;
}
