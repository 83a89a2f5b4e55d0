import { posix } from "node:path";
import type { Enforcers } from "./enforcers.ts";
import { PortUnreachableError } from "./relay/relay-server.ts";
import type { RunNetwork } from "./run-network.ts";
import { SandboxError, type EffectiveLimits, type RuntimeSpec, type SandboxLimits, type SandboxSpec } from "./spec.ts";
import { baseVariables, layersFolder } from "./wall.ts";

/** The agent where a run has a container to itself (`agent/pod.py`), as those tiers start it that have containers. */

/** How it gets to its host: a WebSocket, with files of a token and of whom to trust; null: over its standard input and output. */
export type AgentWay = { readonly address: string; readonly token: string; readonly authority: string | null } | null;

/** Its container holds memory and processors; nothing but its own limits holds the number of processes: those of a group cannot be told to it. */
export const containerEnforcers: Enforcers = {
  wallMs: "supervisor",
  cpus: "cgroup",
  memoryBytes: "cgroup",
  processes: "rlimit",
  openFiles: "rlimit",
  diskBytes: "supervisor",
  outputBytes: "supervisor",
};

/** The words that start it. `python`: for those whose programs are not forked from it. */
export function containerAgentWords(runtime: RuntimeSpec, session: boolean, way: AgentWay, python: string): string[] {
  const forks = runtime.pooling === "fork" && !session;
  const settings = {
    fork: forks,
    session,
    preimport: session ? [] : runtime.preimport,
    env: baseVariables(runtime),
    denied: [],
    connect: way,
  };
  return [...(forks ? [runtime.binary] : [python, "-E", "-S"]), "/agent/pod.py", JSON.stringify(settings)];
}

/** A language as images have it: whatever its programs are called is found by their names. */
export function runtimeInImage(runtime: RuntimeSpec): RuntimeSpec {
  return { ...startedAfresh(runtime), binary: posix.basename(runtime.binary), mounts: [] };
}

/** Nothing is booted ahead in a container that is made for one run. */
export function startedAfresh(runtime: RuntimeSpec): RuntimeSpec {
  return runtime.pooling === "preboot" ? { ...runtime, pooling: "cold" } : runtime;
}

/** Limits as they are in force. `agentBytes`: memory that the container has for the agent, and nobody keeps its program from. */
export function containerLimits(limits: SandboxLimits, agentBytes: number): EffectiveLimits {
  const inForce = { ...limits, memoryBytes: limits.memoryBytes + agentBytes };
  const entries = Object.entries(containerEnforcers).map(([name, enforcedBy]) => [
    name,
    { value: inForce[name as keyof SandboxLimits], enforcedBy },
  ]);
  return Object.fromEntries(entries) as EffectiveLimits;
}

/** @throws SandboxError `network_unavailable` */
export function refuseNetwork(tier: string, { network = "none", ports }: Pick<SandboxSpec, "network" | "ports">): void {
  if (network !== "none" || ports === true)
    throw new SandboxError("network_unavailable", `sandboxes of the ${tier} tier have no network and no ports: choose the namespace tier`);
}

/** @throws SandboxError `tier_unavailable` */
export function refuseLayers(tier: string, { prefix }: RuntimeSpec, env: Readonly<Record<string, string>>): void {
  if ([prefix ?? "", ...Object.values(env)].some((value) => value.includes(`${layersFolder}/`)))
    throw new SandboxError("tier_unavailable", `the ${tier} tier cannot show the packages of programs: choose the namespace tier`);
}

export function noPorts(tier: string): RunNetwork {
  return {
    connect: () => Promise.reject(new PortUnreachableError(`sandboxes of the ${tier} tier have no ports`)),
    usage: () => null,
    close: () => Promise.resolve(),
  };
}
