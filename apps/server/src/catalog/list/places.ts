import type { Queries } from "../../platform/database.ts";
import { widen } from "./query.ts";
import { listAssetIds, type AssetQuery, type ListViewer, type Place } from "./store.ts";

/** A page of a list. What is mistyped is found by words that are like it, when nothing has the words themselves; later pages go on with these. */
export async function findPlaces(
  queries: Queries,
  viewer: ListViewer,
  query: AssetQuery,
): Promise<{ query: AssetQuery; places: readonly Place[] }> {
  const places = query.isAlike ? [] : await listAssetIds(queries, viewer, query);
  if (places.length > 0 || query.words === null || (query.after !== null && !query.isAlike)) return { query, places };
  const wider = await widen(queries, query);
  const alike = wider === null ? [] : await listAssetIds(queries, viewer, wider);
  return alike.length === 0 || wider === null ? { query, places } : { query: wider, places: alike };
}
