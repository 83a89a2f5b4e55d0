import { type Asset, type DatasetRow, type DatasetRowsQuery, Syla } from "@syla/sdk";
import { useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { basePath, syla } from "../app/api.ts";
import { assetKey, refreshAssets } from "../catalog/queries.ts";
import { fetchWithProgress } from "./xhr-fetch.ts";

/** Rows that are read together. */
export const pageRows = 100;

/** A file that is to become rows. */
export interface Upload {
  readonly file: File;
  readonly encoding: "auto" | "latin1";
}

/** The rows that are looked at: of one state of a dataset, or of a split of it. */
export interface RowSource {
  readonly asset: Asset;
  readonly split: string;
}

const sourceKey = ({ asset, split }: RowSource) => [...assetKey(asset.id), "rows", asset.revision, split];
const splitQuery = ({ split }: RowSource): DatasetRowsQuery => (split === "" ? {} : { split });
const forEver = { staleTime: Number.POSITIVE_INFINITY, gcTime: 60_000 };

/** A page may come short when its rows are large: the rest of it is read at once. */
async function readPage(id: string, query: DatasetRowsQuery, page: number, signal: AbortSignal): Promise<readonly DatasetRow[]> {
  const rows: DatasetRow[] = [];
  while (rows.length < pageRows) {
    const read = await syla.datasets.rows(
      id,
      { ...query, offset: page * pageRows + rows.length, limit: pageRows - rows.length },
      { signal },
    );
    rows.push(...read.items);
    if (read.nextCursor === null || read.items.length === 0) break;
  }
  return rows;
}

/** The pages of rows that are seen. */
export function useRowPages(source: RowSource, pages: readonly number[]) {
  return useQueries({
    queries: pages.map((page) => ({
      queryKey: [...sourceKey(source), page],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => readPage(source.asset.id, splitQuery(source), page, signal),
      ...forEver,
    })),
  });
}

/** Rows that have something in them, as far as they were looked for. */
export function useFoundRows(source: RowSource, contains: string) {
  return useInfiniteQuery({
    queryKey: [...sourceKey(source), "found", contains],
    queryFn: ({ pageParam, signal }) =>
      syla.datasets.rows(
        source.asset.id,
        { ...splitQuery(source), contains, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    enabled: contains !== "",
    ...forEver,
  });
}

export function useStatistics(asset: Asset) {
  return useQuery({
    queryKey: [...assetKey(asset.id), "statistics", asset.revision],
    queryFn: ({ signal }) => syla.datasets.statistics(asset.id, undefined, { signal }),
    ...forEver,
  });
}

/** Uploads a new dataset, or other rows of one. */
export function useUpload(onSent: (bytes: number) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ upload, into, name, description }: { upload: Upload; into: Asset | null; name: string; description: string }) => {
      const sender = new Syla({ baseUrl: basePath, fetch: fetchWithProgress(onSent), retry: { maxRetries: 0 } });
      const { file, encoding } = upload;
      const query = { filename: file.name.slice(-255), encoding };
      return into === null
        ? await sender.datasets.create(file, { ...query, name, description })
        : await sender.datasets.replace(into.id, file, into.revision, query);
    },
    onSuccess: (asset) => {
      client.setQueryData(assetKey(asset.id), asset);
      refreshAssets(client, [asset.id]);
    },
  });
}

export function useSplit(asset: Asset) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (splits: Parameters<Syla["datasets"]["split"]>[1]) => syla.datasets.split(asset.id, splits, asset.revision),
    onSuccess: (changed) => {
      client.setQueryData(assetKey(changed.id), changed);
      refreshAssets(client, [changed.id]);
    },
  });
}

/** Datasets that a program may be run on. */
export function useUsableDatasets() {
  return useQuery({
    queryKey: ["assets", "datasets"],
    queryFn: async ({ signal }) =>
      (await syla.assets.list({ type: "dataset", view: "all", limit: 200 }, { signal })).items.filter(
        (asset) => asset.yourLevel !== "view",
      ),
  });
}

export function useDatasetRuns(id: string) {
  return useQuery({
    queryKey: ["runs", "dataset", id],
    queryFn: ({ signal }) => syla.runs.list({ dataset: id, owner: "visible", limit: 50 }, { signal }),
    refetchInterval: 5000,
  });
}
