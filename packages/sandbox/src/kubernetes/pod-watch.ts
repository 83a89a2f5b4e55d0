import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterApi, ClusterRefusalError, type Stored } from "./cluster-api.ts";

/** On every pod of ours, and on the jobs that have one: what its sandbox is called. */
export const sandboxLabel = "syla/sandbox";
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** Told of a pod whenever the cluster has it otherwise than before; null: it is gone. */
export type PodListener = (pod: Stored | null) => void;

/**
 * One watch for all pods of this server. It goes on from where it was cut; what happened when the cluster does not remember that any more is found by
 * a list.
 */
export class PodWatch {
  readonly #api: ClusterApi;
  readonly #labels: string;
  readonly #pods = new Map<string, Stored>();
  readonly #listeners = new Map<string, PodListener>();
  readonly #stop = new AbortController();
  readonly #listed = Promise.withResolvers<void>();
  readonly #watching: Promise<void>;
  /** Null: it has to be listed. */
  #version: string | null = null;
  #failures = 0;

  constructor(api: ClusterApi, labels: string) {
    this.#api = api;
    this.#labels = labels;
    this.#listed.promise.catch(() => {});
    this.#watching = this.#follow();
  }

  /** Resolves when it has been listed once. */
  get listed(): Promise<void> {
    return this.#listed.promise;
  }

  /** Calls `listener` with what is known of the sandbox's pod, and with each change, until the function that it returns is called. */
  follow(sandbox: string, listener: PodListener): () => void {
    this.#listeners.set(sandbox, listener);
    const known = this.#pods.get(sandbox);
    if (known !== undefined) listener(known);
    return () => void this.#listeners.delete(sandbox);
  }

  /** Pods that nobody follows. */
  strays(): Stored[] {
    return [...this.#pods].filter(([sandbox]) => !this.#listeners.has(sandbox)).map(([, pod]) => pod);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#list();
        for await (const { type, object } of this.#api.watch("/api/v1/pods", this.#labels, this.#version, signal)) {
          this.#failures = 0;
          if (object.metadata.resourceVersion !== "") this.#version = object.metadata.resourceVersion;
          if (type !== "BOOKMARK") this.#put(object, type === "DELETED");
        }
      } catch (error) {
        if (error instanceof ClusterRefusalError && (error.status === 410 || error.reason === "Expired")) this.#version = null;
        this.#failures += 1;
      }
      // Also after one that ended in peace: a server that ends each at once is not asked without a pause.
      const pause = Math.min(firstPauseMs * 2 ** Math.max(0, this.#failures - 1), longestPauseMs);
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
    this.#listed.reject(new Error("the watch was stopped"));
  }

  async #list(): Promise<string> {
    const { items, version } = await this.#api.list("/api/v1/pods", this.#labels);
    const found = new Set(items.map((pod) => pod.metadata.labels[sandboxLabel]));
    for (const [sandbox, pod] of this.#pods) if (!found.has(sandbox)) this.#put(pod, true);
    for (const pod of items) this.#put(pod, false);
    this.#failures = 0;
    this.#listed.resolve();
    return version;
  }

  #put(pod: Stored, isGone: boolean): void {
    const sandbox = pod.metadata.labels[sandboxLabel];
    if (sandbox === undefined) return;
    if (isGone) this.#pods.delete(sandbox);
    else this.#pods.set(sandbox, pod);
    this.#listeners.get(sandbox)?.(isGone ? null : pod);
  }
}
