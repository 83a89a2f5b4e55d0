import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hostFiles, packageFolder, systemWords } from "@syla/sandbox/wall";
import type { Document, Store } from "./store.ts";

/** Runs the pods of a cluster that has one node: this machine. A container is a bubblewrap jail that sees the system of the machine, whatever its image is called. */

/** The host user of all containers where the tests run as root. */
const hostUser = 65_534;

interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  /** Nobody hears of its node any more. */
  lost: boolean;
}

export class Kubelet {
  /** Images that no registry has. */
  readonly missingImages = new Set<string>();
  /** Pods stay where they are: none is started. */
  holds = false;
  readonly #store: Store;
  readonly #running = new Map<string, Running>();
  readonly #pulls = new Map<string, NodeJS.Timeout>();

  constructor(store: Store) {
    this.#store = store;
    store.watch(() => void setImmediate(() => this.look())); // whoever else watches is told of what comes first, first
  }

  get processes(): number {
    return this.#running.size;
  }

  /** Does what has to be done now. */
  look(): void {
    if (!this.holds)
      for (const pod of this.#store.list("pods"))
        if (pod["status"]?.phase === "Pending" && pod.metadata.deletionTimestamp === undefined) this.#start(pod);
  }

  /** Ends a pod that is to be deleted, and has it removed when it has ended. */
  end(pod: Document): void {
    const running = this.#running.get(pod.metadata.uid);
    if (running === undefined) return this.#store.remove("pods", pod);
    if (!running.lost) running.child.kill("SIGKILL");
  }

  /** The cluster lets go of it, whatever its node does. */
  forget(pod: Document): void {
    this.#running.get(pod.metadata.uid)?.child.kill("SIGKILL");
    this.#store.remove("pods", pod);
  }

  /** As its kernel, or its kubelet, would. `status` is merged into the pod's. */
  kill(pod: Document, reason: string, status: Readonly<Record<string, unknown>> = {}): void {
    this.#set(pod, { phase: "Failed", containerStatuses: [terminated(137, reason)], ...status });
    this.#running.get(pod.metadata.uid)?.child.kill("SIGKILL");
  }

  lose(pod: Document): void {
    const running = this.#running.get(pod.metadata.uid);
    if (running !== undefined) running.lost = true;
    const message = "Taint manager: deleting due to NoExecute taint";
    pod.metadata.deletionTimestamp = new Date().toISOString();
    this.#set(pod, { conditions: [{ type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager", message }] });
  }

  stop(): void {
    this.holds = true;
    for (const timer of this.#pulls.values()) clearTimeout(timer);
    for (const { child, folder } of this.#running.values()) {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
    this.#running.clear();
  }

  #start(pod: Document): void {
    const { uid, namespace } = pod.metadata;
    if (this.#running.has(uid) || this.#pulls.has(uid)) return;
    const [container] = pod["spec"].containers;
    if (this.missingImages.has(container.image)) return this.#fail(pod, container.image);
    for (const { secret, configMap } of pod["spec"].volumes) {
      const [resource, wanted] = secret === undefined ? ["configmaps", configMap?.name] : ["secrets", secret.secretName];
      if (wanted !== undefined && this.#store.get(resource, namespace, wanted) === undefined) {
        if (pod["status"].containerStatuses === undefined) this.#set(pod, { containerStatuses: [waiting("ContainerCreating", "")] });
        return;
      }
    }
    this.#run(pod, container);
  }

  /** As a kubelet does: it says that it cannot, and then that it waits until it tries again. */
  #fail(pod: Document, image: string): void {
    const message = `failed to pull and unpack image "${image}": not found`;
    const timer = setTimeout(
      () => this.#set(pod, { containerStatuses: [waiting("ImagePullBackOff", `Back-off pulling image "${image}"`)] }),
      50,
    );
    this.#pulls.set(pod.metadata.uid, timer);
    this.#set(pod, { containerStatuses: [waiting("ErrImagePull", message)] });
  }

  #run(pod: Document, container: Document): void {
    const folder = mkdtempSync(join(tmpdir(), "syla-pod-"));
    const isRoot = process.getuid?.() === 0;
    chmodSync(folder, 0o755);
    const child = spawn("/usr/bin/bwrap", this.#words(pod, container, folder), {
      stdio: ["ignore", "ignore", "pipe"],
      env: {},
      cwd: "/",
      ...(isRoot ? { uid: hostUser, gid: hostUser } : {}),
    });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    const running = { child, folder, lost: false };
    this.#running.set(pod.metadata.uid, running);
    child.once("close", (code) => {
      this.#running.delete(pod.metadata.uid);
      rmSync(folder, { recursive: true, force: true });
      if (running.lost || this.#store.get("pods", pod.metadata.namespace, pod.metadata.name) !== pod) return;
      if (pod["status"].phase === "Running") {
        const phase = code === 0 ? "Succeeded" : "Failed";
        this.#set(pod, { phase, containerStatuses: [terminated(code ?? 137, code === 0 ? "Completed" : "Error", said)] });
      }
      if (pod.metadata.deletionTimestamp !== undefined) this.#store.remove("pods", pod);
    });
    this.#set(pod, {
      phase: "Running",
      conditions: [{ type: "PodScheduled", status: "True" }],
      containerStatuses: [{ name: "sandbox", state: { running: { startedAt: new Date().toISOString() } } }],
    });
  }

  #words(pod: Document, container: Document, folder: string): string[] {
    const user = String(pod["spec"].securityContext.runAsUser);
    const kinds = ["user", "pid", "ipc", "uts", "cgroup-try"].map((kind) => `--unshare-${kind}`);
    const words = [
      ...kinds,
      "--as-pid-1",
      "--uid",
      user,
      "--gid",
      user,
      "--die-with-parent",
      "--new-session",
      "--hostname",
      pod.metadata.name,
    ];
    words.push(...systemWords(join(packageFolder, "etc"), hostFiles), "--proc", "/proc", "--dev", "/dev");
    for (const { name, mountPath, readOnly } of container["volumeMounts"]) {
      const volume = pod["spec"].volumes.find((entry: { name: string }) => entry.name === name);
      if (volume.emptyDir?.medium === "Memory") words.push("--perms", "1777", "--tmpfs", mountPath);
      else words.push(readOnly === true ? "--ro-bind" : "--bind", this.#fill(pod, volume, join(folder, name)), mountPath);
    }
    words.push("--remount-ro", "/", "--clearenv");
    for (const { name, value } of container["env"]) words.push("--setenv", name, expand(value));
    return [...words, "--", ...container["command"].map(expand)];
  }

  /** The files of a volume, as a kubelet lays them out. */
  #fill(pod: Document, volume: Document, folder: string): string {
    mkdirSync(folder, { mode: 0o777 });
    chmodSync(folder, 0o777);
    if (process.getuid?.() === 0) chownSync(folder, hostUser, hostUser);
    const { configMap, secret } = volume;
    const { namespace } = pod.metadata;
    const source =
      configMap === undefined
        ? this.#store.get("secrets", namespace, secret?.secretName ?? "")
        : this.#store.get("configmaps", namespace, configMap.name);
    const data: Record<string, string> = { ...source?.["data"], ...source?.["stringData"] };
    const items: { key: string; path: string }[] = configMap?.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    for (const { key, path } of source === undefined ? [] : items) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), data[key] ?? "", { mode: (configMap ?? secret).defaultMode });
    }
    return folder;
  }

  #set(pod: Document, status: Readonly<Record<string, unknown>>): void {
    if (this.#store.get("pods", pod.metadata.namespace, pod.metadata.name) !== pod) return;
    pod["status"] = { ...pod["status"], ...status };
    this.#store.put("pods", pod);
  }
}

/** `$(NAME)` of a variable that is not there stays; `$$(` is `$(`. */
function expand(word: string): string {
  return word.replaceAll("$$(", "$(");
}

function waiting(reason: string, message: string): unknown {
  return { name: "sandbox", state: { waiting: { reason, message } } };
}

function terminated(exitCode: number, reason: string, message = ""): unknown {
  return { name: "sandbox", state: { terminated: { exitCode, reason, message } } };
}
