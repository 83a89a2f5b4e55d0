import type { SlotStats } from "./cgroups.ts";
import type { AgentExit } from "./connection.ts";
import type { DiskGuard } from "./disk-guard.ts";
import { bootLimits } from "./plan.ts";
import type { Lease } from "./pool.ts";
import type { RunNetwork } from "./run-network.ts";
import { SandboxError, type SandboxEvent, type SandboxExit, type SandboxSpec } from "./spec.ts";
import { Watchdog } from "./watchdog.ts";

/** Adds to the agent's events what only the host knows, and gives the sandbox back at the end, whatever happens. */
export async function* runEvents(
  lease: Lease,
  spec: SandboxSpec,
  network: RunNetwork | null,
  disk: DiskGuard,
): AsyncGenerator<SandboxEvent> {
  const { jail, connection } = lease;
  let again = false;
  const watch = disk.watch(spec.limits.diskBytes, () => connection.look());
  const watchdog = new Watchdog(spec, () => void jail.end());
  const stats = () => jail.cgroup?.stats(connection.slot) ?? null;
  try {
    for await (const event of connection.events()) {
      if (event.type === "paused") continue; // of sessions only
      if (event.type === "dormant") {
        watch.sleeps(event.diskBytes);
        continue;
      }
      watch.wakes();
      watchdog.saw(event);
      if (event.type === "agent-exit") await network?.close();
      again = event.type === "agent-exit" && !event.exit.last;
      yield event.type === "agent-exit" ? toExit(event.exit, stats()) : event;
      watchdog.waits();
      if (event.type === "agent-exit") return;
    }
  } catch (error) {
    stats(); // not the next run's
    if (!watchdog.overdue) throw error;
    throw new SandboxError("sandbox_failed", "the sandbox did not end at its time limit and was destroyed with its jail", error);
  } finally {
    watch.stop();
    watchdog.stop();
    let isClean = false;
    try {
      await network?.close(); // before the slot is another run's
      // The next interpreter of the slot boots in the same group, and is not bound by what this run was.
      if (spec.runtime.pooling === "preboot") jail.cgroup?.limit(connection.slot, bootLimits);
      isClean = true;
    } finally {
      lease.release(again && isClean);
    }
  }
}

function toExit(exit: AgentExit, stats: SlotStats | null): SandboxExit {
  const { maxRssBytes, last: _, ...rest } = exit;
  const killed = stats !== null && stats.oomKills > 0;
  const outOfMemory = exit.reason === "memory" || (killed && exit.exitCode !== 0);
  return { type: "exit", ...rest, outOfMemory, peakMemoryBytes: stats?.peakMemoryBytes ?? maxRssBytes };
}
