import type { Asset, AssetDiff, AssetMetadata, AssetVersion } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import { notifyEach } from "../../notifications/service.ts";
import type { Blobs } from "../../platform/blobs.ts";
import type { Work } from "../../platform/database.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import type { Revision } from "../../platform/revision.ts";
import type { TreeDiff, Trees } from "../../platform/trees.ts";
import { requireRunnable, type CheckConfig, type OnChanged } from "../config.ts";
import { checkText, loadAsset, lockAsset, presentAsset, type LoadingContext } from "../loading.ts";
import { claimNames, describeAsset } from "../naming.ts";
import { metadataOf, shownConfig, toVersion } from "../presenter.ts";
import * as assets from "../store.ts";
import { diffConfigs, diffFiles } from "../../platform/diff-files.ts";
import { nextVersions, versionKey, type NextVersions } from "./numbers.ts";
import * as store from "./store.ts";

/** What versions are made of. */
export interface VersionsContext extends LoadingContext {
  /** What has to hold of a configuration before it is stored. */
  readonly checkConfig?: CheckConfig;
  readonly onChanged?: OnChanged;
  readonly onFiles?: (actor: Actor, tree: string, isPublished: boolean) => Promise<void>;
  /** Brings what people draw together in a composition into its draft. */
  readonly settleDraft?: (id: string) => Promise<void>;
  readonly blobs: Blobs;
  readonly trees: Trees;
}

/** What is asked to be published. */
export interface PublishWish {
  readonly version?: string | undefined;
  readonly message?: string;
}

/** The word for what is there now, where a version could stand. */
const head = "head";

/** Published versions of assets: immutable, in the order of their numbers. */
export class Versions {
  readonly #context: VersionsContext;

  constructor(context: VersionsContext) {
    this.#context = context;
  }

  /** Publishes the head. @throws AppError `version_taken`, `entrypoint_missing`, `revision_conflict`, `asset_deleted` */
  async publish(actor: Actor, id: string, wish: PublishWish, revision: Revision = "*"): Promise<AssetVersion> {
    await loadAsset(this.#context, actor, "asset:edit", id);
    await this.#context.settleDraft?.(id);
    const { version, tree } = await this.#context.database.queries.transaction().execute(async (work) => {
      const row = await lockAsset(this.#context, actor, work, id, revision);
      const chosen = await this.publishLocked(work, actor, row, wish);
      return { version: chosen, tree: row.type === "program" ? row.tree_sha256 : null };
    });
    if (tree !== null) await this.#context.onFiles?.(actor, tree, true);
    return await this.get(actor, id, version);
  }

