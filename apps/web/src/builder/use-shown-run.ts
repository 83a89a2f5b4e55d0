import type { NodeRun } from "@syla/contracts/node-runs";
import type { Run } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { syla } from "../app/api.ts";
import { followRun } from "../runs/follow-run.ts";
import { storeRun, useRun } from "../runs/queries.ts";
import { isLive } from "../runs/run-state.ts";
import { nodesKey, useRunNodes } from "./queries.ts";
import { withNodeRuns } from "./run-view.ts";

/** What is told within so many milliseconds is shown at once: a node may begin and end in one, and there may be a thousand. */
const gatheredMs = 40;

const nothing: readonly NodeRun[] = [];

/** A run that is shown on the canvas, as it goes on. */
export interface ShownRun {
  readonly run: Run | undefined;
  readonly nodes: readonly NodeRun[];
  readonly error: unknown;
}

/** Follows a run and its nodes; an empty id is none. */
export function useShownRun(id: string): ShownRun {
  const client = useQueryClient();
  const run = useRun(id);
  const nodes = useRunNodes(id);
  const live = run.data !== undefined && isLive(run.data);
  useEffect(() => {
    if (id === "" || !live) return;
    const stop = new AbortController();
    const told = new Map<string, NodeRun>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const showTold = () => {
      clearTimeout(timer);
      timer = undefined;
      const changed = [...told.values()];
      told.clear();
      client.setQueryData<readonly NodeRun[]>(nodesKey(id), (before) => withNodeRuns(before ?? [], changed));
    };
    const onEvent = (event: { readonly type: string }) => {
      if (event.type === "node" && "node" in event) {
        const node = event.node as NodeRun;
        told.set(node.path, node);
        timer ??= setTimeout(showTold, gatheredMs);
      }
      if (event.type === "status") void client.invalidateQueries({ queryKey: ["run", id], exact: true });
      if (event.type === "end" && "run" in event) {
        showTold();
        storeRun(client, event.run as Run);
        void client.invalidateQueries({ queryKey: nodesKey(id) });
      }
    };
    followRun(syla, id, { onEvent, onReconnecting: () => undefined }, stop.signal).catch(() => {
      if (!stop.signal.aborted) void client.invalidateQueries({ queryKey: ["run", id] });
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, live, client]);
  return { run: run.data, nodes: nodes.data ?? nothing, error: run.error ?? nodes.error };
}
