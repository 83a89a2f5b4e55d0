import type { Readable } from "node:stream";
import type { Asset } from "@syla/contracts/assets";
import type { DatasetConfig, DatasetSplitsInput } from "@syla/contracts/dataset-config";
import type { ColumnStatistics, DatasetContentQuery, ExportQuery, NewDatasetQuery, RowsQuery } from "@syla/contracts/datasets";
import { AppError } from "@syla/contracts/errors";
import type { RunDatasetInput } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Revision } from "../platform/revision.ts";
import type { BlobRef, Blobs } from "../platform/blobs.ts";
import type { TreeRef, Trees } from "../platform/trees.ts";
import { findContent, readStatistics, storeContent, writeContent, type Content } from "./content.ts";
import { checkMounts, toMount, type MountedDataset } from "./mount.ts";
import { openSource, type ReadingWish } from "./reading/source.ts";
import { readRows, type RowPage } from "./rows.ts";
import { countSplits, requireSplit } from "./splits.ts";

export { checkMounts, datasetHashes, datasetVariables, MountedDataset, mountedFiles } from "./mount.ts";

/** What datasets are made of. */
export interface DatasetsContext {
  readonly catalog: Pick<
    Catalog,
    "create" | "get" | "update" | "publish" | "resolve" | "requireCreatable" | "requireChangeable" | "requireNewVersion"
  >;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly uploads: {
    /** @returns those that are new to them */
    recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]>;
    forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void>;
  };
  readonly quotas: { storageRoom(actor: Actor, most: number): Promise<number>; storageExceeded(actor: Actor): Promise<AppError> };
  /** Of one upload, bytes. */
  readonly maxBytes: number;
}

/** A file that is being downloaded. */
export interface DatasetFile {
  readonly name: string;
  readonly format: DatasetConfig["format"];
  readonly content: AsyncGenerator<Uint8Array>;
}

interface StoredRows {
  readonly tree: TreeRef;
  readonly config: DatasetConfig;
}

/** Rows of an upload. `fresh`: what they added to the storage of who brought them. */
interface FreshRows extends StoredRows {
  readonly fresh: readonly BlobRef[];
}

/** Datasets: assets of rows. Each change of one is a version. Every call checks the actor's permission. */
export class Datasets {
  readonly #context: DatasetsContext;

  constructor(context: DatasetsContext) {
    this.#context = context;
  }

  /** @throws AppError `dataset_…`, `payload_too_large`, `quota_exceeded`, `forbidden`, `name_taken` */
  async create(actor: Actor, upload: Readable, query: NewDatasetQuery): Promise<Asset> {
    const { catalog } = this.#context;
    const { name, description, ownerId, visibility } = query;
    const { tree, config, fresh } = await drained(upload, async () => {
      await catalog.requireCreatable(actor, { type: "dataset", name, ownerId });
      return await this.#store(actor, upload, query, null);
    });
    const tags = query.tags === "" ? [] : [...new Set(query.tags.split(","))];
    const wish = { type: "dataset", name, description, tags, ownerId, visibility, tree, config } as const;
    const made = await this.#orForgotten(actor, fresh, catalog.create(actor, wish));
    await catalog.publish(actor, made.id, { message: "The first rows" }, made.revision);
    return await catalog.get(actor, made.id);
  }

