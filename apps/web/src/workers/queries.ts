import type { Queue, SandboxPool, WorkersReport } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { errorCode } from "../ui/describe-error.ts";

const everyMs = 2000;
/** So many runs of each kind are listed. */
const listed = 50;
/** How far back the charts go. */
export const historyMs = 300_000;

/** What the charts are drawn from, at one look. */
export interface WorkPoint {
  /** Milliseconds since the epoch, by the clock of this browser. */
  readonly at: number;
  readonly waiting: number;
  readonly busy: number;
}

/** The workers and the pools at one look, and what was seen at the looks before. */
export interface WorkView {
  readonly workers: WorkersReport;
  readonly pools: readonly SandboxPool[];
  readonly queue: Queue;
  readonly history: readonly WorkPoint[];
}

/** Looks every two seconds while the page is visible. What was seen is kept in the page's memory only. */
export function useWork() {
  const client = useQueryClient();
  const queryKey = ["work"];
  return useQuery({
    queryKey,
    queryFn: async ({ signal }): Promise<WorkView> => {
      const [workers, pools, queue] = await Promise.all([
        syla.workers.list({ signal }),
        syla.pools.list({ signal }),
        syla.workers.queue(listed, { signal }),
      ]);
      const busy = pools.filter(isForRuns).reduce((sum, pool) => sum + pool.jails.reduce((count, jail) => count + jail.busy, 0), 0);
      const at = Date.now();
      const before = client.getQueryData<WorkView>(queryKey)?.history.filter((point) => point.at > at - historyMs && point.at < at) ?? [];
      return { workers, pools, queue, history: [...before, { at, waiting: workers.queue.queued, busy }] };
    },
    refetchInterval: (query) => (errorCode(query.state.error) === "forbidden" ? false : everyMs),
  });
}

/** Has a worker take nothing, or take runs again. */
export function useDrainWorker() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, drained }: { readonly id: string; readonly drained: boolean }) =>
      drained ? syla.workers.drain(id) : syla.workers.resume(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["work"] }),
  });
}

/** A long-lived sandbox takes none of the slots that runs have. */
function isForRuns(pool: SandboxPool): boolean {
  return !pool.kind.startsWith("session ");
}
