import { assetConfigs, type AssetConfig } from "@syla/contracts/asset-configs";
import { assetPrefixes, type AssetType } from "@syla/contracts/asset-fields";
import type {
  Asset,
  AssetChange,
  AssetFilter,
  AssetMetadata,
  AssetOwner,
  AssetPage,
  AssetSummary,
  AssetUses,
  AssetVersion,
  CloneInput,
  ImportSource,
  TransferInput,
  TreeFileInput,
} from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { LinkedAsset } from "@syla/contracts/linked-things";
import type { TreeChange } from "@syla/contracts/programs";
import type { RunStatus } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import { findConfirmedUser } from "../accounts/service.ts";
import { can, findViewpoint, requirePermission, type Access, type Hold, type Thing } from "../access/service.ts";
import { notify } from "../notifications/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { settling } from "../quotas/service.ts";
import type { TreeEntry, TreeRef, Trees } from "../platform/trees.ts";
import type { Runtimes } from "../runtimes/service.ts";
import { readConfig, readTree, type CheckConfig, type CompositionFiles, type OnChanged } from "./config.ts";
import { applyChanges, storeFiles, type Uploads } from "./files.ts";
import { describeLinked } from "./linked.ts";
import { readFilter, writePlace } from "./list/query.ts";
import { findPlaces } from "./list/places.ts";
import type { Revision } from "../platform/revision.ts";
import { checkText, loadAsset, lockAsset, presentAsset, requireRevision, toThing, type AssetAction } from "./loading.ts";
import { claimNames, describeAsset, insertNamed, requireFreeName, type RowChange } from "./naming.ts";
import { metadataOf, toOwner, toSummary } from "./presenter.ts";
import { guessProgramConfig } from "./program-defaults.ts";
import { toSearchVector } from "./search-text.ts";
import * as store from "./store.ts";
import { Versions, type PublishWish } from "./versions/service.ts";
import { findVersion, noteVersionSlots } from "./versions/store.ts";

export { createOwnership, type Ownership } from "./ownership.ts";
export { applyChanges, storeFiles, type Uploads } from "./files.ts";
export { freeName, nameKey } from "./names.ts";
export { toOwner } from "./presenter.ts";
export { mayOwn } from "./store.ts";

const mostTags = 10;
/** Of what uses an asset, so much is looked at, and so much is told. */
const mostUses = 1000;
const mostShownUses = 100;

/** What the catalog is made of. */
export interface CatalogContext {
  readonly database: Database;
  readonly access: Access;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly runtimes: Runtimes;
  readonly compositions: CompositionFiles;
  readonly uploads: Uploads;
  /** Whether somebody may give things to a team. */
  readonly isMember: (actor: Actor, teamId: string) => Promise<boolean>;
  readonly checkConfig?: CheckConfig;
  readonly onChanged?: OnChanged;
  /** Whether somebody may call a model. */
  readonly mayUseModel?: (actor: Actor, modelId: string) => Promise<boolean>;
  /** Told of the files that a program has from now on, and whether they were published. */
  readonly onFiles?: (actor: Actor, tree: string, isPublished: boolean) => Promise<void>;
  /** Brings what people draw together in a composition into its draft: who reads that next reads it. */
  readonly settleDraft?: (id: string) => Promise<void>;
}

/** A new asset. Its files are given as a tree that is stored, or as files that are to be. */
export interface NewAsset {
  readonly type: AssetType;
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** The actor when left out; a team of theirs; `system` by administrators. */
  readonly ownerId?: string | undefined;
  readonly visibility?: "private" | "public";
  readonly tree?: TreeRef | null;
  readonly files?: readonly TreeFileInput[] | undefined;
  /** Of the type; a program's is guessed from its files when left out, a composition's always follows from them. */
  readonly config?: unknown;
  readonly slots?: readonly string[];
  readonly importSource?: ImportSource | null;
  readonly clonedFrom?: { readonly id: string; readonly version: string | null } | null;
  /** The configuration that it is a copy of, whose secrets in the open stay. */
  readonly copiedConfig?: unknown;
  /** Take a name like the wished one when that is taken. */
  readonly anotherName?: boolean;
  /** Publish it at once: both, or neither. */
  readonly publish?: PublishWish | undefined;
}

