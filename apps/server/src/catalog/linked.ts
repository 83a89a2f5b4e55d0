import type { LinkedAsset } from "@syla/contracts/linked-things";
import { DatasetConfig } from "@syla/contracts/dataset-config";
import type { Queries } from "../platform/database.ts";
import { toSummary } from "./presenter.ts";
import { findAsset } from "./store.ts";
import { listVersions } from "./versions/store.ts";

const mostVersions = 20;

/**
 * What somebody sees of an asset who has nothing but a link to it: nothing of how it is run, of whom it belongs to, of secrets and where it
 * came from. Of a model not even which one it is. Null: there is none, or it has been deleted.
 */
export async function describeLinked(queries: Queries, id: string): Promise<LinkedAsset | null> {
  const row = await findAsset(queries, id);
  if (row === undefined || row.deleted_at !== null) return null;
  const { type, description, tags, runtime, rowCount, updatedAt } = toSummary(row, { level: "view", isOwner: false, isShared: true });
  const bare = { type, description, updatedAt, tags: [], runtime: null, columns: null, rowCount: null, versions: [] };
  if (type === "model") return bare;
  const versions = await listVersions(queries, id, { limit: mostVersions, before: null });
  const columns = type === "dataset" ? DatasetConfig.parse(row.config).columns : null;
  const toVersion = ({ version, message, created_at: at }: (typeof versions)[number]) => ({
    version,
    message,
    createdAt: at.toISOString(),
  });
  return { ...bare, tags, runtime, columns, rowCount, versions: versions.slice(0, mostVersions).map(toVersion) };
}
