import { AppError } from "@syla/contracts/errors";
import type { QueueFigures, SandboxPool, Worker } from "@syla/contracts/workers";
import type { Accounts } from "../accounts/service.ts";
import type { Database } from "../platform/database.ts";
import { readQueueFigures, readRunsByWorker } from "../runs/figures/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { listRecentWorkers, setDrained } from "./store.ts";

type Owner = SandboxPool["jails"][number]["owner"];

/** The workers and the queue that they share. `ownId`: the worker that answers. */
export async function describeWorkers({ queries }: Database, ownId: string): Promise<{ items: Worker[]; queue: QueueFigures }> {
  const [rows, runs, queue] = await Promise.all([listRecentWorkers(queries), readRunsByWorker(queries), readQueueFigures(queries)]);
  const items = rows.map((row): Worker => ({
    id: row.id,
    hostname: row.hostname,
    pid: row.pid,
    version: row.version,
    state: row.stopped_at === null ? (row.expired ? "lost" : "live") : row.lost ? "lost" : "stopped",
    draining: (row.draining || row.drained_at !== null) && row.stopped_at === null,
    drainedAt: row.stopped_at === null ? (row.drained_at?.toISOString() ?? null) : null,
    current: row.id === ownId,
    slots: row.slots,
    runs: runs.get(row.id) ?? 0,
    startedAt: row.started_at.toISOString(),
    leaseUntil: row.lease_until.toISOString(),
    stoppedAt: row.stopped_at?.toISOString() ?? null,
  }));
  return { items, queue };
}

/** Has a worker take nothing for a while, or take runs again. @throws AppError `not_found` where none of that id lives */
export async function drainWorker(database: Database, id: string, isDrained: boolean, ownId: string): Promise<Worker> {
  const row = id.includes("\0") ? undefined : await setDrained(database.queries, id, isDrained);
  const worker = row && (await describeWorkers(database, ownId)).items.find((item) => item.id === id);
  if (worker === undefined) throw new AppError("not_found");
  return worker;
}

/** The pools of this process, with the people whom their jails belong to. */
export async function describePools(sandboxes: Pick<Sandboxes, "pools">, accounts: Pick<Accounts, "findUsers">): Promise<SandboxPool[]> {
  const pools = sandboxes.pools();
  const ids = new Set(pools.flatMap((pool) => pool.jails.map((jail) => ownerIdOf(jail.tenant))));
  ids.delete("");
  const owners = new Map<string, Owner>((ids.size === 0 ? [] : await accounts.findUsers([...ids])).map((user) => [user.id, user]));
  const findOwner = (id: string): Owner => (id === "" ? null : (owners.get(id) ?? { id, name: null, email: null }));
  return pools.map(({ tier, kind, spares, wantedSpares, jails }) => ({
    tier,
    kind,
    spares,
    wantedSpares,
    jails: jails.map(({ tenant, usedAt, ...jail }) => ({
      ...jail,
      owner: findOwner(ownerIdOf(tenant)),
      usedAt: new Date(usedAt).toISOString(),
    })),
  }));
}

/** A long-lived sandbox is a tenant of its own: its owner's id comes first. The server's own compilations have none. */
function ownerIdOf(tenant: string): string {
  return tenant.split("\0", 1)[0] ?? "";
}
