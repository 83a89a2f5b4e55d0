import type { ProgramAnalysis, Revision, TreeChanges } from "@syla/sdk";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { fileQuery, type ReadFile } from "../editor/file-query.ts";
import { assetKey, refreshAssets } from "../catalog/queries.ts";

/** The files of what is there now, or of a version, which never changes. */
export function useProgramFiles(id: string, version?: string) {
  return useQuery({
    queryKey: [...assetKey(id), "files", version ?? "head"],
    queryFn: ({ signal }) => syla.programs.files(id, version, { signal }),
    ...(version === undefined ? {} : { staleTime: Number.POSITIVE_INFINITY }),
  });
}

/** How a file of a program is read. */
export function readerOf(id: string, path: string, version?: string): ReadFile {
  return (options) => syla.programs.readFile(id, path, version, options);
}

/** Larger files are not shown: they can be downloaded. */
const mostShownBytes = 1024 * 1024;

/** A file's content: its text, or that it is none. */
export interface FileContent {
  readonly text: string | null;
  readonly reason: "binary" | "large" | null;
}

/** Reads a file as text, if it is one. */
export async function readText(id: string, path: string, version?: string, signal?: AbortSignal, reader = syla): Promise<FileContent> {
  return await textOf(await reader.programs.readFile(id, path, version, signal === undefined ? {} : { signal }));
}

/** What was read, as text, if it is one. */
async function textOf(answer: Response): Promise<FileContent> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > mostShownBytes) return { text: null, reason: "large" };
  if (bytes.includes(0)) return { text: null, reason: "binary" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), reason: null };
  } catch {
    return { text: null, reason: "binary" };
  }
}

/** The content of a file, by its hash: equal content is read once. */
export function useFileContent(id: string, file: { readonly path: string; readonly sha256: string } | undefined, version?: string) {
  return useQuery({
    queryKey: ["content", file?.sha256],
    queryFn: ({ signal }) => readText(id, file?.path ?? "", version, signal),
    enabled: file !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Changes files, all at once. What was written is known by its new hash before the list is read again: an open editor keeps its place. */
export function useChangeFiles(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ changes, revision }: { readonly changes: TreeChanges; readonly revision: Revision }) => {
      const asset = await syla.programs.changeFiles(id, changes, revision);
      const listing = await syla.programs.files(id);
      if (listing.tree?.sha256 !== asset.tree?.sha256) return asset;
      for (const change of changes) {
        if (change.op !== "write" || !("content" in change.file)) continue;
        const { path, content } = change.file;
        const file = listing.items.find((item) => item.path === path);
        if (file !== undefined)
          client.setQueryData(fileQuery(file.sha256, null, readerOf(id, path)).queryKey, new TextEncoder().encode(content));
      }
      client.setQueryData([...assetKey(id), "files", "head"], listing);
      return asset;
    },
    onSuccess: (asset) => {
      client.setQueryData(assetKey(id), asset);
      refreshAssets(client, [id]);
    },
  });
}

export function useVersions(id: string) {
  return useQuery({
    queryKey: [...assetKey(id), "versions"],
    queryFn: ({ signal }) => syla.assets.versions.list(id, { limit: 200 }, { signal }),
  });
}

export function useDiff(id: string, from: string | null, to: string) {
  return useQuery({
    queryKey: [...assetKey(id), "diff", from, to],
    queryFn: ({ signal }) => syla.assets.diff(id, { ...(from === null ? {} : { from }), to }, { signal }),
  });
}

export function usePublish(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ version, message, revision }: { readonly version: string; readonly message: string; readonly revision: Revision }) =>
      syla.assets.versions.publish(id, { version, message }, revision),
    onSettled: () => refreshAssets(client, [id]),
  });
}

export function useRestoreVersion(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ version, revision }: { readonly version: string; readonly revision: Revision }) =>
      syla.assets.versions.restore(id, version, revision),
    onSettled: () => refreshAssets(client, [id]),
  });
}

const readingMs = 700;

/** What a program, or a version of it, is: as far as it has been looked at. What was there is shown until the next is known. */
export function useProgramAnalysis(id: string, version: string | undefined, tree: string | null) {
  return useQuery({
    queryKey: analysisKey(id, version, tree),
    queryFn: ({ signal }) => syla.programs.analysis(id, version, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? readingMs : false),
    placeholderData: keepPreviousData,
  });
}

/** Has it looked at. */
export function useAnalyseProgram(id: string, version: string | undefined, tree: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (): Promise<ProgramAnalysis> => syla.programs.analyse(id, version),
    onSuccess: (found) => client.setQueryData(analysisKey(id, version, tree), found),
  });
}

function analysisKey(id: string, version: string | undefined, tree: string | null) {
  return ["program-analysis", id, version ?? null, tree];
}
