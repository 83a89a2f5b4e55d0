import { randomBytes, randomInt } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AgentSession } from "../agent-session.ts";
import {
  containerAgentWords,
  containerEnforcers,
  containerLimits,
  noPorts,
  refuseLayers,
  refuseNetwork,
  runtimeInImage,
} from "../container-agent.ts";
import type { Place } from "../place.ts";
import { planRun, planSession } from "../plan.ts";
import { PortUnreachableError } from "../relay/relay-server.ts";
import { cancelRun, runEvents } from "../run-events.ts";
import type { Session } from "../session.ts";
import { ShownTrees } from "../shown-trees.ts";
import {
  SandboxError,
  type PoolReport,
  type RuntimeSpec,
  type SandboxLimits,
  type SandboxRun,
  type SandboxSpec,
  type SessionSpec,
  type Tier,
  type TierReport,
} from "../spec.ts";
import { truthfulEvents } from "../truthful-events.ts";
import { AgentListener, type AgentListenerOptions } from "./agent-listener.ts";
import { readAgentFiles } from "./agent-files.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { ClusterApi, ClusterRefusalError, type Stored } from "./cluster-api.ts";
import {
  agentBytes,
  managedBy,
  renderAgent,
  renderJob,
  renderNamespace,
  renderNetworkPolicy,
  renderPod,
  renderQuota,
  tokenFolder,
  type ControlPlane,
  type Manifest,
  type PodSettings,
  type Quota,
} from "./manifest.ts";
import { hashOf, namespaceOf, requireImage } from "./names.ts";
import { Pod, toSandboxError, type PodSurroundings } from "./pod.ts";
import { PodWatch, sandboxLabel } from "./pod-watch.ts";
import { idleMs, WarmPods, type BootedPod } from "./warm-pods.ts";

const name = "kubernetes";
const serverLabel = "syla/server";
const tenantLabel = "syla/tenant";
const mebibyte = 1 << 20;
/** A node may have to fetch the image first. */
const bootMs = 180_000;
/** After its time limit a run has so long to hand over what it has made. */
const leaveSeconds = 600;
/** A run that may take longer is a job. */
const jobMs = 3600_000;
const sweepMs = 60_000;
const reachMs = 20_000;
/** Users of pods: a number of its own for each, so that no two of a node are the same. */
const [firstUser, lastUser] = [100_000, 2_000_000_000];
const trialTenant = "";
const trialLimits: SandboxLimits = {
  wallMs: 60_000,
  cpus: 0.25,
  memoryBytes: 64 * mebibyte,
  processes: 16,
  openFiles: 256,
  diskBytes: 16 * mebibyte,
  outputBytes: mebibyte,
};

/** What the kubernetes tier is made with. */
export interface KubernetesTierOptions {
  readonly access: ClusterAccess;
  /** This server's name in the cluster, the same after each start: what is left under it is removed then. */
  readonly server: string;
  readonly namespacePrefix: string;
  /** Images by the names of languages, with a version (`python@3.12`) or without; `*`: of all others. */
  readonly images: ReadonlyMap<string, string>;
  readonly pods: PodSettings;
  readonly quota: Quota;
  readonly controlPlane: ControlPlane;
  /** Where agents arrive. */
  readonly listener: AgentListenerOptions;
  /** How pods find that: `ws://` or `wss://` with a host and a port. */
  readonly address: string;
  /** PEM of whom they trust there; null: the system's. */
  readonly authority: string | null;
  /** Pods that are kept ready of each kind that somebody uses. */
  readonly warmPods: number;
  /** How long a pod may take until it is there; by default three minutes. */
  readonly bootMs?: number;
}

interface PodKind {
  readonly tenant: string;
  readonly runtime: RuntimeSpec;
  readonly image: string;
  readonly session: boolean;
  readonly limits: Pick<SandboxLimits, "cpus" | "memoryBytes" | "diskBytes" | "wallMs">;
}

interface Cluster extends PodSurroundings {
  readonly warm: WarmPods;
  readonly hosts: readonly { readonly ip: string; readonly name: string }[];
}

