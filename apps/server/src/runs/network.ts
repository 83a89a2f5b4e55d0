import { AppError } from "@syla/contracts/errors";
import type { NetworkConnection, NetworkPolicy, RunNetwork } from "@syla/contracts/network";
import type { NetworkConnection as EngineConnection } from "@syla/sandbox/egress/connection-log";
import type { Actor } from "../access/actor.ts";
import { can } from "../access/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import type { RunConfig } from "./config.ts";
import type { RunResult } from "./result.ts";

/** Checks that a run may have this network, and can. @throws AppError `forbidden`, `network_unavailable` */
export function requireNetwork(actor: Actor, policy: NetworkPolicy, sandboxes: Pick<Sandboxes, "hasGateway">, models: number): void {
  const fields = [{ path: "network", message: `${JSON.stringify(policy)} cannot be had` }];
  if (policy === "full" && !can(actor, "run:full-network"))
    throw new AppError("forbidden", {
      message: "Only administrators may run with the whole network.",
      hint: 'Name the hosts that the program needs: {"network": {"allow": ["example.org"]}}, or `--allow-domain` in the command line.',
      fields,
    });
  if (policy === "gateway" && !sandboxes.hasGateway)
    throw new AppError("network_unavailable", { message: "This server has no model gateway.", fields });
  if (policy === "gateway" && models === 0)
    throw new AppError("network_unavailable", {
      message: "The model gateway is reached by runs that name their models.",
      hint: "Name them: `models`, or `--model` in the command line.",
      fields: [{ path: "network", message: "needs `models`" }],
    });
}

/** A connection as it is stored and shown. */
export function toConnection({ at, ms, ...facts }: EngineConnection): NetworkConnection {
  return { ...facts, startedAt: new Date(at).toISOString(), ms: Math.max(0, Math.round(ms)) };
}

/** What a run did with its network. `connections`: those that were kept. */
export function toRunNetwork(config: RunConfig, result: RunResult | null, connections: NetworkConnection[]): RunNetwork {
  const usage = result?.usage?.network ?? null;
  return { policy: config.network, usage, connections, omitted: Math.max(0, (usage?.connections ?? 0) - connections.length) };
}

/** Whether everything that one policy lets through another does, too. The gateway alone is no network: who may call a model is decided there. */
export function allowsNetwork(most: NetworkPolicy, wish: NetworkPolicy): boolean {
  if (wish === "none" || wish === "gateway" || most === "full") return true;
  if (wish === "full" || typeof most === "string") return false;
  const hosts = new Set(most.allow);
  return wish.allow.every((host) => hosts.has(host));
}
