import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster } from "@syla/testkit/kubernetes/test-cluster";
import { afterAll, describe, expect, it } from "vitest";
import { collect, python, runIn, specOf, startBeside, type Companion } from "../sandbox-driver.ts";
import { SandboxError, type SandboxExit } from "../../src/spec.ts";
import { createPods, gibibyte, type TestPods } from "./pods.ts";
import type { KubernetesTierOptions } from "../../src/kubernetes/kubernetes-tier.ts";

/** What a cluster can do to a run, and what is said of that run then. */

const image = "registry.example.org/syla/python:3.11";
const hold = "import time\nprint('here', flush=True)\ntime.sleep(1000)";
const finishing = "import time\nprint('here', flush=True)\ntime.sleep(1.5)\nprint('done')";
const table: { fault: string; outcome: string; left: string }[] = [];

function outcomeOf(result: unknown): string {
  if (result instanceof SandboxError) return `${result.code}: ${result.message}`;
  if (result instanceof Error) return `unexpected: ${result.message}`;
  const { exitCode, signal, reason, outOfMemory } = result as SandboxExit;
  return `program: exit ${exitCode ?? "-"}, signal ${signal ?? "-"}, reason ${reason ?? "-"}${outOfMemory ? ", out of memory" : ""}`;
}

async function leftIn({ cluster }: TestPods): Promise<string> {
  const count = () =>
    cluster.pods().length + cluster.store.list("secrets").length + cluster.store.list("jobs").length + cluster.kubelet.processes;
  for (let tries = 0; tries < 300 && count() > 0; tries += 1) await sleep(50);
  return count() === 0 ? "nothing" : `${count()}`;
}

interface Fault {
  readonly fault: string;
  readonly options?: Partial<KubernetesTierOptions>;
  /** Before the run is asked for. */
  readonly before?: (pods: TestPods) => Promise<void> | void;
  /** When its program has said that it is there. */
  readonly during?: (cluster: TestCluster, run: Companion) => Promise<void> | void;
  readonly program?: string;
  /** When it is over, for what is to be removed then. */
  readonly after?: (cluster: TestCluster) => Promise<void> | void;
  readonly outcome: RegExp;
}

const onlyPod = (cluster: TestCluster) => {
  const [pod] = cluster.pods();
  if (pod === undefined) throw new Error("there is no pod");
  return pod;
};
const status = (code: number, reason: string, message: string) => ({ code, reason, message });

