import type { Import, ImportEvent, Syla } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { syla } from "../app/api.ts";
import { refreshAssets } from "../catalog/queries.ts";

/** An import. What happens with it is followed by `useFollowImport`. */
export function useImport(id: string) {
  return useQuery({ queryKey: ["import", id], queryFn: ({ signal }) => syla.imports.get(id, { signal }) });
}

/** Keeps what is known of an import up to date while something happens with it; true while the connection is made again. */
export function useFollowImport(id: string, isWorking: boolean): { readonly reconnecting: boolean; readonly error: unknown } {
  const client = useQueryClient();
  const [reconnecting, setReconnecting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (!isWorking) return;
    const stop = new AbortController();
    setError(null);
    const follow = async () => {
      const options = { signal: stop.signal, onReconnect: () => setReconnecting(true), onConnect: () => setReconnecting(false) };
      for await (const event of syla.imports.events(id, options))
        client.setQueryData<Import>(["import", id], (before) => (event.type === "end" ? event.import : before && changedBy(before, event)));
    };
    follow().catch((reason: unknown) => (stop.signal.aborted ? undefined : setError(reason)));
    return () => stop.abort();
  }, [id, isWorking, client]);
  return { reconnecting, error };
}

function changedBy(before: Import, { state, phase, files, bytes }: Extract<ImportEvent, { type: "progress" }>): Import {
  return { ...before, state, phase, progress: { files, bytes } };
}

/** What the files are; read anew when another folder was chosen. */
export function useImportAnalysis(found: Import) {
  return useQuery({
    queryKey: ["import", found.id, "analysis", found.folder],
    queryFn: ({ signal }) => syla.imports.analysis(found.id, { signal }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useImportFolders(id: string) {
  return useQuery({
    queryKey: ["import", id, "folders"],
    queryFn: ({ signal }) => syla.imports.folders(id, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useChooseFolder(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (path: string | null) => syla.imports.chooseFolder(id, path),
    onSuccess: (found) => client.setQueryData(["import", id], found),
  });
}

export function useImportFiles({ id, folder }: Import) {
  return useQuery({ queryKey: ["import", id, "files", folder], queryFn: ({ signal }) => syla.imports.files(id, { signal }) });
}

/** How it differs from the program that it is for; asked when somebody looks. */
export function useImportDiff({ id, folder }: Import) {
  return useQuery({ queryKey: ["import", id, "diff", folder], queryFn: ({ signal }) => syla.imports.diff(id, { signal }) });
}

/** The newest imports that wait for their review. */
export function useWaitingImports() {
  return useQuery({
    queryKey: ["imports", "review"],
    queryFn: ({ signal }) => syla.imports.list({ state: "review", limit: 20 }, { signal }),
    select: ({ items }) => items,
  });
}

export function useTemplates() {
  return useQuery({
    queryKey: ["templates"],
    queryFn: ({ signal }) => syla.imports.templates({ signal }),
    select: (all) => all.filter(({ type }) => type === "program"),
  });
}

export function useCreateImport() {
  return useMutation({ mutationFn: (input: Parameters<Syla["imports"]["create"]>[0]) => syla.imports.create(input) });
}

export function useGitRefs() {
  return useMutation({ mutationFn: (input: Parameters<Syla["imports"]["gitRefs"]>[0]) => syla.imports.gitRefs(input) });
}

export function useCancelImport(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => syla.imports.cancel(id),
    onSettled: () =>
      Promise.all([client.invalidateQueries({ queryKey: ["import", id] }), client.invalidateQueries({ queryKey: ["imports"] })]),
  });
}

export function useConfirmImport(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: Parameters<Syla["imports"]["confirm"]>[1]) => syla.imports.confirm(id, input),
    onSettled: () => {
      refreshAssets(client, null);
      void client.invalidateQueries({ queryKey: ["import", id] });
      void client.invalidateQueries({ queryKey: ["imports"] });
    },
  });
}
