import type { AssetChange, Revision, Syla } from "@syla/sdk";
import { type QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { type CatalogFilter, catalogQuery } from "./catalog-filter.ts";

const listKey = ["assets"];
const nextPageSize = 200;
export const assetKey = (id: string) => ["asset", id];

/** What the live connection told of: null is anything at all. */
export function refreshAssets(client: QueryClient, ids: readonly string[] | null): void {
  void client.invalidateQueries({ queryKey: listKey });
  if (ids === null || ids.some((id) => id.startsWith("model_"))) void client.invalidateQueries({ queryKey: ["models"] });
  if (ids === null) void client.invalidateQueries({ queryKey: ["asset"] });
  else for (const id of ids) void client.invalidateQueries({ queryKey: assetKey(id) });
  // What uses a composition may have a newer version of it now. What is being edited asks for its own problems itself.
  const others = ids?.filter((id) => id.startsWith("comp_"));
  if (others === undefined || others.length > 0)
    void client.invalidateQueries({
      queryKey: ["composition"],
      predicate: ({ queryKey: [, of, what] }) => what === "problems" && others?.every((id) => id === of) !== true,
    });
}

/** The catalog under a filter, in pages; the live connection says when to read it again. */
export function useAssetList(filter: CatalogFilter) {
  const query = catalogQuery(filter);
  return useInfiniteQuery({
    queryKey: [...listKey, "list", query],
    // The first page is there at once; whoever goes on wants many.
    queryFn: ({ pageParam, signal }) =>
      syla.assets.list({ ...query, ...(pageParam ? { cursor: pageParam, limit: nextPageSize } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

export function useAsset(id: string) {
  return useQuery({ queryKey: assetKey(id), queryFn: ({ signal }) => syla.assets.get(id, { signal }) });
}

/** Which compositions use it. */
export function useAssetUses(id: string) {
  return useQuery({ queryKey: [...assetKey(id), "uses"], queryFn: ({ signal }) => syla.assets.uses(id, { signal }) });
}

/** Everything that is done with one asset or many; what is shown is read again afterwards. */
function useAssetMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => refreshAssets(client, null) });
}

export function useUpdateAsset(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ change, revision }: { readonly change: AssetChange; readonly revision: Revision }) =>
      syla.assets.update(id, change, revision),
    // What is done next is done to what was just saved.
    onSuccess: (saved) => client.setQueryData(assetKey(id), saved),
    onSettled: () => refreshAssets(client, null),
  });
}

export function useCreateAsset() {
  return useAssetMutation((input: Parameters<Syla["assets"]["create"]>[0]) => syla.assets.create(input));
}

export function useCloneAsset(id: string) {
  return useAssetMutation((input: Parameters<Syla["assets"]["clone"]>[1]) => syla.assets.clone(id, input));
}

export function useTransferAsset(id: string) {
  return useAssetMutation((to: Parameters<Syla["assets"]["transfer"]>[1]) => syla.assets.transfer(id, to));
}

export function useDeleteAsset() {
  return useAssetMutation((id: string) => syla.assets.delete(id));
}

export function useRestoreAsset() {
  return useAssetMutation((id: string) => syla.assets.restore(id));
}

/** The same with many assets. */
export function useChangeAssets() {
  return useAssetMutation((input: Parameters<Syla["assets"]["change"]>[0]) => syla.assets.change(input));
}