  /** Other rows in place of those that are there; the splits are shared out anew. */
  async replace(actor: Actor, id: string, upload: Readable, query: DatasetContentQuery, revision: Revision | undefined): Promise<Asset> {
    const { catalog } = this.#context;
    const { stored, read } = await drained(upload, async () => {
      await catalog.requireChangeable(actor, id, revision, "dataset");
      if (query.version !== undefined) await catalog.requireNewVersion(actor, id, query.version);
      const { config, asset } = await catalog.resolve(actor, "asset:edit", id, undefined, "dataset");
      return { stored: await this.#store(actor, upload, query, config.splits), read: asset.revision };
    });
    const { version, message = "Other rows" } = query;
    const { tree, config, fresh } = stored;
    const changed = await this.#orForgotten(actor, fresh, catalog.update(actor, id, { tree, config }, revisionOf(revision, read)));
    return await this.#published(actor, changed, { version, message });
  }

  /** Shares the rows out; null: into no splits. */
  async split(
    actor: Actor,
    id: string,
    {
      splits,
      message = splits === null ? "No splits" : "Splits",
    }: { readonly splits: DatasetSplitsInput | null; readonly message?: string | undefined },
    revision: Revision | undefined,
  ): Promise<Asset> {
    const { catalog } = this.#context;
    await catalog.requireChangeable(actor, id, revision, "dataset");
    const { tree, config, asset } = await catalog.resolve(actor, "asset:edit", id, undefined, "dataset");
    if (tree === null) throw new AppError("not_found");
    const next = { ...config, splits: splits === null ? null : await countSplits(splits, config.rowCount) };
    const changed = await catalog.update(actor, id, { tree, config: next }, revisionOf(revision, asset.revision));
    return await this.#published(actor, changed, { message });
  }

  async rows(actor: Actor, id: string, query: RowsQuery): Promise<RowPage> {
    return await readRows(this.#context.blobs, (await this.#content(actor, id, query.version)).content, query);
  }

  async statistics(actor: Actor, id: string, version: string | undefined): Promise<{ rowCount: number; columns: ColumnStatistics[] }> {
    const { content } = await this.#content(actor, id, version);
    return { rowCount: content.config.rowCount, columns: await readStatistics(this.#context.blobs, content) };
  }

  /** @throws AppError `split_unknown` */
  async export(actor: Actor, id: string, query: ExportQuery): Promise<DatasetFile> {
    const { content, name } = await this.#content(actor, id, query.version);
    const { split = null, format = content.config.format } = query;
    if (split !== null) requireSplit(content.config.splits, split);
    const file = [name, query.version, split].filter((part) => part != null).join("-");
    return { name: `${file}.${format}`, format, content: writeContent(this.#context.blobs, content, { format, split }) };
  }

  /** Datasets for a run of a program: the actor may run on each. `taken`: paths of the run's other files. @throws AppError */
  async forRun(actor: Actor, wishes: readonly RunDatasetInput[], taken: readonly string[]): Promise<MountedDataset[]> {
    const mounts: MountedDataset[] = [];
    for (const [index, wish] of wishes.entries()) {
      const { content, name } = await this.#content(actor, wish.id, wish.version, "asset:run").catch((error: unknown) => {
        throw error instanceof AppError && error.code === "not_found"
          ? new AppError("not_found", {
              message: "There is no such dataset.",
              fields: [{ path: `datasets.${index}.id`, message: "is no dataset that you may use" }],
            })
          : error;
      });
      if (wish.split !== undefined) requireSplit(content.config.splits, wish.split, `datasets.${index}.split`);
      mounts.push(toMount(wish, name, content));
    }
    checkMounts(mounts, taken);
    await this.#context.blobs.keep(mounts.flatMap(({ rows, index }) => [rows.sha256, index]));
    return mounts;
  }

  /** Whether somebody may run again on what a run had. @throws AppError `not_found`, `forbidden`, `asset_deleted` */
  async requireAgain(actor: Actor, mounts: readonly MountedDataset[]): Promise<void> {
    for (const { id, version } of mounts) await this.#context.catalog.resolve(actor, "asset:run", id, version ?? undefined, "dataset");
  }

  async #content(
    actor: Actor,
    id: string,
    version: string | undefined,
    action: "asset:read" | "asset:run" = "asset:read",
  ): Promise<{ content: Content; name: string }> {
    const { asset, tree, config } = await this.#context.catalog.resolve(actor, action, id, version, "dataset");
    return { content: await findContent(this.#context, tree?.sha256 ?? null, config), name: asset.name };
  }

  async #published(actor: Actor, { id, revision }: Asset, wish: { version?: string | undefined; message: string }): Promise<Asset> {
    const { catalog } = this.#context;
    await catalog.publish(actor, id, wish, revision);
    return await catalog.get(actor, id);
  }

  /** What was stored for something that did not come about is given back to their quota. */
  async #orForgotten<T>(actor: Actor, fresh: readonly BlobRef[], work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      await this.#context.uploads.forgetUploads(actor, fresh);
      throw error;
    }
  }

  /** Reads an upload and stores its rows. Whatever is wrong with it, nothing is left of it that anything refers to. */
  async #store(actor: Actor, upload: Readable, wish: ReadingWish, splits: DatasetSplitsInput | null): Promise<FreshRows> {
    const { blobs, trees, uploads, quotas, maxBytes } = this.#context;
    const room = await quotas.storageRoom(actor, maxBytes);
    const { source, format, writer } = await openSource(upload.iterator({ destroyOnReturn: false }), wish, maxBytes);
    const rows = await blobs.putStream(writer.bytes, { maxBytes: Math.min(maxBytes, room) }).catch(async (error: unknown) => {
      const isOverQuota = room < maxBytes && error instanceof AppError && error.code === "payload_too_large";
      throw isOverQuota ? await quotas.storageExceeded(actor) : error;
    });
    const written = writer.finish();
    const entries = await storeContent(blobs, format, rows, written);
    const { columns, rowCount } = written;
    const counted = splits === null ? null : await countSplits(withoutCounts(splits), rowCount);
    const fresh = await uploads.recordUploads(actor, entries);
    const tree = await this.#orForgotten(actor, fresh, trees.put(entries));
    return { tree, fresh, config: { format, source, columns: [...columns], rowCount, contentSha256: rows.sha256, splits: counted } };
  }
}

/** Whoever takes any revision means the one that was read: rows that came meanwhile are not put back. */
function revisionOf(revision: Revision | undefined, read: number): Revision | undefined {
  return revision === "*" ? read : revision;
}

function withoutCounts({ seed, shares }: DatasetSplitsInput): DatasetSplitsInput {
  return { seed, shares: shares.map(({ name, percent }) => ({ name, percent })) };
}

/** After a refusal the rest is read and dropped: else the connection would be stuck for the client's next request. */
async function drained<T>(upload: Readable, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    upload.resume();
  }
}
