import type { Schedule } from "@syla/sdk";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

const slowMs = 5000;

export function useSchedules(all: boolean) {
  return useQuery({
    queryKey: ["schedules", all],
    queryFn: ({ signal }) => collectItems(syla.schedules.list(all ? { owner: "all" } : {}, { signal })),
    refetchInterval: slowMs,
  });
}

/** The programs that somebody may run, for a choice among them. */
export function useRunnablePrograms() {
  return useQuery({
    queryKey: ["assets", "runnable"],
    queryFn: async ({ signal }) => (await syla.assets.list({ type: "program", view: "all", sort: "name", limit: 200 }, { signal })).items,
  });
}

/** The next times of an expression while it is typed. */
export function usePreview(cron: string, timeZone: string) {
  return useQuery({
    queryKey: ["schedule-preview", cron, timeZone],
    queryFn: ({ signal }) => syla.schedules.preview(cron, timeZone, { signal }),
    enabled: cron.trim() !== "",
    placeholderData: keepPreviousData,
    retry: false,
  });
}

function useScheduleMutation<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: ["schedules"] }) });
}

/** Makes one, or changes the one that was loaded. */
export function useSaveSchedule(loaded: Pick<Schedule, "id" | "revision"> | null) {
  return useScheduleMutation((wish: Parameters<typeof syla.schedules.create>[0]) => {
    const { programId: _programId, ...change } = wish;
    if (loaded === null) return syla.schedules.create(wish);
    return syla.schedules.update(loaded.id, change, { revision: loaded.revision });
  });
}

export function useEnableSchedule() {
  return useScheduleMutation(({ id, enabled }: Pick<Schedule, "id" | "enabled">) => syla.schedules.update(id, { enabled }));
}

export function useDeleteSchedule() {
  return useScheduleMutation((id: string) => syla.schedules.delete(id));
}