/** A change of an asset, with what only the server itself may change. */
export interface Change extends AssetChange {
  readonly tree?: TreeRef | undefined;
  readonly slots?: readonly string[] | undefined;
  readonly importSource?: ImportSource | null | undefined;
  /** Publish what it is then: both, or neither. */
  readonly publish?: PublishWish | undefined;
}

/** What changes in the same step as an asset, or not at all. Whoever asks for it has checked it. */
export interface Beside {
  readonly becomesCapped: boolean;
  write(work: Work): Promise<void>;
}

/** The draft of a composition. */
export interface CompositionDraft {
  readonly ownerId: string;
  readonly createdBy: string | null;
  readonly revision: number;
  readonly tree: TreeRef;
}

/** An asset as it is used: what is there now, or a published version. */
export interface ResolvedAsset<T extends AssetType = AssetType> {
  readonly asset: { readonly id: string; readonly type: T; readonly name: string; readonly ownerId: string; readonly revision: number };
  /** Null: the head. */
  readonly version: string | null;
  readonly tree: TreeRef | null;
  readonly config: AssetConfig<T>;
}

/** The catalog: what there is, and whose it is. Every call checks the actor's permission. */
export class Catalog {
  readonly published: Versions;
  readonly #context: CatalogContext;

  constructor(context: CatalogContext) {
    this.#context = context;
    this.published = new Versions(context);
  }