const faults: readonly Fault[] = [
  { fault: "none", outcome: /^program: exit 0/ },
  {
    fault: "API server down at the start",
    options: { bootMs: 1500 },
    before: ({ cluster }) => cluster.down(),
    after: (cluster) => cluster.up(),
    outcome: /^tier_unavailable: the cluster cannot be reached/,
  },
  {
    fault: "API server down between two runs, and back in time",
    before: async ({ cluster, tier }) => {
      await runIn(tier, python, "1");
      await cluster.down();
      setTimeout(() => void cluster.up(), 1000);
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "API server down during the run",
    program: finishing,
    during: async (cluster) => {
      await cluster.down();
      setTimeout(() => void cluster.up(), 2500);
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "watch cut again and again",
    program: finishing,
    during: async (cluster) => {
      for (let n = 0; n < 5; n += 1) {
        cluster.cutWatches();
        await sleep(150);
      }
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "watch cut, its version forgotten (410), the container out of memory meanwhile",
    during: async (cluster) => {
      const pod = onlyPod(cluster);
      cluster.refuse = (method, path) =>
        method === "GET" && path === "/api/v1/pods" ? status(503, "ServiceUnavailable", "not now") : null;
      cluster.cutWatches();
      cluster.kubelet.kill(pod, "OOMKilled");
      cluster.store.forget();
      await sleep(300);
      cluster.refuse = () => null;
    },
    outcome: /^program: exit -, signal 9, reason memory, out of memory$/,
  },
  {
    fault: "API server busy (429, then 500)",
    before: ({ cluster }) => {
      let left = 4;
      cluster.refuse = (method, path) =>
        method === "POST" && path.endsWith("/pods") && left-- > 0 ? status(left % 2 === 0 ? 429 : 500, "TooManyRequests", "later") : null;
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "answer to the creation lost (then 409)",
    before: ({ cluster }) => {
      let left = 1;
      cluster.loseAnswer = (method, path) => method === "POST" && path.endsWith("/pods") && left-- > 0;
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "not allowed (403)",
    before: ({ cluster }) =>
      void (cluster.refuse = (method, path) =>
        method === "POST" && path.endsWith("/pods")
          ? status(403, "Forbidden", 'pods is forbidden: User "syla" cannot create resource "pods"')
          : null),
    outcome: /^tier_unavailable: the cluster refused: pods is forbidden/,
  },
  {
    fault: "credentials not valid (401)",
    before: ({ cluster }) => void (cluster.refuse = () => status(401, "Unauthorized", "Unauthorized")),
    after: (cluster) => void (cluster.refuse = () => null),
    outcome: /^tier_unavailable: the cluster refused: Unauthorized/,
  },
  {
    fault: "quota full",
    options: { bootMs: 1500, quota: { pods: 0, cpus: 1, memoryBytes: gibibyte, diskBytes: gibibyte } },
    outcome: /^no_capacity: the tenant's quota is used up: .*exceeded quota/,
  },
  {
    fault: "quota full, and free in time",
    options: { quota: { pods: 1, cpus: 10, memoryBytes: 10 * gibibyte, diskBytes: 10 * gibibyte } },
    before: async ({ tier }) => {
      const first = await startBeside(tier, python, finishing);
      await first.printed("here");
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "no node with room",
    options: { bootMs: 1500 },
    before: ({ cluster }) => {
      cluster.kubelet.holds = true;
    },
    outcome: /^no_capacity: the pod was not there after 2 s/,
  },
  {
    fault: "image missing",
    before: ({ cluster }) => void cluster.kubelet.missingImages.add(image),
    outcome: /^tier_unavailable: the pod cannot start: ImagePullBackOff/,
  },
  {
    fault: "namespace deleted by somebody",
    before: async ({ cluster, tier }) => {
      await runIn(tier, python, "1");
      for (const namespace of cluster.store.list("namespaces")) cluster.store.remove("namespaces", namespace);
      await runIn(tier, python, "1").catch(() => {});
    },
    outcome: /^program: exit 0/,
  },
  {
    fault: "node lost",
    during: (cluster) => cluster.kubelet.lose(onlyPod(cluster)),
    outcome: /^sandbox_failed: the pod's node is lost: .*DeletionByTaintManager/,
  },
  {
    fault: "pod evicted for its node's sake",
    during: (cluster) =>
      cluster.kubelet.kill(onlyPod(cluster), "Error", { reason: "Evicted", message: "The node was low on resource: memory." }),
    outcome: /^sandbox_failed: the cluster took the pod away: Evicted/,
  },
  {
    fault: "pod evicted for its own disk",
    during: (cluster) =>
      cluster.kubelet.kill(onlyPod(cluster), "Error", {
        reason: "Evicted",
        message: "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
      }),
    outcome: /^program: exit -, signal 9, reason disk$/,
  },
  {
    fault: "container out of memory",
    during: (cluster) => cluster.kubelet.kill(onlyPod(cluster), "OOMKilled"),
    outcome: /^program: exit -, signal 9, reason memory, out of memory$/,
  },
  {
    fault: "container failed",
    during: (cluster) => cluster.kubelet.kill(onlyPod(cluster), "Error"),
    outcome: /^sandbox_failed: the container failed: Error/,
  },
  {
    fault: "pod deleted by somebody",
    during: (cluster) => cluster.kubelet.forget(onlyPod(cluster)),
    outcome: /^sandbox_failed: the pod was deleted/,
  },
];

describe("a cluster that fails", () => {
  it.each(faults)("by: $fault", { timeout: 60_000 }, async ({ fault, options, before, during, program, after, outcome }) => {
    await using pods = await createPods(options);
    await before?.(pods);
    let result: unknown;
    try {
      if (during === undefined) result = (await collect(await pods.tier.start(specOf(python, "print(1)")))).exit;
      else {
        const run = await startBeside(pods.tier, python, program ?? hold);
        await run.printed("here");
        run.result.catch(() => {});
        await during(pods.cluster, run);
        result = (await run.result).exit;
      }
    } catch (error) {
      result = error;
    }
    await after?.(pods.cluster);
    const left = await leftIn(pods);
    table.push({ fault, outcome: outcomeOf(result), left });
    expect(outcomeOf(result)).toMatch(outcome);
    expect(left).toBe("nothing");
  });

  afterAll(() => {
    const width = Math.max(...table.map(({ fault }) => fault.length));
    const rows = table.map(({ fault, outcome, left }) => `${fault.padEnd(width)} | left: ${left} | ${outcome.slice(0, 110)}`);
    process.stdout.write(`\n${rows.join("\n")}\n`);
  });
});
