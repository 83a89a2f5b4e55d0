import type { Run, RunEvent } from "@syla/sdk";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useClient } from "../app/client.ts";
import { createLogBuffer, type LogBuffer } from "../ui/log/log-buffer.ts";
import { followRun } from "./follow-run.ts";
import { storeRun } from "./queries.ts";

/** A run's log as it comes, and how its connection is. */
export interface RunLog {
  readonly buffer: LogBuffer;
  readonly reconnecting: boolean;
  readonly error: unknown;
  readonly retry: () => void;
}

/** Follows a run: its lines go into a buffer, its status into the cache that the rest of the page reads. */
export function useRunLog(id: string): RunLog {
  const client = useQueryClient();
  const { syla } = useClient();
  // A buffer belongs to one run.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const buffer = useMemo(() => createLogBuffer(), [id]);
  const [reconnecting, setReconnecting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (id === "") return;
    const stop = new AbortController();
    buffer.clear();
    setError(null);
    const take = createEventSink(client, id, buffer);
    followRun(syla, id, { onEvent: take, onReconnecting: setReconnecting }, stop.signal).catch((reason: unknown) => {
      if (stop.signal.aborted) return;
      setError(reason);
      void client.invalidateQueries({ queryKey: ["run", id] }); // it may be gone, or no longer ours to see
    });
    return () => stop.abort();
  }, [syla, id, buffer, client, attempt]);

  return { buffer, reconnecting, error, retry: () => setAttempt((count) => count + 1) };
}

function createEventSink(client: QueryClient, id: string, buffer: LogBuffer): (event: RunEvent) => void {
  return (event) => {
    buffer.take(event);
    if (event.type === "status") patchStatus(client, id, event);
    if (event.type !== "end") return;
    buffer.end();
    storeRun(client, event.run);
  };
}

/** The replay of a finished run's events must not make it look alive again. */
function patchStatus(client: QueryClient, id: string, event: Extract<RunEvent, { type: "status" }>): void {
  const known = client.getQueryData<Run>(["run", id]);
  if (!known || known.finishedAt !== null) return;
  const at = Date.parse(event.time);
  const queueMs = known.timings.queueMs ?? (event.status === "starting" ? at - Date.parse(known.createdAt) : null);
  const started = event.status === "running" && known.startedAt === null;
  const startMs = known.timings.startMs ?? (started ? Math.max(0, at - Date.parse(known.createdAt) - (queueMs ?? 0)) : null);
  const next: Run = {
    ...known,
    status: event.status,
    phase: event.phase,
    attempt: event.attempt,
    startedAt: started ? event.time : known.startedAt,
    timings: { ...known.timings, queueMs, startMs },
  };
  client.setQueryData<Run>(["run", id], next);
}
