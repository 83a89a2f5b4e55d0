import type { Run, RunInputDraft, RunSummary } from "@syla/sdk";
import { type InfiniteData, type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

/** One page of runs as the server answers it. */
export interface RunPageData {
  readonly items: readonly RunSummary[];
  readonly nextCursor: string | null;
}

/** One run with its configuration and result. Its events keep it fresh while it is followed. */
export function useRun(id: string) {
  const client = useQueryClient();
  return useQuery({
    queryKey: ["run", id],
    queryFn: async ({ signal }) => keepLiveFacts(await syla.runs.get(id, { signal }), client.getQueryData<Run>(["run", id])),
    enabled: id !== "",
  });
}

/** The events of a live run are ahead of its row: what they told is not lost when the row is read again. */
function keepLiveFacts(read: Run, known: Run | undefined): Run {
  if (!known || read.finishedAt !== null || read.attempt !== known.attempt) return read;
  if (known.finishedAt !== null) return known;
  const timings = {
    ...read.timings,
    queueMs: read.timings.queueMs ?? known.timings.queueMs,
    startMs: read.timings.startMs ?? known.timings.startMs,
  };
  const isBehind = read.status === "queued" || (read.status === "starting" && known.status === "running");
  return { ...read, timings, startedAt: read.startedAt ?? known.startedAt, status: isBehind ? known.status : read.status };
}

/** The languages of this server. */
export function useRuntimes() {
  return useQuery({ queryKey: ["runtimes"], queryFn: ({ signal }) => syla.runtimes.list({ signal }), staleTime: 60_000 });
}

/** What a run left in /output. */
export function useArtifacts(id: string, enabled: boolean) {
  return useQuery({ queryKey: ["run", id, "artifacts"], queryFn: ({ signal }) => syla.runs.artifacts(id, { signal }), enabled });
}

/** What came of a run's test cases, once it has ended. */
export function useTestReport(id: string) {
  return useQuery({
    queryKey: ["run", id, "tests"],
    queryFn: ({ signal }) => syla.runs.tests(id, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The connections that a run made. */
export function useRunNetwork(id: string, enabled: boolean) {
  return useQuery({ queryKey: ["run", id, "network"], queryFn: ({ signal }) => syla.runs.network(id, { signal }), enabled });
}

/** The text of one input file of a run. It never changes. */
export function useRunFile(id: string, path: string, enabled: boolean) {
  return useQuery({
    queryKey: ["run", id, "file", path],
    queryFn: async ({ signal }) => (await syla.runs.file(id, path, { signal })).text(),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Queues a run. */
export function useCreateRun() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (input: RunInputDraft) => syla.runs.create(input), onSuccess: (run) => storeRun(client, run) });
}

/** Queues the same configuration again. */
export function useRerun() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (id: string) => syla.runs.rerun(id), onSuccess: (run) => storeRun(client, run) });
}

/** Puts a run that the server has just answered where the pages look for it. */
export function storeRun(client: QueryClient, run: Run): void {
  client.setQueryData(["run", run.id], run);
  void client.invalidateQueries({ queryKey: ["runs"] });
}

type RunsData = InfiniteData<RunPageData> | RunPageData | undefined;

function patchRuns(data: RunsData, ids: ReadonlySet<string>, patch: Partial<RunSummary>): RunsData {
  const patchPage = <P extends RunPageData>(page: P): P => ({
    ...page,
    items: page.items.map((run) => (ids.has(run.id) ? { ...run, ...patch } : run)),
  });
  if (!data) return data;
  return "pages" in data ? { ...data, pages: data.pages.map(patchPage) } : patchPage(data);
}

/**
 * Cancels runs. They are shown as cancelled at once; what the server says afterwards, or an error, puts that right.
 * All are tried; the first error is thrown when the rest is done.
 */
export function useCancelRuns() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids: readonly string[]) => {
      const results = await Promise.allSettled(ids.map((id) => syla.runs.cancel(id)));
      const refused = results.find((result) => result.status === "rejected");
      if (refused) throw refused.reason;
    },
    onMutate: async (ids) => {
      await client.cancelQueries({ queryKey: ["runs"] });
      const wanted = new Set(ids);
      client.setQueriesData<RunsData>({ queryKey: ["runs"] }, (data) => patchRuns(data, wanted, { status: "cancelled" }));
      for (const id of ids) client.setQueryData<Run>(["run", id], (run) => run && { ...run, status: "cancelled" });
    },
    onSettled: async (_data, _error, ids) => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ["runs"] }),
        ...ids.map((id) => client.invalidateQueries({ queryKey: ["run", id], exact: true })),
      ]);
    },
  });
}
