import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

const backupsKey = ["admin", "backups"];
const whileRunningMs = 1000;
const elseMs = 30_000;

/** The backups that there are, and what is done to them; read often while a job runs. */
export function useBackups() {
  return useQuery({
    queryKey: backupsKey,
    queryFn: ({ signal }) => syla.backups.status({ signal }),
    refetchInterval: ({ state }) => (state.data?.jobs.some((job) => job.state === "running") === true ? whileRunningMs : elseMs),
  });
}

/** Something that is to be done to backups. */
export type BackupWish =
  | { readonly kind: "create"; readonly note: string }
  | { readonly kind: "verify"; readonly id: string; readonly deep: boolean }
  | { readonly kind: "delete"; readonly id: string }
  | { readonly kind: "stop"; readonly id: string };

export function useChangeBackups() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: BackupWish) => {
      switch (wish.kind) {
        case "create":
          return syla.backups.create(wish.note);
        case "verify":
          return syla.backups.verify(wish.id, { deep: wish.deep });
        case "delete":
          return syla.backups.delete(wish.id);
        default:
          return syla.backups.stop(wish.id);
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: backupsKey }),
  });
}
