import type { AccessLevel } from "@syla/contracts/access";
import type { Asset, AssetOwner, AssetSummary, AssetVersion } from "@syla/contracts/assets";
import { AssetMetadata, ImportSource } from "@syla/contracts/assets";
import { RunStatus } from "@syla/contracts/runs";
import { z } from "zod";
import type { AssetRow } from "./store.ts";
import type { VersionRow } from "./versions/store.ts";

/** How long what was deleted can be restored. */
export const keptDays = 30;

/** What the viewer has of an asset. */
export interface Standing {
  readonly level: AccessLevel;
  readonly isOwner: boolean;
  readonly isShared: boolean;
}

const ClonedFrom = z.object({ id: z.string(), version: z.string().nullable() });
const Runtime = z.object({ runtime: z.string() });
const Rows = z.object({ rowCount: z.int() });

export function toSummary(row: AssetRow, standing: Standing): AssetSummary {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    slug: row.slug,
    description: row.description,
    tags: row.tags,
    owner: toOwner(row.owner_id, row.owner_name),
    visibility: row.visibility,
    isShared: standing.isShared,
    yourLevel: standing.level,
    version: row.version,
    revision: row.revision,
    runtime: Runtime.safeParse(row.config).data?.runtime ?? null,
    rowCount: Rows.safeParse(row.config).data?.rowCount ?? null,
    environmentState: row.environment_state,
    lastRun:
      row.last_run_id === null || row.last_run_at === null
        ? null
        : { id: row.last_run_id, status: RunStatus.parse(row.last_run_status), at: row.last_run_at.toISOString() },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    deletedAt: row.deleted_at?.toISOString() ?? null,
  };
}

export function toAsset(row: AssetRow, standing: Standing): Asset {
  return {
    ...toSummary(row, standing),
    tree: toTree(row),
    config: shownConfig(row, standing),
    slots: row.slots,
    clonedFrom: row.cloned_from === null ? null : ClonedFrom.parse(row.cloned_from),
    importSource: shownSource(row, standing),
    createdBy: toPerson(row.created_by, row.creator_name),
    updatedBy: toPerson(row.updated_by, row.updater_name),
    purgeAt: row.deleted_at === null ? null : new Date(row.deleted_at.getTime() + keptDays * 86_400_000).toISOString(),
    isOwner: standing.isOwner,
  };
}

/** Which credential a repository was read with is for those who may change the program. */
function shownSource({ import_source: source }: AssetRow, { level }: Standing): ImportSource | null {
  if (source === null) return null;
  const { credentialId, ...rest } = ImportSource.parse(source);
  return credentialId === undefined || (level !== "edit" && level !== "admin") ? rest : { ...rest, credentialId };
}

/** Where a model is, and with which credential, is for those who may change it. */
export function shownConfig(
  { type, config }: Pick<AssetRow, "type" | "config">,
  { level }: Pick<Standing, "level">,
): Record<string, unknown> {
  if (type !== "model" || level === "edit" || level === "admin") return { ...config };
  return { ...config, baseUrl: null, headers: {}, secretHeaders: {}, credentialId: null, projectId: null };
}

/** `config`: as much of it as is shown. */
export function toVersion(row: VersionRow, config: Record<string, unknown>): AssetVersion {
  return {
    version: row.version,
    message: row.message,
    tree: toTree(row),
    config,
    metadata: metadataOf(row),
    createdAt: row.created_at.toISOString(),
    createdBy: toPerson(row.created_by, row.creator_name),
  };
}

/** What a version was called; null when nobody wrote it down. */
export function metadataOf({ metadata }: Pick<VersionRow, "metadata">): AssetMetadata | null {
  return metadata === null ? null : AssetMetadata.parse(metadata);
}

function toTree(row: Pick<AssetRow, "tree_sha256" | "file_count" | "total_bytes">): Asset["tree"] {
  return row.tree_sha256 === null ? null : { sha256: row.tree_sha256, files: row.file_count ?? 0, bytes: row.total_bytes ?? 0 };
}

function toPerson(id: string | null, name: string | null): { id: string; name: string } | null {
  return id === null ? null : { id, name: name ?? "" };
}

export function toOwner(id: string, name: string | null): AssetOwner {
  if (id === "system") return { id, type: "system", name: "Syla" };
  return { id, type: id.startsWith("team_") ? "team" : "user", name: name ?? "" };
}
