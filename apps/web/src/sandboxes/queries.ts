import type { Sandbox, SandboxFile, SandboxInputDraft } from "@syla/sdk";
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { syla } from "../app/api.ts";

const slowMs = 10_000;
const fastMs = 3000;
const watchAgainMs = 5000;

/** One's own sandboxes, or those that others have shared, newest first. */
export function useSandboxes(ended: boolean, shared: boolean) {
  return useQuery({
    queryKey: ["sandboxes", ended, shared],
    queryFn: ({ signal }) =>
      syla.sandboxes.list({ limit: 200, ...(ended ? {} : { live: true }), ...(shared ? { owner: "shared" as const } : {}) }, { signal }),
    refetchInterval: slowMs,
  });
}

export function useSandbox(id: string) {
  return useQuery({ queryKey: ["sandbox", id], queryFn: ({ signal }) => syla.sandboxes.get(id, { signal }), refetchInterval: fastMs });
}

/** What only a running one can tell. */
export function useSandboxActivity(id: string, running: boolean) {
  const options = { enabled: running, refetchInterval: fastMs };
  const sandbox = syla.sandboxes.open(id);
  const processes = useQuery({
    queryKey: ["sandbox", id, "processes"],
    queryFn: ({ signal }) => sandbox.processes.list({ signal }),
    ...options,
  });
  const ports = useQuery({ queryKey: ["sandbox", id, "ports"], queryFn: ({ signal }) => sandbox.ports({ signal }), ...options });
  const stats = useQuery({ queryKey: ["sandbox", id, "stats"], queryFn: ({ signal }) => sandbox.stats({ signal }), ...options });
  const network = useQuery({ queryKey: ["sandbox", id, "network"], queryFn: ({ signal }) => sandbox.network({ signal }), ...options });
  return { processes, ports, stats, network };
}

export function useFolder(id: string, path: string) {
  return useQuery({
    queryKey: ["sandbox", id, "files", path],
    queryFn: async ({ signal }) => {
      const { items, truncated } = await syla.sandboxes.open(id).files.list(path, { limit: 2000 }, { signal });
      return { items: items.toSorted(compareFiles), truncated };
    },
  });
}

/** Reads a folder again whenever something changes in it, while the page is looked at: to be followed is to be in use. */
export function useFolderChanges(id: string, path: string) {
  const client = useQueryClient();
  const visible = useSyncExternalStore(subscribeToVisibility, isVisible);
  useEffect(() => {
    if (!visible) return;
    const abort = new AbortController();
    let timer: number | undefined;
    const { files } = syla.sandboxes.open(id);
    const follow = async () => {
      try {
        const events = files.watch(path, { recursive: false, signal: abort.signal });
        for await (const _ of events) await client.invalidateQueries({ queryKey: ["sandbox", id, "files", path] });
      } catch {
        // asked for again below; the list itself says what is wrong
      }
      if (!abort.signal.aborted) timer = window.setTimeout(() => void follow(), watchAgainMs);
    };
    void follow();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [client, id, path, visible]);
}

function subscribeToVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

function isVisible(): boolean {
  return document.visibilityState === "visible";
}

/** Folders first, then by name. */
function compareFiles(a: SandboxFile, b: SandboxFile): number {
  return Number(b.kind === "folder") - Number(a.kind === "folder") || a.name.localeCompare(b.name);
}

export function useCreateSandbox() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: SandboxInputDraft) => (await syla.sandboxes.create(input)).get(),
    onSuccess: (sandbox) => storeSandbox(client, sandbox),
  });
}

/** Pauses, resumes or deletes one. */
export function useSandboxAction(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (action: "pause" | "resume" | "delete") => {
      const sandbox = syla.sandboxes.open(id);
      if (action !== "delete") return await sandbox[action]();
      await sandbox.delete();
      return await sandbox.get();
    },
    onSuccess: (sandbox) => storeSandbox(client, sandbox),
  });
}

function storeSandbox(client: QueryClient, sandbox: Sandbox): void {
  client.setQueryData(["sandbox", sandbox.id], sandbox);
  void client.invalidateQueries({ queryKey: ["sandboxes"] });
}
