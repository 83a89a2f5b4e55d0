import { NetworkPolicy, type SandboxNetwork } from "@syla/contracts/network";
import type { NetworkUsage } from "@syla/sandbox/egress/connection-log";
import { toConnection } from "../runs/service.ts";

/** A policy as its column holds it: a word, or a JSON document. */
export function writePolicy(policy: NetworkPolicy): string {
  return typeof policy === "string" ? policy : JSON.stringify(policy);
}

export function readPolicy(text: string): NetworkPolicy {
  return NetworkPolicy.parse(text.startsWith("{") ? JSON.parse(text) : text);
}

/** What a sandbox did with its network so far; null: it has none. */
export function toSandboxNetwork(policy: NetworkPolicy, used: NetworkUsage | null): SandboxNetwork {
  if (used === null) return { policy, usage: null, connections: [], omitted: 0 };
  const { log, open, ...counts } = used;
  return {
    policy,
    usage: { policy, ...counts },
    connections: log.map(toConnection),
    omitted: Math.max(0, counts.connections - open - log.length),
  };
}