  /** @throws AppError `forbidden`, `name_taken`, `invalid_request`, `invalid_path`, `blob_unknown`, `payload_too_large` */
  async create(actor: Actor, input: NewAsset): Promise<Asset> {
    requirePermission(actor, "asset:create");
    if (input.type === "composition" && input.config !== undefined) throw followsFromGraph("config");
    const ownerId = await this.#owner(actor, input.ownerId);
    const files = input.files ?? this.#firstFiles(input);
    const entries = files === undefined ? null : await storeFiles(this.#context, actor, files);
    const tree = entries === null ? (input.tree ?? null) : await this.#context.trees.put(entries);
    if (tree !== null) await this.#context.blobs.keep([tree.sha256]);
    const config = readConfig(input.type, input.config ?? (await this.#guess(input.type, entries, tree)));
    const { type, copiedConfig: before } = input;
    await this.#context.checkConfig?.(actor, { type, ownerId, config, before, visibility: visibilityOf(input, ownerId) });
    const id = newId(assetPrefixes[input.type]);
    const { name, description = "", tags = [], slots = [] } = input;
    const row = {
      id,
      type: input.type,
      name,
      description,
      tags: [...tags],
      slots: [...slots],
      owner_id: ownerId,
      visibility: visibilityOf(input, ownerId),
      tree_sha256: tree?.sha256 ?? null,
      config: JSON.stringify(config),
      cloned_from: input.clonedFrom == null ? null : JSON.stringify(input.clonedFrom),
      import_source: input.importSource == null ? null : JSON.stringify(input.importSource),
      created_by: actor.userId,
      updated_by: actor.userId,
    };
    // What was uploaded is counted; a copy has content that its owner has brought nowhere.
    const gains = tree !== null && input.clonedFrom != null ? [ownerId] : [];
    const insert = async (work: Work) => {
      await insertNamed(work, row, input.anotherName);
      await this.#publishWithin(work, actor, id, input.publish);
    };
    await this.#transaction((work) => settling(work, gains, () => insert(work)));
    if (input.type === "program" && tree !== null) await this.#context.onFiles?.(actor, tree.sha256, input.publish !== undefined);
    return await this.get(actor, id);
  }

  /** Refuses early what `create` would refuse late: nobody sends much for nothing. @throws AppError `forbidden`, `not_found`, `name_taken` */
  async requireCreatable(actor: Actor, { type, name, ownerId: wish }: Pick<NewAsset, "type" | "name" | "ownerId">): Promise<void> {
    requirePermission(actor, "asset:create");
    const ownerId = await this.#owner(actor, wish);
    await requireFreeName(this.#context.database.queries, { type, name, ownerId });
  }

  /** The same before a change. @throws AppError `not_found`, `forbidden`, `asset_deleted`, `revision_required`, `revision_conflict` */
  async requireChangeable(actor: Actor, id: string, revision: Revision | undefined, type: AssetType): Promise<void> {
    const row = await loadAsset(this.#context, actor, "asset:edit", id);
    if (row.type !== type) throw new AppError("not_found");
    await requireRevision(this.#context, actor, row, revision);
  }

  /** The same before a version of that number is published. @throws AppError `version_taken` */
  async requireNewVersion(actor: Actor, id: string, version: string): Promise<void> {
    const row = await loadAsset(this.#context, actor, "asset:edit", id);
    if ((await findVersion(this.#context.database.queries, row.id, version)) === undefined) return;
    throw new AppError("version_taken", {
      message: `Version ${version} has been published already.`,
      fields: [{ path: "version", message: "is in use" }],
    });
  }

  /** What was deleted is there for those who may restore it. */
  async get(actor: Actor, id: string): Promise<Asset> {
    return await presentAsset(this.#context, actor, await loadAsset(this.#context, actor, "asset:read", id));
  }

  /** Somebody's view of the catalog, one page of it. */
  async list(actor: Actor, filter: AssetFilter): Promise<AssetPage> {
    const { queries } = this.#context.database;
    const viewer = { userId: actor.userId, role: actor.role, ...(await findViewpoint(queries, actor.userId, "asset")) };
    const { query, places } = await findPlaces(queries, viewer, readFilter(actor, filter));
    const shown = places.slice(0, query.limit);
    const last = places.length > query.limit ? shown.at(-1) : undefined;
    const items = await this.#summaries(
      actor,
      shown.map((place) => place.id),
    );
    return { items, nextCursor: last === undefined ? null : writePlace(query, last), isAlike: query.isAlike };
  }

  /** @throws AppError `revision_conflict`, `revision_required`, `name_taken`, `asset_deleted`, `version_taken` */
  async update(actor: Actor, id: string, change: Change, revision: Revision | undefined, beside?: Beside): Promise<Asset> {
    const found = await loadAsset(this.#context, actor, "asset:edit", id);
    if (change.visibility !== undefined) await this.#context.access.require(actor, "asset:share", toThing(found));
    if (found.type === "dataset" && change.config !== undefined && change.tree === undefined) throw followsFromRows("config");
    if (found.type === "composition" && change.config !== undefined) throw followsFromGraph("config");
    const given = found.type === "composition" && change.tree !== undefined ? await this.#describe(change.tree) : change.config;
    const config = given === undefined ? undefined : readConfig(found.type, given);
    if (config !== undefined || change.visibility !== undefined) {
      const { type, owner_id: ownerId, visibility } = found;
      const next = {
        id,
        type,
        ownerId,
        config: config ?? found.config,
        before: found.config,
        visibility: change.visibility ?? visibility,
        becomesCapped: beside?.becomesCapped,
      };
      await this.#context.checkConfig?.(actor, next);
    }
    const { name, slug } = change;
    const apply = async (row: store.AssetRow, work: Work): Promise<RowChange> => {
      if (name !== undefined || slug !== undefined)
        await claimNames(work, row, { ...(name === undefined ? {} : { name }), ...(slug === undefined ? {} : { slug }) });
      await beside?.write(work);
      if (config !== undefined) await this.#context.onChanged?.(work, row, { config }, actor.userId);
      return {
        ...(change.tree === undefined ? {} : { tree_sha256: change.tree.sha256 }),
        ...(config === undefined ? {} : { config: JSON.stringify(config) }),
        ...(change.visibility === undefined ? {} : { visibility: change.visibility }),
        ...(change.importSource === undefined ? {} : { import_source: JSON.stringify(change.importSource) }),
        ...describeAsset(row, change),
      };
    };
    await this.#change(actor, id, revision, apply, change.tree === undefined ? [] : broughtFor(found, actor), change.publish);
    return await this.get(actor, id);
  }

  /** A composition's draft as it lies, for what looks after those who draw it together; undefined when it is gone. */
  async draft(id: string): Promise<CompositionDraft | undefined> {
    const row = await store.findAsset(this.#context.database.queries, id);
    if (row === undefined || row.type !== "composition" || row.deleted_at !== null) return undefined;
    const { tree } = await this.#at(row, undefined);
    return tree === null ? undefined : { ownerId: row.owner_id, createdBy: row.created_by, revision: row.revision, tree };
  }

  /**
   * Puts in place of a draft what people have drawn together, of whom each was asked with each change whether they may. `write`: what changes in the
   * same step.
   *
   * @throws AppError `revision_conflict`, `asset_deleted`, `quota_exceeded`
   */
  async putDraft(actor: Actor, id: string, tree: TreeRef, revision: number, write: (work: Work) => Promise<void>): Promise<void> {
    const config = readConfig("composition", await this.#describe(tree));
    const found = await store.findAsset(this.#context.database.queries, id);
    if (found?.type !== "composition") throw new AppError("not_found");
    const apply = async (row: store.AssetRow, work: Work): Promise<RowChange> => {
      await write(work);
      await this.#context.onChanged?.(work, row, { config }, actor.userId);
      return { tree_sha256: tree.sha256, config: JSON.stringify(config) };
    };
    await this.#change(actor, id, revision, apply, broughtFor(found, actor));
  }

  /** Deletes it, for now: it can be restored for a while. */
  async delete(actor: Actor, id: string): Promise<void> {
    const row = await loadAsset(this.#context, actor, "asset:delete", id);
    if (row.deleted_at !== null) return;
    const { queries } = this.#context.database;
    await store.changeAsset(queries, id, actor.userId, { deleted_at: new Date(), deleted_by: actor.userId });
  }

  /** @throws AppError `name_taken` */
  async restore(actor: Actor, id: string): Promise<Asset> {
    await loadAsset(this.#context, actor, "asset:delete", id);
    await this.#transaction(async (work) => {
      const row = await store.lockAsset(work, id);
      if (row === undefined) throw new AppError("not_found");
      if (row.deleted_at === null) return;
      await claimNames(work, row, {});
      await store.changeAsset(work, id, actor.userId, { deleted_at: null, deleted_by: null });
    });
    return await this.get(actor, id);
  }

  /** A copy of the head or of a version, with its files. The owner's secrets, and a model that the actor may not use, are left out. */
  async clone(actor: Actor, id: string, { name, ownerId, version }: CloneInput): Promise<Asset> {
    const row = await this.#loadSettled(actor, "asset:read", id, version);
    // Where a model is, is for those who may change it.
    if (row.type === "model") await this.#context.access.require(actor, "asset:edit", toThing(row));
    const { tree, config, metadata } = await this.#at(row, version);
    const { description, tags, slots } = metadata ?? row;
    return await this.create(actor, {
      type: row.type,
      name: name ?? metadata?.name ?? row.name,
      anotherName: name === undefined,
      description,
      tags,
      slots,
      ownerId,
      tree,
      config: await this.#copied(actor, row.type, config),
      clonedFrom: { id, version: version ?? null },
      // Of a program, whoever copies it is asked for everything that it uses.
      copiedConfig: row.type === "model" ? config : undefined,
    });
  }

  /** Gives an asset to somebody else, who is told; whoever gave it away may not see it any more. @throws AppError `not_found`, `name_taken` */
  async transfer(actor: Actor, id: string, to: TransferInput): Promise<{ id: string; owner: AssetOwner }> {
    const { name, type, owner_id: before } = await loadAsset(this.#context, actor, "asset:transfer", id);
    // Somebody's own models answer to the names that they use: nobody else puts one among them.
    if (type === "model" && to.email !== undefined && !can(actor, "model:give-away"))
      throw new AppError("forbidden", { message: "A model is not given to another person.", hint: "Give it to a team, or share it." });
    const ownerId = await this.#newOwner(actor, to);
    const give = async (work: Work) => {
      const row = await lockAsset(this.#context, actor, work, id, "*");
      if (row.owner_id === ownerId) return;
      await claimNames(work, row, { ownerId });
      await store.changeAsset(work, id, actor.userId, { owner_id: ownerId });
      await this.#context.onChanged?.(work, row, { ownerId }, actor.userId);
      if (ownerId.startsWith("user_") && ownerId !== actor.userId)
        await notify(work, { userId: ownerId, type: "share_received", title: `“${name}” belongs to you now`, link: `/${type}s/${id}` });
    };
    await this.#transaction((work) => settling(work, [before, ownerId], () => give(work)));
    const row = await store.findAsset(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    return { id, owner: toOwner(row.owner_id, row.owner_name) };
  }

  /** Adds and removes tags. @throws AppError `too_many_tags` */
  async tag(
    actor: Actor,
    id: string,
    { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
  ): Promise<void> {
    await loadAsset(this.#context, actor, "asset:edit", id);
    await this.#change(actor, id, "*", async (row) => {
      const tags = [...new Set([...row.tags, ...add])].filter((tag) => !remove.includes(tag));
      if (tags.length > mostTags) throw new AppError("too_many_tags");
      return tags.join() === row.tags.join() ? {} : describeAsset(row, { tags });
    });
  }

  /** Changes files of the head: all of them in one new tree, or none. @throws AppError `revision_conflict`, `path_exists`, `file_not_found` */
  async changeFiles(actor: Actor, id: string, changes: readonly TreeChange[], revision: Revision | undefined): Promise<Asset> {
    const { trees } = this.#context;
    const found = await loadAsset(this.#context, actor, "asset:edit", id);
    if (found.type === "dataset") throw followsFromRows("changes");
    if (found.type === "composition") throw followsFromGraph("changes");
    await requireRevision(this.#context, actor, found, revision);
    const writes = changes.flatMap((change, index) => (change.op === "write" ? [{ file: change.file, index }] : []));
    const files = writes.map((write) => write.file);
    const known = await readTree(trees, found);
    const written = await storeFiles(this.#context, actor, files, known, (index) => `changes.${writes[index]?.index}.file`);
    const apply = async (row: store.AssetRow, work: Work): Promise<RowChange> => {
      const entries = applyChanges(await readTree(trees, row), changes, written);
      const next = await trees.put(entries, work).catch((error: unknown) => {
        throw error instanceof AppError ? locatedIn("changes", error) : error;
      });
      return next.sha256 === row.tree_sha256 ? {} : { tree_sha256: next.sha256 };
    };
    await this.#change(actor, id, revision, apply, broughtFor(found, actor));
    return await this.get(actor, id);
  }

  /** The files of the head or of a version, in the order of their paths. */
  async files(actor: Actor, id: string, version?: string): Promise<{ tree: TreeRef; revision: number; entries: readonly TreeEntry[] }> {
    const row = await this.#loadSettled(actor, "asset:read", id, version);
    // Who has nothing but a link is shown its graph without secrets, and not the file that has them.
    if (actor.via === "link" && row.type === "composition") throw new AppError("not_found");
    const { tree } = await this.#at(row, version);
    if (tree === null) throw new AppError("not_found", { message: "This has no files." });
    return { tree, revision: row.revision, entries: await this.#context.trees.read(tree.sha256) };
  }

  /** Holds what reading it rests on: the signal aborts when the actor may do so no more, or has gone. @throws AppError `not_found`, `forbidden` */
  async hold(actor: Actor, id: string, gone: AbortSignal): Promise<Hold> {
    const row = await loadAsset(this.#context, actor, "asset:read", id);
    return this.#context.access.hold(actor, "asset:read", toThing(row), () => this.thing(id), gone);
  }

  /** Publishes the head; a version never changes. @throws AppError `version_taken`, `entrypoint_missing`, `revision_conflict` */
  async publish(actor: Actor, id: string, wish: PublishWish, revision: Revision = "*"): Promise<AssetVersion> {
    return await this.published.publish(actor, id, wish, revision);
  }

  /** Has every program with these files found by its slots. */
  async noteSlots(tree: string, slots: readonly string[]): Promise<void> {
    await this.#transaction(async (work) => {
      for (const row of await store.lockProgramsOf(work, tree)) {
        if (row.slots.join("\0") === slots.join("\0")) continue;
        const { slots: next, search } = { slots: [...slots], search: toSearchVector({ ...row, slots }) };
        await store.noteSlots(work, row.id, { slots: next, search });
      }
      await noteVersionSlots(work, tree, slots);
    });
  }

  /** An asset for use: by a run, an environment, the gateway. `version`: a published one; the head when left out. @throws AppError `not_found`, `forbidden`, `asset_deleted` */
  async resolve<T extends AssetType>(actor: Actor, action: AssetAction, id: string, version?: string, type?: T): Promise<ResolvedAsset<T>> {
    const row = await this.#loadSettled(actor, action, id, version);
    if (type !== undefined && row.type !== type) throw new AppError("not_found");
    if (row.deleted_at !== null) throw new AppError("asset_deleted");
    const { tree, config } = await this.#at(row, version);
    const asset = { id: row.id, type: row.type as T, name: row.name, ownerId: row.owner_id, revision: row.revision };
    return { asset, version: version ?? null, tree, config: assetConfigs[row.type].parse(config) as AssetConfig<T> };
  }

  /** Notes how the last run of an asset stands. */
  async noteRun(id: string, run: { readonly id: string; readonly status: RunStatus; readonly at: Date }): Promise<void> {
    await store.noteRun(this.#context.database.queries, id, run);
  }

  /** What sharing needs to know of an asset. Undefined when there is none, or it has been deleted. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = await store.findAsset(this.#context.database.queries, checkText(id));
    return row === undefined || row.deleted_at !== null ? undefined : toThing(row);
  }

  /** Which compositions use an asset that the actor may see. @throws AppError `not_found` */
  async uses(actor: Actor, id: string): Promise<AssetUses> {
    const { yourLevel } = await this.get(actor, id);
    const { queries } = this.#context.database;
    const found = await store.findUses(queries, id, mostUses);
    const seen = await store.findWatchers(
      queries,
      found.map((use) => use.id),
      [actor.userId],
    );
    const mayBeSeen = new Set(seen.map((row) => row.asset_id));
    const items = found.filter((use) => mayBeSeen.has(use.id)).slice(0, mostShownUses);
    return { items, others: yourLevel === "admin" ? found.length - items.length : 0 };
  }

  /** What a link shows of an asset; whoever asks for it has checked that it may. */
  async linked(id: string): Promise<LinkedAsset | null> {
    return await describeLinked(this.#context.database.queries, checkText(id));
  }

  /** What lists show of assets that the actor may see. */
  async #summaries(actor: Actor, ids: readonly string[]): Promise<AssetSummary[]> {
    const rows = await store.findAssets(this.#context.database.queries, ids);
    const standings = await this.#context.access.standings(actor, rows.map(toThing));
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => {
      const row = byId.get(id);
      const standing = standings.get(id);
      return row === undefined || standing === undefined ? [] : [toSummary(row, standing)];
    });
  }

  /** `gains`: who has content by it that others have brought. */
  async #change(
    actor: Actor,
    id: string,
    revision: Revision | undefined,
    changeOf: (row: store.AssetRow, work: Work) => Promise<RowChange>,
    gains: readonly string[] = [],
    publish?: PublishWish,
  ): Promise<void> {
    const apply = async (work: Work) => {
      const row = await lockAsset(this.#context, actor, work, id, revision);
      const change = await changeOf(row, work);
      if (Object.keys(change).length > 0) await store.changeAsset(work, id, actor.userId, change);
      await this.#publishWithin(work, actor, id, publish);
      return row.type === "program" ? change.tree_sha256 : null;
    };
    const tree = await this.#transaction((work) => settling(work, gains, () => apply(work)));
    if (typeof tree === "string") await this.#context.onFiles?.(actor, tree, publish !== undefined);
  }

  async #publishWithin(work: Work, actor: Actor, id: string, wish: PublishWish | undefined): Promise<void> {
    if (wish === undefined) return;
    await this.published.publishLocked(work, actor, await lockAsset(this.#context, actor, work, id, "*"), wish);
  }

  /** An asset, of whose draft everything that people draw together is in it, where that is what is asked for. */
  async #loadSettled(actor: Actor, action: AssetAction, id: string, version: string | undefined): Promise<store.AssetRow> {
    const row = await loadAsset(this.#context, actor, action, id);
    if (row.type !== "composition" || version !== undefined || this.#context.settleDraft === undefined) return row;
    await this.#context.settleDraft(id);
    return await loadAsset(this.#context, actor, action, id);
  }

  async #at(
    row: store.AssetRow,
    version: string | undefined,
  ): Promise<{ tree: TreeRef | null; config: object; metadata: AssetMetadata | null }> {
    const at = version === undefined ? row : await findVersion(this.#context.database.queries, row.id, checkText(version));
    if (at === undefined) throw new AppError("not_found", { message: "There is no such version." });
    const { tree_sha256: sha256, file_count: files, total_bytes: bytes, config } = at;
    const tree = sha256 === null ? null : { sha256, files: files ?? 0, bytes: bytes ?? 0 };
    return { tree, config, metadata: "metadata" in at ? metadataOf(at) : null };
  }

  /** What a copy has of a configuration: a program's without what is its owner's, nothing of what follows from files. */
  async #copied(actor: Actor, type: AssetType, config: object): Promise<object | undefined> {
    if (type === "composition") return undefined;
    return type === "program" ? await this.#withoutOwners(actor, config) : config;
  }

  async #withoutOwners(actor: Actor, config: object): Promise<object> {
    const program = assetConfigs.program.parse(config);
    const { modelId } = program;
    const mayUse = modelId !== null && (await this.#context.mayUseModel?.(actor, modelId)) !== false;
    return { ...program, secrets: [], modelId: mayUse ? modelId : null };
  }

  async #owner(actor: Actor, wish: string | undefined): Promise<string> {
    if (wish === undefined || wish === actor.userId) return actor.userId;
    if (wish === "system" && can(actor, "system:own")) return wish;
    if (wish.startsWith("team_") && (await this.#context.isMember(actor, wish))) return wish;
    throw new AppError("not_found", {
      message: "You are in no such team.",
      fields: [{ path: "ownerId", message: "must be you or one of your teams" }],
    });
  }

  async #newOwner(actor: Actor, { email, ownerId }: TransferInput): Promise<string> {
    if ((email === undefined) === (ownerId === undefined))
      throw new AppError("invalid_request", { fields: [{ path: "email", message: "give either an e-mail address or an owner" }] });
    if (email === undefined) return await this.#owner(actor, ownerId === "me" ? actor.userId : ownerId);
    const userId = await findConfirmedUser(this.#context.database.queries, email.toLowerCase());
    if (userId !== undefined && (await store.mayOwn(this.#context.database.queries, userId))) return userId;
    throw new AppError("not_found", {
      message: "Nobody with this address can own assets here.",
      hint: "Check the address; end users own none.",
      fields: [{ path: "email", message: "is nobody's who can own assets" }],
    });
  }

  async #guess(type: AssetType, entries: readonly TreeEntry[] | null, tree: TreeRef | null): Promise<unknown> {
    if (type !== "program" && type !== "composition") return {};
    const files = entries ?? (tree === null ? [] : await this.#context.trees.read(tree.sha256));
    return type === "program" ? await guessProgramConfig(this.#context, files) : await this.#context.compositions.describe(files);
  }

  async #describe({ sha256 }: TreeRef): Promise<unknown> {
    return await this.#context.compositions.describe(await this.#context.trees.read(sha256));
  }

  /** A composition always has its graph. */
  #firstFiles({ type, name, tree }: NewAsset): TreeFileInput[] | undefined {
    return type === "composition" && (tree ?? null) === null ? this.#context.compositions.begin(name) : undefined;
  }

  async #transaction<T>(work: (work: Work) => Promise<T>): Promise<T> {
    try {
      return await this.#context.database.queries.transaction().execute(work);
    } catch (error) {
      throw store.isNameConflict(error) ? new AppError("name_taken", { cause: error }) : error;
    }
  }
}

/** What is the system's is there for everybody; of its models, administrators may keep one for those with whom they share it. */
function visibilityOf({ type, visibility }: NewAsset, ownerId: string): "private" | "public" {
  if (ownerId !== "system") return visibility ?? "private";
  return type === "model" ? (visibility ?? "public") : "public";
}

/** A dataset's columns, counts and files are what its rows make them. */
function followsFromRows(path: string): AppError {
  return new AppError("invalid_request", {
    message: "What a dataset consists of follows from its rows.",
    hint: "Upload other rows with `POST /datasets/{id}/content`, or share them out with `POST /datasets/{id}/splits`.",
    fields: [{ path, message: "cannot be changed for a dataset" }],
  });
}

/** What of a composition is known besides its name follows from its graph. */
function followsFromGraph(path: string): AppError {
  return new AppError("invalid_request", {
    message: "What a composition consists of follows from its graph.",
    hint: "Put another graph with `PUT /compositions/{id}/graph`.",
    fields: [{ path, message: "cannot be changed for a composition" }],
  });
}

/** For whom somebody brings files into an asset: what they bring themselves is counted already. */
function broughtFor({ owner_id: ownerId }: store.AssetRow, { userId }: Actor): string[] {
  return ownerId === userId ? [] : [ownerId];
}

/** The files of a tree are numbered otherwise than the changes that made it. */
function locatedIn(path: string, { code, message, hint, fields }: AppError): AppError {
  return new AppError(code, { message, hint, fields: fields.map((field) => ({ ...field, path })) });
}
