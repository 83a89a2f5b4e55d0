import type { OnConflict, TreeChanges, TreeFile, Workspace, WorkspaceKind, WorkspaceMirror } from "@syla/sdk";
import { type QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { isEditable, readBytes } from "../editor/file-kinds.ts";
import { fileQuery, type ReadFile } from "../editor/file-query.ts";
import type { Saved } from "./edits.ts";

const slowMs = 10_000;
const fastMs = 4000;
/** Of what was written at once, so many files are read again before the editor is told. */
const mostReadAhead = 20;
const keyOf = (id: string) => ["workspace", id];

/** Which workspaces are listed. */
export interface WorkspaceListFilter {
  readonly view: "all" | "mine" | "team" | "shared" | "deleted";
  readonly kind: WorkspaceKind | null;
  readonly q: string;
}

export function useWorkspaces({ view, kind, q }: WorkspaceListFilter) {
  return useInfiniteQuery({
    queryKey: ["workspaces", view, kind, q],
    queryFn: ({ pageParam, signal }) =>
      syla.workspaces.list(
        { view, limit: 50, ...(kind === null ? {} : { kind }), ...(q === "" ? {} : { q }), ...(pageParam ? { cursor: pageParam } : {}) },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: slowMs,
    placeholderData: (previous) => previous,
  });
}

export function useWorkspace(id: string) {
  return useQuery({ queryKey: keyOf(id), queryFn: ({ signal }) => syla.workspaces.get(id, { signal }), refetchInterval: fastMs });
}

/** The files as they are now, or of a version, which never changes. */
export function useWorkspaceFiles(id: string, revision: number, version?: number) {
  return useQuery({
    queryKey: filesKey(id, revision, version),
    queryFn: ({ signal }) => syla.workspaces.files(id, version, { signal }),
    // What is shown meanwhile is of the same workspace, and is not a version in place of what is there now.
    placeholderData: (previous, query) =>
      query?.queryKey[1] === id && query.queryKey[3] === filesKey(id, revision, version)[3] ? previous : undefined,
  });
}

const filesKey = (id: string, revision: number, version?: number) =>
  version === undefined ? [...keyOf(id), "files", "head", revision] : [...keyOf(id), "files", "version", version];

/** How a file of a workspace is read. */
export function readerOf(id: string, path: string, version?: number): ReadFile {
  return (options) => syla.workspaces.readFile(id, path, version, options);
}

/** The text of a file; null when it is none, or too large to be edited. */
export async function textAt(client: QueryClient, id: string, file: TreeFile, version?: number): Promise<string | null> {
  if (!isEditable(file)) return null;
  const { path, sha256 } = file;
  return readBytes(await client.fetchQuery(fileQuery(sha256, null, readerOf(id, path, version))), false);
}

export function useWorkspaceVersions(id: string) {
  return useQuery({
    queryKey: [...keyOf(id), "versions"],
    queryFn: ({ signal }) => syla.workspaces.versions.list(id, { limit: 200 }, { signal }),
    refetchInterval: slowMs,
  });
}

export function useWorkspaceDiff(id: string, from: string, to: string, revision: number) {
  return useQuery({
    queryKey: [...keyOf(id), "diff", from, to, revision],
    queryFn: ({ signal }) => syla.workspaces.diff(id, { from, to }, { signal }),
  });
}

export function useCreateWorkspace() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: Parameters<typeof syla.workspaces.create>[0]) => syla.workspaces.create(input),
    onSuccess: (workspace) => store(client, workspace),
  });
}

/** Everything that changes one workspace; what comes of it is known at once. */
export function useWorkspaceChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: (workspaces: typeof syla.workspaces) => Promise<Workspace>) => change(syla.workspaces),
    onSuccess: (workspace) => store(client, workspace),
    onError: () => void client.invalidateQueries({ queryKey: keyOf(id) }),
  });
}

/** What is written, on which revision. */
export interface FilesWish {
  readonly changes: TreeChanges;
  readonly revision: number;
  readonly onConflict?: OnConflict;
}

/** Changes files. What has become of those that were written is known before the list is read again: an open editor keeps its place. */
export function useChangeWorkspaceFiles(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ changes, revision, onConflict }: FilesWish) => {
      const workspace = await syla.workspaces.changeFiles(id, changes, revision, onConflict === undefined ? {} : { onConflict });
      const listing = await syla.workspaces.files(id);
      const written = new Set(changes.flatMap((change) => (change.op === "write" ? [change.file.path] : [])));
      const shown = listing.items.filter(({ path }) => written.has(path)).slice(0, mostReadAhead);
      const texts = shown.map(async (file) => [file.path, await textAt(client, id, file)] as const);
      const saved: Saved = { revision: listing.revision, texts: new Map(await Promise.all(texts)) };
      client.setQueryData(filesKey(id, listing.revision), listing);
      return { ...saved, workspace: listing.revision === workspace.revision ? workspace : await syla.workspaces.get(id) };
    },
    onSuccess: ({ workspace }) => store(client, workspace),
  });
}

/** The repository that a workspace follows; null when it follows none. */
export function useMirror(id: string) {
  return useQuery({
    queryKey: mirrorKey(id),
    queryFn: ({ signal }) => syla.workspaces.mirror.get(id, { signal }),
    refetchInterval: slowMs,
  });
}

const mirrorKey = (id: string) => [...keyOf(id), "mirror"];

/** Sets a mirror, fetches it, or ends it. The files may be others afterwards. */
export function useMirrorChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: (mirrors: typeof syla.workspaces.mirror) => Promise<WorkspaceMirror | null>) => change(syla.workspaces.mirror),
    onSuccess: (mirror) => client.setQueryData(mirrorKey(id), mirror),
    onSettled: () => void client.invalidateQueries({ queryKey: keyOf(id) }),
  });
}

/** The same with many; what was refused is told. */
export function useBulkWorkspaces() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: Parameters<typeof syla.workspaces.change>[0]) => syla.workspaces.change(input),
    onSettled: () => void client.invalidateQueries({ queryKey: ["workspaces"] }),
  });
}

function store(client: QueryClient, workspace: Workspace): void {
  client.setQueryData(keyOf(workspace.id), workspace);
  void client.invalidateQueries({ queryKey: [...keyOf(workspace.id), "versions"] });
  void client.invalidateQueries({ queryKey: ["workspaces"] });
}
