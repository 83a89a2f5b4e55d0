import type { EnvironmentEvent, EnvironmentImageEvent } from "@syla/sdk";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { syla } from "../app/api.ts";
import { createLogBuffer, type LogBuffer } from "../ui/log/log-buffer.ts";
import { storeEnvironment } from "./queries.ts";

type BuildEvent = EnvironmentEvent | EnvironmentImageEvent;

interface BuildLog {
  readonly buffer: LogBuffer;
  readonly reconnecting: boolean;
  readonly error: unknown;
}

/** The log of a build as it comes. `build` tells one build of an environment from the next. */
export function useBuildLog(id: string, build: string): BuildLog {
  return useLog("events", id, build);
}

/** The log of an image as it comes. */
export function useImageLog(id: string, build: string): BuildLog {
  return useLog("images", id, build);
}

function useLog(kind: "events" | "images", id: string, build: string): BuildLog {
  const client = useQueryClient();
  // A buffer belongs to one build.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const buffer = useMemo(() => createLogBuffer(), [kind, id, build]);
  const [reconnecting, setReconnecting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    const follow = async () => {
      const options = { signal: stop.signal, onReconnect: () => setReconnecting(true), onConnect: () => setReconnecting(false) };
      const events: AsyncIterable<BuildEvent> =
        kind === "events" ? syla.environments.events(id, options) : syla.environments.images.events(id, options);
      for await (const event of events) {
        if (event.type === "log") buffer.append("stdout", event.time, event.text);
        else if (event.type === "end") {
          buffer.end();
          storeEnd(client, event);
        }
      }
    };
    follow().catch((reason: unknown) => (stop.signal.aborted ? undefined : setError(reason)));
    return () => stop.abort();
  }, [kind, id, build, buffer, client]);
  return { buffer, reconnecting, error };
}

function storeEnd(client: QueryClient, event: Extract<BuildEvent, { type: "end" }>): void {
  if ("image" in event) client.setQueryData(["environment", event.image.environmentId, "image"], event.image);
  else storeEnvironment(client, event.environment);
}