/** A pod for each run and each session, in a namespace of its tenant. Its agent connects back. */
export class KubernetesTier implements Tier {
  readonly name = name;
  readonly #options: KubernetesTierOptions;
  readonly #api: ClusterApi;
  readonly #trees = new ShownTrees(undefined);
  readonly #agent = readAgentFiles();
  readonly #labels: Readonly<Record<string, string>>;
  readonly #pods = new Set<Pod>();
  readonly #namespaces = new Map<string, Promise<void>>();
  #cluster: Promise<Cluster> | null = null;
  #trial: Promise<void> | null = null;
  #warm: WarmPods | null = null;
  #sweeping: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @throws SandboxError `tier_unavailable` when a setting cannot be what it says */
  constructor(options: KubernetesTierOptions) {
    this.#options = options;
    this.#api = new ClusterApi(options.access);
    this.#labels = { [managedBy]: "syla", [serverLabel]: hashOf(options.server) };
    for (const image of options.images.values()) requireImage(image);
    namespaceOf(options.namespacePrefix, trialTenant);
  }

  /** Tries it: one pod, until its agent has come. What has come once is not tried again. */
  async report(): Promise<TierReport> {
    const files = { by: "copies", reason: "pods have disks of their own" } as const;
    const { runtimeClass } = this.#options.pods;
    try {
      await (this.#trial ??= this.#try());
      const walls = [runtimeClass === null ? "container" : `container (${runtimeClass})`, "pod security", "network policy", "seccomp"];
      return { tier: name, available: true, reason: null, walls, limits: containerEnforcers, files };
    } catch (error) {
      this.#trial = null;
      const reason = `No pod could be had: ${toSandboxError(error).message}`;
      return { tier: name, available: false, reason, walls: [], limits: containerEnforcers, files: null };
    }
  }

  async start(spec: SandboxSpec): Promise<SandboxRun> {
    refuseNetwork(name, spec);
    const { runtime, image } = this.#prepare(spec.runtime, spec.env);
    const booted = await this.#take({ tenant: spec.tenant, runtime, image, session: false, limits: spec.limits });
    const { pod, connection } = booted;
    try {
      await this.#trees.putFiles(connection, spec);
      await spec.begin?.();
      await connection.start(planRun({ ...spec, runtime }, containerEnforcers), spec.stdin);
    } catch (error) {
      void pod.end();
      throw error;
    }
    return {
      tier: name,
      limits: containerLimits(spec.limits, agentBytes),
      events: truthfulEvents(runEvents(placeOf(booted), spec, null, noDisk), () => pod.explainEnd()),
      connect: () => Promise.reject(new PortUnreachableError("pods have no ports")),
      network: () => null,
      cancel: (graceMs) => cancelRun(connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    refuseNetwork(name, spec);
    const { runtime, image } = this.#prepare(spec.runtime, spec.env);
    const booted = await this.#take({ tenant: spec.tenant, runtime, image, session: true, limits: spec.limits });
    try {
      await this.#trees.putFiles(booted.connection, spec);
      return await AgentSession.open({
        tier: name,
        place: placeOf(booted),
        plan: planSession({ ...spec, runtime }, containerEnforcers),
        limits: containerLimits(spec.limits, agentBytes),
        interpreters: { python: spec.python ?? "python3", node: "node" },
        network: noPorts(name),
        disk: noDisk.watch(),
      });
    } catch (error) {
      void booted.pod.end();
      throw error;
    }
  }

  /** Finds the cluster, and removes what an earlier server of this name has left there. Pods are made for those who come. */
  warm(): void {
    this.#reach().catch(() => {}); // whoever wants a pod is told
  }

  dismiss(tenant: string): void {
    void this.#cluster?.then(({ warm }) => warm.dismiss(tenant)).catch(() => {});
  }

  pools(): readonly PoolReport[] {
    return this.#warm?.report() ?? [];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeping);
    const cluster = await this.#cluster?.catch(() => null);
    await cluster?.warm.stop();
    await Promise.all([...this.#pods].map((pod) => pod.end()));
    await cluster?.watch.stop();
    await cluster?.listener.close();
    this.#api.close();
  }

  /** @throws SandboxError */
  #prepare(wish: RuntimeSpec, env: Readonly<Record<string, string>>): { runtime: RuntimeSpec; image: string } {
    refuseLayers(name, wish, env);
    const image = imageFor(wish.name, this.#options.images);
    if (image === undefined) throw new SandboxError("tier_unavailable", `the kubernetes tier has no image for ${wish.name}`);
    return { runtime: runtimeInImage(wish), image };
  }

  async #take(wish: PodKind): Promise<BootedPod> {
    const { warm } = await this.#reach();
    const kind = JSON.stringify(kindOf(wish));
    return warm.take(kind, wish.tenant, wish.runtime.name) ?? (await this.#make(wish, 0));
  }

  /** `idle`: how long it may wait for its run, milliseconds. */
  async #make(wish: PodKind, idle: number): Promise<BootedPod> {
    const cluster = await this.#reach();
    if (this.#stopped) throw new SandboxError("no_capacity", "the server is shutting down");
    const ms = this.#options.bootMs ?? bootMs;
    const namespace = namespaceOf(this.#options.namespacePrefix, wish.tenant);
    await this.#prepareNamespace(namespace, wish.tenant);
    const deadlineSeconds = Math.ceil((wish.limits.wallMs + ms + idle) / 1000) + leaveSeconds;
    const pod = new Pod(cluster, this.#render(wish, namespace, deadlineSeconds, cluster.hosts));
    this.#pods.add(pod);
    void pod.removed.then(() => this.#pods.delete(pod));
    try {
      return { pod, connection: await pod.boot(ms) };
    } catch (error) {
      // A namespace that somebody has deleted is made again for the next one.
      if (error instanceof SandboxError && error.cause instanceof ClusterRefusalError && error.cause.status === 404)
        this.#namespaces.delete(namespace);
      throw error;
    }
  }

  #render(wish: PodKind, namespace: string, deadlineSeconds: number, hosts: Cluster["hosts"]): Manifest {
    const podName = `syla-${randomBytes(10).toString("hex")}`;
    const { address, authority, pods } = this.#options;
    const way = {
      address: `${address.replace(/\/$/, "")}/agent`,
      token: `${tokenFolder}/token`,
      authority: authority === null ? null : `${tokenFolder}/authority`,
    };
    const render = wish.limits.wallMs > jobMs ? renderJob : renderPod;
    return render({
      name: podName,
      namespace,
      labels: { ...this.#labels, [tenantLabel]: hashOf(wish.tenant), [sandboxLabel]: podName },
      image: wish.image,
      user: randomInt(firstUser, lastUser),
      command: containerAgentWords(wish.runtime, wish.session, way, "python3"),
      variables: { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" },
      agent: { name: this.#agentName, files: this.#agent.files.map(({ key, path }) => ({ key, path })) },
      limits: wish.limits,
      deadlineSeconds,
      hosts,
      settings: pods,
    });
  }

  get #agentName(): string {
    return `syla-agent-${this.#agent.sum}`;
  }

  /** Once for each tenant: its walls are there before its first pod is. */
  #prepareNamespace(namespace: string, tenant: string): Promise<void> {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const making = this.#makeNamespace(namespace, tenant);
    this.#namespaces.set(namespace, making);
    making.catch(() => this.#namespaces.delete(namespace));
    return making;
  }

  async #makeNamespace(namespace: string, tenant: string): Promise<void> {
    const labels = { ...this.#labels, [tenantLabel]: hashOf(tenant) };
    const { quota, controlPlane } = this.#options;
    try {
      await this.#api.apply("/api/v1/namespaces", renderNamespace(namespace, labels));
      await this.#api.apply(
        `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
        renderNetworkPolicy(namespace, labels, controlPlane),
      );
      await this.#api.apply(`/api/v1/namespaces/${namespace}/resourcequotas`, renderQuota(namespace, labels, quota));
      await this.#api.apply(
        `/api/v1/namespaces/${namespace}/configmaps`,
        renderAgent(this.#agentName, namespace, labels, this.#agent.files),
      );
    } catch (error) {
      throw toSandboxError(error);
    }
  }

  #reach(): Promise<Cluster> {
    this.#cluster ??= this.#open();
    const cluster = this.#cluster;
    cluster.catch(() => {
      if (this.#cluster === cluster) this.#cluster = null;
    });
    return cluster;
  }

  /** The first to need the cluster opens it: its watch, the listener, and what was left behind. */
  async #open(): Promise<Cluster> {
    const { listener: where, address, authority, warmPods } = this.#options;
    await this.#sweep().catch((error: unknown) => {
      throw toSandboxError(error);
    });
    const host = new URL(address).hostname.replace(/^\[|\]$/g, "");
    const hosts = isIP(host) === 0 ? (await findHost(host)).map((ip) => ({ ip, name: host })) : [];
    const listener = await AgentListener.listen(where).catch((error: unknown) => {
      throw new SandboxError("tier_unavailable", `agents cannot be listened for at ${where.host}:${where.port}`, error);
    });
    const watch = new PodWatch(this.#api, this.#selector);
    const late = setTimeout(() => void watch.stop(), reachMs);
    try {
      await watch.listed;
    } catch (error) {
      await listener.close();
      throw new SandboxError("tier_unavailable", "the cluster does not list its pods", error);
    } finally {
      clearTimeout(late);
    }
    const warm = new WarmPods(warmPods, (kind) => this.#make(readKind(kind), idleMs));
    this.#warm = warm;
    // What could not be removed when its time had come.
    this.#sweeping = setInterval(() => void this.#remove(watch.strays()), sweepMs).unref();
    return { api: this.#api, watch, listener, authority, warm, hosts };
  }

  get #selector(): string {
    return Object.entries(this.#labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
  }

  /** Jobs first: they would make their pods again. */
  async #sweep(): Promise<void> {
    const { items: jobs } = await this.#api.list("/apis/batch/v1/jobs", this.#selector);
    for (const { metadata } of jobs) await this.#api.delete(`/apis/batch/v1/namespaces/${metadata.namespace}/jobs/${metadata.name}`);
    const { items: pods } = await this.#api.list("/api/v1/pods", this.#selector);
    for (const { metadata } of pods)
      await this.#api.delete(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, { graceSeconds: 0 });
  }

  async #remove(pods: readonly Stored[]): Promise<void> {
    for (const { metadata } of pods)
      await this.#api.delete(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`).catch(() => {}); // the next time
  }

  async #try(): Promise<void> {
    const [language = "*", image = ""] = [...this.#options.images][0] ?? [];
    if (image === "") throw new SandboxError("tier_unavailable", "no image is set");
    const runtime = { ...plainRuntime, name: language };
    const { pod } = await this.#make({ tenant: trialTenant, runtime, image, session: false, limits: trialLimits }, 0);
    await pod.end();
  }
}

/** Of `python@3.11.2`: that of the name itself, of `python@3.11`, of `python@3`, of `python`, or of all others. */
function imageFor(runtime: string, images: ReadonlyMap<string, string>): string | undefined {
  for (let language = runtime; language !== ""; language = language.replace(/[.@]?[^.@]*$/, "")) {
    const image = images.get(language);
    if (image !== undefined) return image;
  }
  return images.get("*");
}

/** Everything that a pod is made of, and nothing else. */
function kindOf({ tenant, runtime, image, session, limits }: PodKind): PodKind {
  const { cpus, memoryBytes, diskBytes, wallMs } = limits;
  return { tenant, runtime, image, session, limits: { cpus, memoryBytes, diskBytes, wallMs } };
}

function readKind(text: string): PodKind {
  return JSON.parse(text) as PodKind; // made by this file
}

async function findHost(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new SandboxError("tier_unavailable", `pods could not find ${host}: it has no address`, error);
  }
}

function placeOf({ pod, connection }: BootedPod): Place {
  return { connection, stats: () => null, freeze: () => null, release: () => void pod.end(), end: () => pod.end() };
}

/** Its disk is somewhere else: the agent and the node look at it. */
const noDisk = { watch: () => ({ sleeps: () => {}, wakes: () => {}, stop: () => {} }) };

const plainRuntime: RuntimeSpec = {
  name: "none",
  pooling: "cold",
  mounts: [],
  binary: "",
  command: [],
  preimport: [],
  env: {},
  bootVariables: [],
  reservesMemory: false,
};
