import type { StorageJob } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

const storageKey = ["admin", "storage"];
const whileRunningMs = 1000;
const elseMs = 30_000;

/** What is stored, and what is done to it; read often while a job runs. */
export function useStorage() {
  return useQuery({
    queryKey: storageKey,
    queryFn: ({ signal }) => syla.storage.status({ signal }),
    refetchInterval: ({ state }) => (state.data?.jobs.some((job) => job.state === "running") === true ? whileRunningMs : elseMs),
  });
}

/** A job with all that it found. */
export function useStorageJob(id: string) {
  return useQuery({ queryKey: [...storageKey, id], queryFn: ({ signal }) => syla.storage.job(id, { signal }) });
}

export function useStartStorageJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (kind: StorageJob["kind"]) => syla.storage.start(kind),
    onSettled: () => client.invalidateQueries({ queryKey: storageKey }),
  });
}

export function useStopStorageJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.storage.stop(id),
    onSettled: () => client.invalidateQueries({ queryKey: storageKey }),
  });
}
