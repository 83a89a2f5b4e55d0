import { z } from "zod";
import type { SandboxErrorCode } from "../spec.ts";
import type { Stored } from "./cluster-api.ts";

/** What has become of a pod, as its status tells. */
export type Fate =
  | { readonly state: "waiting"; readonly trouble: Trouble | null }
  | { readonly state: "running" }
  | { readonly state: "ended"; readonly cause: PodEnd; readonly message: string };

/** Why it does not begin. `final`: that will not pass by itself. */
export interface Trouble {
  readonly code: SandboxErrorCode;
  readonly message: string;
  readonly final: boolean;
}

/**
 * The first three are the program's doing. `refused`: its node had no room for it after all; `moved`: the cluster took its place away from it;
 * `lost`: nobody hears of its node; `deleted`: somebody did that.
 */
export type PodEnd = "memory" | "disk" | "deadline" | "completed" | "failed" | "refused" | "moved" | "lost" | "deleted";

const Terminated = z.looseObject({ exitCode: z.int().default(0), reason: z.string().default(""), message: z.string().default("") });
const State = z.looseObject({
  waiting: z.looseObject({ reason: z.string().default(""), message: z.string().default("") }).optional(),
  running: z.unknown().optional(),
  terminated: Terminated.optional(),
});
const Condition = z.looseObject({ type: z.string(), status: z.string(), reason: z.string().default(""), message: z.string().default("") });
const Status = z.looseObject({
  phase: z.string().default("Pending"),
  reason: z.string().default(""),
  message: z.string().default(""),
  conditions: z.array(Condition).nullish(),
  containerStatuses: z.array(z.looseObject({ state: State.optional() })).nullish(),
});
type Status = z.infer<typeof Status>;

/** By what a container that waits says: whether that passes. Those of an image are tried again by the node, once for all pods. */
const waits: Readonly<Record<string, boolean>> = {
  ErrImagePull: false,
  ImagePullBackOff: true,
  InvalidImageName: true,
  ErrImageNeverPull: true,
  ImageInspectError: true,
  CreateContainerError: true,
  RunContainerError: true,
  CreateContainerConfigError: false, // its secret is on its way
};
/** Reasons of a pod that a node did not take: `OutOfcpu`, `OutOfpods` and so on. */
const outOf = /^(?:OutOf|UnexpectedAdmissionError|NodeAffinity|Topology)/;
const lost = new Set(["NodeLost", "DeletionByTaintManager", "DeletionByPodGC"]);
const longestMessage = 300;

/** A pod that says nothing that is understood is one that waits. */
export function fateOf(pod: Stored): Fate {
  const parsed = Status.safeParse(pod["status"]);
  if (!parsed.success) return { state: "waiting", trouble: null };
  const status = parsed.data;
  const end = endOf(status);
  if (end !== null) return { state: "ended", cause: end, message: messageOf(status) };
  const states = (status.containerStatuses ?? []).map(({ state }) => state);
  if (states.some((state) => state?.running !== undefined)) return { state: "running" };
  return { state: "waiting", trouble: troubleOf(status, states) };
}

function endOf(status: Status): PodEnd | null {
  const disruption = status.conditions?.find(({ type, status: is }) => type === "DisruptionTarget" && is === "True");
  if (lost.has(status.reason) || (disruption !== undefined && lost.has(disruption.reason))) return "lost";
  const terminated = status.containerStatuses?.map(({ state }) => state?.terminated).find((end) => end !== undefined);
  const isOver = status.phase === "Failed" || status.phase === "Succeeded";
  // What the container said comes before what became of the pod after it.
  if (terminated?.reason === "OOMKilled") return "memory";
  if (status.reason === "DeadlineExceeded") return "deadline";
  // A limit of the pod's own was exceeded; else its node had too little for all.
  if (status.reason === "Evicted" && /exceed/i.test(status.message)) return "disk";
  if (status.reason === "Evicted" || disruption !== undefined || /^(?:Preempt|Terminated|NodeShutdown|Shutdown)/.test(status.reason))
    return isOver || disruption !== undefined ? "moved" : null;
  if (outOf.test(status.reason)) return "refused";
  if (status.phase === "Succeeded" || (terminated !== undefined && terminated.exitCode === 0)) return "completed";
  return isOver || terminated !== undefined ? "failed" : null;
}

function troubleOf(status: Status, states: readonly (z.infer<typeof State> | undefined)[]): Trouble | null {
  for (const state of states) {
    const { reason = "", message = "" } = state?.waiting ?? {};
    const final = waits[reason];
    if (final !== undefined) return { code: "tier_unavailable", message: cut(`${reason}: ${message}`), final };
  }
  const scheduled = status.conditions?.find(({ type, status: is }) => type === "PodScheduled" && is === "False");
  if (scheduled === undefined) return null;
  return { code: "no_capacity", message: cut(`${scheduled.reason}: ${scheduled.message}`), final: false };
}

function messageOf(status: Status): string {
  const terminated = status.containerStatuses?.map(({ state }) => state?.terminated).find((end) => end !== undefined);
  const disruption = status.conditions?.find(({ type }) => type === "DisruptionTarget");
  const words = [status.reason, status.message, disruption?.reason, disruption?.message, terminated?.reason, terminated?.message];
  return cut(words.filter((word) => word !== undefined && word !== "").join(": "));
}

/** A container may write into it what it likes. */
function cut(text: string): string {
  return text.replaceAll(/[^\n\x20-\x7e]/g, "").slice(0, longestMessage);
}
