import type { RunEvent, Syla } from "@syla/sdk";

/** How the reader of a run's events is told what happens. */
export interface RunFollower {
  readonly onEvent: (event: RunEvent) => void;
  readonly onReconnecting: (reconnecting: boolean) => void;
}

/**
 * Reads a run's events to the end, each once and in order. The SDK resumes lost connections; what only a page can know is that
 * it slept: a tab that was hidden or a machine that was suspended holds a connection that looks alive and is not.
 */
export async function followRun(syla: Pick<Syla, "runs">, id: string, follower: RunFollower, signal: AbortSignal): Promise<void> {
  let last = 0;
  while (!signal.aborted) {
    const connection = new AbortController();
    const stopWatching = watchForWaking(() => connection.abort());
    try {
      const events = syla.runs.events(id, {
        lastEventId: last,
        signal: AbortSignal.any([signal, connection.signal]),
        onReconnect: () => follower.onReconnecting(true),
        onConnect: () => follower.onReconnecting(false),
      });
      for await (const event of events) {
        if (event.seq <= last) continue;
        last = event.seq;
        follower.onEvent(event);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!connection.signal.aborted) throw error;
    } finally {
      stopWatching();
    }
  }
}

/** A pause of our own timer that is longer than this means that the machine slept. */
const sleptMs = 20_000;
const tickMs = 5000;

function watchForWaking(onWake: () => void): () => void {
  let lastTick = Date.now();
  let hiddenAt: number | null = document.hidden ? lastTick : null;
  const onVisibility = () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (hiddenAt !== null && Date.now() - hiddenAt > sleptMs) onWake();
    else hiddenAt = null;
  };
  const timer = setInterval(() => {
    const now = Date.now();
    // Hidden tabs get a timer once a minute at best: that alone is no sleep.
    if (!document.hidden && now - lastTick > sleptMs + tickMs) onWake();
    lastTick = now;
  }, tickMs);
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", onWake);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", onWake);
  };
}
