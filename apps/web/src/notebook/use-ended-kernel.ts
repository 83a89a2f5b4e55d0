import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { syla } from "../app/api.ts";

const lookMs = 5000;

const reasons: Readonly<Record<string, string>> = {
  deleted: "its sandbox was ended",
  expired: "the time of its sandbox was over",
  idle: "nobody used it",
  access_ended: "you may not run in this workspace any more, or it was archived or deleted",
  out_of_memory: "it used more memory than it has",
  disk_limit: "it used more disk than it has",
  server_restarted: "the server was restarted",
};

/** One's sandbox in a workspace, looked at again and again. */
export function useWorkspaceSandbox(workspaceId: string, isWatched = true) {
  return useQuery({
    queryKey: ["workspace", workspaceId, "sandbox"],
    queryFn: ({ signal }) => syla.workspaces.sandbox.get(workspaceId, { signal }),
    refetchInterval: lookMs,
    enabled: isWatched,
  });
}

/** Tells of a kernel that has ended while nobody asked it anything. */
export function useEndedKernel(workspaceId: string, isWatched: boolean, onEnd: (sandboxId: string, why: string) => void): void {
  const sandbox = useWorkspaceSandbox(workspaceId, isWatched).data?.sandbox ?? null;
  const [id, reason] = [sandbox?.id, sandbox === null || sandbox.endedAt === null ? null : (sandbox.endReason ?? "")];
  useEffect(() => {
    if (id === undefined || reason === null) return;
    onEnd(id, `The kernel has ended: ${reasons[reason] ?? "its sandbox failed"}. Its variables are gone; the next run starts another one.`);
    // Each end is told once.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [id, reason]);
}
