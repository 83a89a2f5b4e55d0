import { describe, expect, it } from "vitest";
import { fateOf } from "../../src/kubernetes/pod-fate.ts";
import type { Stored } from "../../src/kubernetes/cluster-api.ts";

/** Statuses as kubelets and controllers write them. */
function podWith(status: unknown): Stored {
  return { metadata: { name: "a", namespace: "b", uid: "c", resourceVersion: "1", labels: {} }, status };
}

function container(state: unknown): unknown {
  return { containerStatuses: [{ name: "sandbox", state }] };
}

describe("the fate of a pod", () => {
  it.each([
    ["is not scheduled yet", { phase: "Pending" }, { state: "waiting", trouble: null }],
    [
      "finds no room",
      {
        phase: "Pending",
        conditions: [
          { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available: 3 Insufficient cpu." },
        ],
      },
      {
        state: "waiting",
        trouble: { code: "no_capacity", final: false, message: "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu." },
      },
    ],
    [
      "waits for its secret",
      { phase: "Pending", ...(container({ waiting: { reason: "ContainerCreating" } }) as object) },
      { state: "waiting", trouble: null },
    ],
    [
      "has an image that is missing",
      { phase: "Pending", ...(container({ waiting: { reason: "ErrImagePull", message: "not found" } }) as object) },
      { state: "waiting", trouble: { code: "tier_unavailable", final: false } },
    ],
    [
      "has one that stays missing",
      { phase: "Pending", ...(container({ waiting: { reason: "ImagePullBackOff", message: "Back-off" } }) as object) },
      { state: "waiting", trouble: { code: "tier_unavailable", final: true, message: "ImagePullBackOff: Back-off" } },
    ],
    ["runs", { phase: "Running", ...(container({ running: { startedAt: "2026-01-01T00:00:00Z" } }) as object) }, { state: "running" }],
    [
      "ran out of memory",
      { phase: "Failed", ...(container({ terminated: { exitCode: 137, reason: "OOMKilled" } }) as object) },
      { state: "ended", cause: "memory" },
    ],
    [
      "ran out of memory while the kubelet has not caught up",
      { phase: "Running", ...(container({ terminated: { exitCode: 137, reason: "OOMKilled" } }) as object) },
      { state: "ended", cause: "memory" },
    ],
    [
      "took too much disk",
      { phase: "Failed", reason: "Evicted", message: "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. " },
      { state: "ended", cause: "disk" },
    ],
    [
      "took too much of a volume",
      { phase: "Failed", reason: "Evicted", message: 'Usage of EmptyDir volume "workspace" exceeds the limit "1Gi". ' },
      { state: "ended", cause: "disk" },
    ],
    [
      "was in the way of others",
      { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 92Mi." },
      { state: "ended", cause: "moved" },
    ],
    [
      "reached its deadline",
      { phase: "Failed", reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" },
      { state: "ended", cause: "deadline" },
    ],
    [
      "is on a node that is lost",
      {
        phase: "Running",
        conditions: [{ type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager", message: "Taint manager" }],
      },
      { state: "ended", cause: "lost" },
    ],
    [
      "is on a node that is lost, as old clusters say it",
      { phase: "Unknown", reason: "NodeLost", message: "Node n1 is unresponsive" },
      { state: "ended", cause: "lost" },
    ],
    [
      "is drained away",
      {
        phase: "Running",
        conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" }],
      },
      { state: "ended", cause: "moved" },
    ],
    [
      "was preempted",
      { phase: "Failed", reason: "Preempting", message: "Preempted in order to admit critical pod" },
      { state: "ended", cause: "moved" },
    ],
    [
      "is on a node that shuts down",
      { phase: "Failed", reason: "Terminated", message: "Pod was terminated in response to imminent node shutdown." },
      { state: "ended", cause: "moved" },
    ],
    [
      "was not let in",
      { phase: "Failed", reason: "OutOfcpu", message: "Node didn't have enough resource: cpu" },
      { state: "ended", cause: "refused" },
    ],
    [
      "failed",
      { phase: "Failed", ...(container({ terminated: { exitCode: 1, reason: "Error", message: "no python" } }) as object) },
      { state: "ended", cause: "failed", message: "Error: no python" },
    ],
    [
      "is done",
      { phase: "Succeeded", ...(container({ terminated: { exitCode: 0, reason: "Completed" } }) as object) },
      { state: "ended", cause: "completed" },
    ],
    ["says nothing", undefined, { state: "waiting", trouble: null }],
    ["says nonsense", { phase: 7, containerStatuses: "x" }, { state: "waiting", trouble: null }],
  ])("when it %s", (_, status, fate) => {
    expect(fateOf(podWith(status))).toMatchObject(fate);
  });

  it("is told in few words, whatever a container has written there", () => {
    const message = `\u001B[2J${"x".repeat(5000)}`;
    const fate = fateOf(podWith({ phase: "Failed", ...(container({ terminated: { exitCode: 1, reason: "Error", message } }) as object) }));
    expect(fate.state === "ended" && fate.message).toMatch(/^Error: \[2Jx{280,}$/);
    expect(fate.state === "ended" && fate.message.length).toBe(300);
  });
});
