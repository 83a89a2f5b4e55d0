import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxConnection } from "../connection.ts";
import { SandboxError, type EndReason } from "../spec.ts";
import type { UnsaidEnd } from "../truthful-events.ts";
import type { AgentListener, ExpectedAgent } from "./agent-listener.ts";
import { type ClusterApi, ClusterRefusalError, ClusterUnreachableError, type Stored } from "./cluster-api.ts";
import { renderTokenSecret, type Manifest } from "./manifest.ts";
import { fateOf, type Fate, type PodEnd, type Trouble } from "./pod-fate.ts";
import type { PodWatch } from "./pod-watch.ts";

/** After its connection has broken, the cluster may need so long to say why; after that it is said, the agent may have said something last. */
const settleMs = 3000;
/** A pod that is deleted should be gone by then; else it is given up without its node. */
const goneMs = 30_000;
const graceSeconds = 2;
const firstPauseMs = 200;
const longestPauseMs = 5000;

/** What pods are made with. */
export interface PodSurroundings {
  readonly api: ClusterApi;
  readonly watch: PodWatch;
  readonly listener: AgentListener;
  /** PEM of whom an agent is to trust; null: the system's, or nobody has to be. */
  readonly authority: string | null;
}

/** A pod, or a job that has one, from the request for it until nothing is left of it. */
export class Pod {
  readonly name: string;
  readonly namespace: string;
  readonly #surroundings: PodSurroundings;
  readonly #manifest: Manifest;
  readonly #expected: ExpectedAgent;
  readonly #over = Promise.withResolvers<{ cause: PodEnd; message: string }>();
  readonly #hopeless = Promise.withResolvers<never>();
  readonly #unfollow: () => void;
  #trouble: Trouble | null = null;
  /** What the cluster said last when it was asked for it, and it is asked again. */
  #refusal: unknown = null;
  #creating: Promise<unknown> | null = null;
  #isOver = false;
  #cause: PodEnd | null = null;
  #wasSeen = false;
  readonly #isGone = Promise.withResolvers<void>();
  readonly #removed = Promise.withResolvers<void>();
  #stream: Duplex | null = null;
  #ending: Promise<void> | null = null;

  constructor(surroundings: PodSurroundings, manifest: Manifest) {
    this.#surroundings = surroundings;
    this.#manifest = manifest;
    this.name = manifest.metadata.name;
    this.namespace = manifest.metadata.namespace ?? "";
    this.#expected = surroundings.listener.expect();
    this.#hopeless.promise.catch(() => {});
    this.#unfollow = surroundings.watch.follow(this.name, (pod) => this.#see(pod));
  }

  /** Resolves when the cluster has ended it, for whatever reason. */
  get over(): Promise<{ cause: PodEnd; message: string }> {
    return this.#over.promise;
  }

  /** Resolves when it has been removed. */
  get removed(): Promise<void> {
    return this.#removed.promise;
  }

  /** Whether it can still be given a run. */
  get usable(): boolean {
    return !this.#isOver && this.#ending === null && this.#stream?.destroyed !== true;
  }

