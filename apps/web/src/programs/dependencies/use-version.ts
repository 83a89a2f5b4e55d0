import { useQuery } from "@tanstack/react-query";
import { syla } from "../../app/api.ts";
import { assetKey } from "../../catalog/queries.ts";

/** A published version, which never changes. */
export function useVersion(id: string, version: string | undefined) {
  return useQuery({
    queryKey: [...assetKey(id), "version", version],
    queryFn: ({ signal }) => syla.assets.versions.get(id, version ?? "", { signal }),
    enabled: version !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