  /** Publishes an asset that the transaction holds, as it is in it. Returns the version. @throws AppError `version_taken`, `entrypoint_missing` */
  async publishLocked(work: Work, actor: Actor, row: assets.AssetRow, wish: PublishWish): Promise<string> {
    const { id } = row;
    await requireRunnable(this.#context.trees, row);
    const next = nextVersions(await store.findHighestVersion(work, id)).patch;
    const chosen = wish.version ?? next;
    const isNew = await store.insertVersion(work, {
      asset_id: id,
      version: chosen,
      version_key: versionKey(chosen),
      tree_sha256: row.tree_sha256,
      config: JSON.stringify(row.config),
      metadata: JSON.stringify(describe(row)),
      message: wish.message ?? "",
      created_by: actor.userId,
    });
    if (!isNew)
      throw new AppError("version_taken", {
        message: `Version ${chosen} has been published already.`,
        fields: [{ path: "version", message: `is in use; ${next} is not` }],
        details: { suggestion: next },
      });
    await assets.changeAsset(work, id, actor.userId, { version: await store.findHighestVersion(work, id) });
    await tellUsers(work, actor, row, { version: chosen, message: wish.message ?? "" });
    return chosen;
  }

  async list(
    actor: Actor,
    id: string,
    query: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ items: AssetVersion[]; nextCursor: string | null; next: NextVersions }> {
    const row = await loadAsset(this.#context, actor, "asset:read", id);
    const page = { limit: query.limit, before: readCursor(query.cursor) };
    const rows = await store.listVersions(this.#context.database.queries, id, page);
    const config = await this.#shown(actor, row);
    const present = (found: store.VersionRow) => toVersion(found, config(found));
    return { ...toPage(rows, query.limit, (found) => versionKey(found.version), present), next: nextVersions(row.version) };
  }

  async get(actor: Actor, id: string, version: string): Promise<AssetVersion> {
    const config = await this.#shown(actor, await loadAsset(this.#context, actor, "asset:read", id));
    const found = await this.#find(id, version);
    return toVersion(found, config(found));
  }

  /** Puts a version's files, configuration and metadata into the head; what was there stays in its own versions. */
  async restore(actor: Actor, id: string, version: string, revision: Revision | undefined): Promise<Asset> {
    const { type, owner_id: ownerId, visibility, config: before } = await loadAsset(this.#context, actor, "asset:edit", id);
    const found = await this.#find(id, version);
    await this.#context.settleDraft?.(id); // what was drawn until then is somebody else's change
    await this.#context.checkConfig?.(actor, { id, type, ownerId, config: found.config, before, visibility });
    await this.#context.database.queries.transaction().execute(async (work) => {
      const row = await lockAsset(this.#context, actor, work, id, revision);
      const metadata = metadataOf(found);
      const described = metadata === null ? {} : describeAsset(row, { ...metadata, name: await freeNameFor(work, row, metadata.name) });
      const change = { ...described, tree_sha256: found.tree_sha256, config: JSON.stringify(found.config) };
      await assets.changeAsset(work, id, actor.userId, change);
      await this.#context.onChanged?.(work, row, { config: found.config }, actor.userId);
    });
    if (type === "program" && found.tree_sha256 !== null) await this.#context.onFiles?.(actor, found.tree_sha256, false);
    return await presentAsset(this.#context, actor, await loadAsset(this.#context, actor, "asset:read", id));
  }

  /** What differs between two versions, or the head. From the newest version to the head when nothing is said. */
  async diff(actor: Actor, id: string, ends: { readonly from?: string | undefined; readonly to?: string | undefined }): Promise<AssetDiff> {
    const row = await loadAsset(this.#context, actor, "asset:read", id);
    const from = ends.from ?? row.version;
    const to = ends.to ?? head;
    const at = async (end: string | null) =>
      end === null
        ? { tree_sha256: null, config: {}, metadata: null }
        : end === head
          ? { tree_sha256: row.tree_sha256, config: row.config, metadata: describe(row) }
          : await this.#find(id, end);
    const [before, after] = [await at(from), await at(to)];
    const [called, calledNow] = [metadataOf(before), metadataOf(after)];
    const config = await this.#shown(actor, row);
    const all = await this.#context.trees.diff(before.tree_sha256, after.tree_sha256);
    const trees = row.type === "dataset" ? rowsOnly(all) : all;
    return {
      from,
      to,
      ...(await diffFiles(this.#context.blobs, trees)),
      // A composition's follows from its files.
      config: row.type === "composition" ? [] : diffConfigs(config(before), config(after)),
      metadata: called === null || calledNow === null ? [] : diffConfigs(called, calledNow),
    };
  }

  /** As much of a configuration of this asset as the actor is shown. */
  async #shown(actor: Actor, row: assets.AssetRow): Promise<(of: { readonly config: object }) => Record<string, unknown>> {
    const { yourLevel: level } = await presentAsset(this.#context, actor, row);
    return ({ config }) => shownConfig({ type: row.type, config: { ...config } }, { level });
  }

  async #find(id: string, version: string): Promise<store.VersionRow> {
    const row = await store.findVersion(this.#context.database.queries, id, checkText(version));
    if (row === undefined) throw new AppError("not_found", { message: "There is no such version." });
    return row;
  }
}

/** Tells those who use an asset of its new version, once each: it is published once. */
async function tellUsers(
  work: Work,
  actor: Actor,
  asset: assets.AssetRow,
  { version, message }: Pick<AssetVersion, "version" | "message">,
) {
  const { id, type, name } = asset;
  await notifyEach(work, await store.listThoseWhoUse(work, asset, actor.userId), {
    type: "asset_updated",
    title: `“${name}” has a new version, ${version}`,
    body: message,
    link: `/${type}s/${id}${type === "model" ? "" : "?tab=versions"}`,
    details: { assetId: id, version },
  });
}

function describe({ name, description, tags, slots }: AssetMetadata): AssetMetadata {
  return { name, description, tags, slots };
}

/** The name, or, when its owner has something else of that name by now, the one that it has. */
async function freeNameFor(work: Work, row: assets.AssetRow, name: string): Promise<string> {
  try {
    await claimNames(work, row, { name });
    return name;
  } catch (error) {
    if (error instanceof AppError && error.code === "name_taken") return row.name;
    throw error;
  }
}

/** What lies beside the rows of a dataset follows from them. */
function rowsOnly({ added, removed, changed }: TreeDiff): TreeDiff {
  const isRows = ({ path }: { readonly path: string }) => path.startsWith("rows.");
  return { added: added.filter(isRows), removed: removed.filter(isRows), changed: changed.filter(({ to }) => isRows(to)) };
}