  /** Asks for it and waits for its agent's greeting, `ms` at most. Rejects with a {@link SandboxError}; then it is being removed. */
  async boot(ms: number): Promise<SandboxConnection> {
    const until = performance.now() + ms;
    const late = new AbortController();
    try {
      const timeout = sleep(ms, undefined, { signal: late.signal }).then(() => {
        throw this.#lateness(ms);
      });
      timeout.catch(() => {});
      const ended = this.over.then(({ cause, message }) => {
        throw errorOfEnd(cause, message);
      });
      ended.catch(() => {});
      return await Promise.race([this.#come(until), timeout, ended, this.#hopeless.promise]);
    } catch (error) {
      void this.end();
      throw toSandboxError(error);
    } finally {
      late.abort();
    }
  }

  /** What became of it after its connection broke. */
  async explainEnd(): Promise<UnsaidEnd> {
    const late = new AbortController();
    const end = await Promise.race([this.over, sleep(settleMs, null, { signal: late.signal }).catch(() => null)]);
    late.abort();
    return end === null ? null : (programsDoing[end.cause] ?? errorOfEnd(end.cause, end.message));
  }

  /** Removes it. Resolves when it is gone, or when the cluster was told and cannot be asked any more. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  get #path(): string {
    return `${collectionOf(this.#manifest)}/${this.name}`;
  }

  async #come(until: number): Promise<SandboxConnection> {
    const { api, authority } = this.#surroundings;
    const creating = persist(
      () => this.#create(),
      until,
      (error) => (this.#refusal = error),
    );
    this.#creating = creating.catch(() => null);
    const stored = await creating;
    this.#refusal = null;
    const { kind, apiVersion } = this.#manifest;
    const owner = { apiVersion, kind, name: this.name, uid: stored.metadata.uid };
    const { namespace, labels = {} } = this.#manifest.metadata;
    const secret = renderTokenSecret({ name: this.name, namespace: namespace ?? "", labels }, owner, this.#expected.token, authority);
    await persist(() => makeOnce(api, `/api/v1/namespaces/${this.namespace}/secrets`, secret), until);
    this.#stream = await this.#expected.arrived;
    const connection = await SandboxConnection.open(this.#stream);
    if (this.#isOver || this.#ending !== null) connection.close();
    return connection;
  }

  /** What was asked for once and got no answer may be there. */
  async #create(): Promise<Stored> {
    if (this.#ending !== null) throw new SandboxError("no_capacity", "the pod is not wanted any more");
    return await makeOnce(this.#surroundings.api, collectionOf(this.#manifest), this.#manifest);
  }

  #see(pod: Stored | null): void {
    if (pod === null) {
      if (!this.#wasSeen) return;
      this.#isGone.resolve();
      return this.#finish("deleted", "somebody deleted it");
    }
    this.#wasSeen = true;
    const fate: Fate = fateOf(pod);
    this.#trouble = fate.state === "waiting" ? fate.trouble : null;
    if (fate.state === "ended") this.#finish(fate.cause, fate.message);
    else if (this.#trouble?.final === true)
      this.#hopeless.reject(new SandboxError(this.#trouble.code, `the pod cannot start: ${this.#trouble.message}`));
  }

  #finish(cause: PodEnd, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over.resolve({ cause, message });
    this.#cause = cause;
    // Its agent may have said something last; a node that is lost keeps a connection open that nobody is at the other end of.
    setTimeout(() => void this.end(), settleMs).unref();
  }

  async #end(): Promise<void> {
    const { api } = this.#surroundings;
    const broke = !this.#isOver && (this.#stream?.destroyed === true || this.#stream?.readableEnded === true);
    this.#expected.forget();
    if (broke) await this.explainEnd(); // else nobody could say any more why
    this.#stream?.destroy();
    await this.#creating; // what is on its way is to be found
    try {
      await persist(() => api.delete(this.#path, { graceSeconds: this.#cause === "lost" ? 0 : graceSeconds }), performance.now() + goneMs);
      const late = new AbortController();
      const gone = this.#wasSeen ? this.#isGone.promise.then(() => true) : Promise.resolve(true);
      const isGone = await Promise.race([gone, sleep(goneMs, false, { signal: late.signal }).catch(() => true)]);
      late.abort();
      if (!isGone) await api.delete(this.#path, { graceSeconds: 0 });
    } catch {
      // The cluster does not answer, or refuses: its own deadline ends the pod, and the next server that starts looks for it.
    } finally {
      this.#unfollow();
      this.#removed.resolve();
    }
  }

  #lateness(ms: number): SandboxError {
    if (this.#refusal !== null) return toSandboxError(this.#refusal);
    const why = this.#trouble;
    const code = why?.code ?? "no_capacity";
    return new SandboxError(code, `the pod was not there after ${Math.round(ms / 1000)} s${why === null ? "" : `: ${why.message}`}`);
  }
}

/** Where documents of its kind are made. */
function collectionOf({ kind, apiVersion, metadata }: Manifest): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}/namespaces/${metadata.namespace ?? ""}/${kind.toLowerCase()}s`;
}

/** Names are random: what is there under one was made by a request whose answer was lost. */
async function makeOnce(api: ClusterApi, collection: string, manifest: Manifest): Promise<Stored> {
  try {
    return await api.create(collection, manifest);
  } catch (error) {
    if (error instanceof ClusterRefusalError && error.reason === "AlreadyExists")
      return await api.get(`${collection}/${manifest.metadata.name}`);
    throw error;
  }
}

/** Asks again until `until`, in monotonic milliseconds, as long as the cluster is out of reach, busy, or without room. */
async function persist<T>(ask: () => Promise<T>, until: number, onRefusal: (error: unknown) => void = () => {}): Promise<T> {
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    try {
      return await ask();
    } catch (error) {
      const wait = (error instanceof ClusterRefusalError ? error.retryAfterMs : null) ?? pause * (0.5 + Math.random() / 2);
      if (!mayPass(error) || performance.now() + wait > until) throw error;
      onRefusal(error);
      await sleep(wait);
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof ClusterUnreachableError) return true;
  return error instanceof ClusterRefusalError && (error.status === 429 || error.status >= 500 || isQuota(error));
}

function isQuota({ status, message }: ClusterRefusalError): boolean {
  return status === 403 && message.includes("exceeded quota");
}

/** What a cluster said, as those who asked for a sandbox are told. */
export function toSandboxError(error: unknown): SandboxError {
  if (error instanceof SandboxError) return error;
  if (error instanceof ClusterRefusalError && isQuota(error))
    return new SandboxError("no_capacity", `the tenant's quota is used up: ${error.message}`, error);
  if (error instanceof ClusterRefusalError) return new SandboxError("tier_unavailable", `the cluster refused: ${error.message}`, error);
  if (error instanceof ClusterUnreachableError) return new SandboxError("tier_unavailable", error.message, error);
  return new SandboxError("sandbox_failed", error instanceof Error ? error.message : String(error), error);
}

const ends: Readonly<Record<PodEnd, string>> = {
  memory: "the container ran out of memory before its run",
  disk: "the pod took more disk than it may",
  deadline: "the pod reached its deadline",
  completed: "the agent ended without a result",
  failed: "the container failed",
  refused: "the node had no room for the pod",
  moved: "the cluster took the pod away",
  lost: "the pod's node is lost",
  deleted: "the pod was deleted",
};

const programsDoing: Readonly<Partial<Record<PodEnd, EndReason>>> = { memory: "memory", disk: "disk", deadline: "timeout" };

/** Whatever its program has not done. */
function errorOfEnd(cause: PodEnd, message: string): SandboxError {
  return new SandboxError(cause === "refused" ? "no_capacity" : "sandbox_failed", `${ends[cause]}${message === "" ? "" : `: ${message}`}`);
}
