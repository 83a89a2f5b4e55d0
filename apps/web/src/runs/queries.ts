import type { BulkRunsInputDraft, Run, RunInputDraft, RunSummary } from "@syla/sdk";
import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { useClient } from "../app/client.ts";
import { isLive } from "./run-state.ts";
import type { Start } from "./new/draft.ts";

/** One page of runs as the server answers it. */
export interface RunPageData {
  readonly items: readonly RunSummary[];
  readonly nextCursor: string | null;
}

/** One run with its configuration and result. Its events keep it fresh while it is followed. */
export function useRun(id: string) {
  const client = useQueryClient();
  const { syla: reader } = useClient();
  return useQuery({
    queryKey: ["run", id],
    queryFn: async ({ signal }) => keepLiveFacts(await reader.runs.get(id, { signal }), client.getQueryData<Run>(["run", id])),
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

/** What else runs and sandboxes of this server may ask for. */
export function useRunOptions() {
  return useQuery({ queryKey: ["run-options"], queryFn: ({ signal }) => syla.runtimes.options({ signal }), staleTime: 60_000 });
}

const artifactsAtOnce = 200;

/** What a run left in /output, by path, page by page; of it only paths with a part. */
export function useArtifacts(id: string, part: string, enabled: boolean) {
  const { syla: reader } = useClient();
  return useInfiniteQuery({
    queryKey: ["run", id, "artifacts", part],
    queryFn: ({ pageParam, signal }) =>
      reader.runs.listArtifacts(id, { limit: artifactsAtOnce, cursor: pageParam, q: part === "" ? undefined : part }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** One of them by its path, wherever it is in the list; null when there is none. */
export function useArtifactAt(id: string, path: string | null, enabled: boolean) {
  const { syla: reader } = useClient();
  return useQuery({
    queryKey: ["run", id, "artifact-at", path],
    queryFn: async ({ signal }) => {
      const q = path === null || path === "" ? undefined : path.slice(0, 200);
      let cursor: string | undefined;
      for (;;) {
        const page = await reader.runs.listArtifacts(id, { cursor, q }, { signal });
        const found = page.items.find((artifact) => artifact.path === path);
        if (found !== undefined || page.nextCursor === null) return found ?? null;
        cursor = page.nextCursor;
      }
    },
    enabled: enabled && path !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
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

/** The states that a run came through; read again whenever it comes into another one. */
export function useRunTransitions({ id, status, attempt }: Pick<Run, "id" | "status" | "attempt">) {
  return useQuery({
    queryKey: ["run", id, "transitions", status, attempt],
    queryFn: ({ signal }) => syla.runs.transitions(id, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** Why a run waits, and its place in the queue; read again while it does. */
export function useWait({ id, status }: Pick<Run, "id" | "status">) {
  return useQuery({
    queryKey: ["run", id, "wait"],
    queryFn: ({ signal }) => syla.runs.explainWait(id, { signal }),
    enabled: status === "queued",
    refetchInterval: 2000,
  });
}

/** What the runs of a program came to in the last 30 days. */
export function useProgramTotals(programId: string | null) {
  return useQuery({
    queryKey: ["runs", "totals", "program", programId],
    queryFn: ({ signal }) => syla.runs.totals({ program: programId ?? "", owner: "visible" }, { signal }),
    enabled: programId !== null,
    staleTime: 30_000,
  });
}

/** What a run consisted of; read again while it goes on, and when it has ended. */
export function useRunTrace(run: Pick<Run, "id" | "status">) {
  const live = isLive(run);
  return useQuery({
    queryKey: ["run", run.id, "trace", live],
    queryFn: ({ signal }) => syla.runs.trace(run.id, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: live ? 1000 : false,
  });
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

/** Queues a run: a new one, or one that repeats another with changes. */
export function useStartRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (start: Start) => ("input" in start ? syla.runs.create(start.input) : syla.runs.rerun(start.repeats, start.changes)),
    onSuccess: (run) => storeRun(client, run),
  });
}

/** Queues the same configuration again. */
export function useRerun() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (id: string) => syla.runs.rerun(id), onSuccess: (run) => storeRun(client, run) });
}

/** The files that a run had. They never change. */
export function useRunFiles(id: string) {
  return useQuery({
    queryKey: ["run", id, "files"],
    queryFn: ({ signal }) => syla.runs.files(id, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Keeps a run's log and artifacts for good, or as long as those of others. */
export function usePinRun(id: string) {
  const client = useQueryClient();
  return useMutation({ mutationFn: (pinned: boolean) => syla.runs.setPinned(id, pinned), onSuccess: (run) => storeRun(client, run) });
}

/** Deletes a run that has ended. */
export function useDeleteRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => syla.runs.delete(id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
}

/** What differs between two runs. */
export function useComparison(from: string, to: string) {
  return useQuery({ queryKey: ["run", from, "compare", to], queryFn: ({ signal }) => syla.runs.compare(from, to, { signal }) });
}

/** How far an action on many runs has come. */
export interface BulkProgress {
  readonly done: number;
  readonly refused: readonly { readonly id: string; readonly message: string }[];
  readonly remaining: number;
}

/** Cancels, retries or deletes many runs, part by part; `onProgress` is told after each. What has been done when it fails stays done. */
export function useBulkRuns(onProgress: (progress: BulkProgress) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: BulkRunsInputDraft) => {
      let progress: BulkProgress = { done: 0, refused: [], remaining: 0 };
      for await (const { done, refused, remaining } of syla.runs.bulkAll(input)) {
        progress = { done: progress.done + done.length, refused: [...progress.refused, ...refused], remaining };
        onProgress(progress);
      }
      return progress;
    },
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
}

/** Queues runs again that were given up; without ids every one of them. */
export function useRequeue() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ ids, owner }: { readonly ids?: readonly string[]; readonly owner: "me" | "all" }) =>
      syla.runs.requeue({ owner, ...(ids === undefined ? {} : { ids: [...ids] }) }),
    onSettled: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
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
