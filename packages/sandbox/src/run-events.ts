import type { SlotStats } from "./cgroups.ts";
import type { AgentExit, SandboxConnection } from "./connection.ts";
import type { DiskGuard } from "./disk-guard.ts";
import type { Place } from "./place.ts";
import type { RunNetwork } from "./run-network.ts";
import { SandboxError, type SandboxEvent, type SandboxExit, type SandboxSpec } from "./spec.ts";
import { Watchdog } from "./watchdog.ts";

const sigterm = 15;

/** Adds to the agent's events what only the host knows, and gives the sandbox back at the end, whatever happens. */
export async function* runEvents(
  place: Place,
  spec: SandboxSpec,
  network: Pick<RunNetwork, "close"> | null,
  disk: Pick<DiskGuard, "watch">,
): AsyncGenerator<SandboxEvent> {
  const { connection } = place;
  let again = false;
  const watch = disk.watch(spec.limits.diskBytes, () => connection.look());
  const watchdog = new Watchdog(spec, () => void place.end());
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
      yield event.type === "agent-exit" ? toExit(event.exit, await place.stats()) : event;
      watchdog.waits();
      if (event.type === "agent-exit") return;
    }
  } catch (error) {
    await place.stats(); // not the next run's
    if (!watchdog.overdue) throw error;
    throw new SandboxError(
      "sandbox_failed",
      "the sandbox did not end at its time limit and was destroyed with all that is around it",
      error,
    );
  } finally {
    watch.stop();
    watchdog.stop();
    let isClean = false;
    try {
      await network?.close(); // before the slot is another run's
      isClean = true;
    } finally {
      place.release(again && isClean);
    }
  }
}

/** SIGTERM to every process, and an end after the grace time. */
export function cancelRun(connection: SandboxConnection, graceMs: number): void {
  connection.signal(sigterm);
  setTimeout(() => connection.kill("cancelled"), graceMs).unref(); // nothing to one that is over
}

function toExit(exit: AgentExit, stats: SlotStats | null): SandboxExit {
  const { maxRssBytes, last: _, ...rest } = exit;
  const killed = stats !== null && stats.oomKills > 0;
  const outOfMemory = exit.reason === "memory" || (killed && exit.exitCode !== 0);
  return { type: "exit", ...rest, outOfMemory, peakMemoryBytes: stats?.peakMemoryBytes ?? maxRssBytes };
}
