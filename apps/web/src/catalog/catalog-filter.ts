import type { AssetType, ListAssetsQuery } from "@syla/sdk";

/** The views of the catalog, in the order of their tabs. */
export const views = [
  { value: "mine", label: "My" },
  { value: "shared", label: "Shared with me" },
  { value: "public", label: "Public" },
  { value: "all", label: "All" },
  { value: "deleted", label: "Deleted" },
] as const;
export type CatalogView = (typeof views)[number]["value"];

/** How it can be sorted. */
export const sorts = [
  { value: "updated", label: "Last changed" },
  { value: "created", label: "Newest" },
  { value: "name", label: "Name" },
  { value: "lastRun", label: "Last run" },
] as const;
export type CatalogSort = (typeof sorts)[number]["value"] | "";

const types: readonly AssetType[] = ["program", "composition", "model", "dataset"];

/** The filters of the catalog as they stand in the address. */
export interface CatalogFilter {
  readonly view: CatalogView;
  readonly types: readonly AssetType[];
  readonly tags: readonly string[];
  readonly owner: string;
  readonly q: string;
  readonly sort: CatalogSort;
  readonly layout: "cards" | "table";
}

/** Reads the filters out of the address; what makes no sense there is left out. */
export function readCatalogFilter(search: URLSearchParams): CatalogFilter {
  const named = (search.get("type") ?? "").split(",");
  return {
    view: views.find(({ value }) => value === search.get("view"))?.value ?? "mine",
    types: types.filter((type) => named.includes(type)),
    tags: (search.get("tags") ?? "").split(",").filter((tag) => /^[a-z0-9-]{1,30}$/.test(tag)),
    owner: search.get("owner") ?? "",
    q: search.get("q") ?? "",
    sort: sorts.find(({ value }) => value === search.get("sort"))?.value ?? "",
    layout: search.get("layout") === "table" ? "table" : "cards",
  };
}

/** Writes them back; what is as usual leaves no trace in the address. */
export function writeCatalogFilter(filter: CatalogFilter): URLSearchParams {
  const search = new URLSearchParams();
  if (filter.view !== "mine") search.set("view", filter.view);
  if (filter.types.length > 0) search.set("type", filter.types.join(","));
  if (filter.tags.length > 0) search.set("tags", filter.tags.join(","));
  if (filter.owner) search.set("owner", filter.owner);
  if (filter.q) search.set("q", filter.q);
  if (filter.sort) search.set("sort", filter.sort);
  if (filter.layout === "table") search.set("layout", "table");
  return search;
}

/** Whether the view is narrowed by anything. */
export function isNarrowed({ types: chosen, tags, owner, q }: CatalogFilter): boolean {
  return chosen.length > 0 || tags.length > 0 || owner !== "" || q !== "";
}

/** The question to the server. */
export function catalogQuery(filter: CatalogFilter): ListAssetsQuery {
  return {
    view: filter.view,
    limit: 60,
    ...(filter.types.length > 0 ? { type: filter.types.join(",") } : {}),
    ...(filter.tags.length > 0 ? { tags: filter.tags.join(",") } : {}),
    ...(filter.owner ? { owner: filter.owner } : {}),
    ...(filter.q ? { q: filter.q } : {}),
    ...(filter.sort ? { sort: filter.sort } : {}),
  };
}
