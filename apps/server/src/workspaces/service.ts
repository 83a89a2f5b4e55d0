import { AppError } from "@syla/contracts/errors";
import type { AssetOwner, TransferInput } from "@syla/contracts/assets";
import type { FileSearch, FoundFiles } from "@syla/contracts/file-search";
import type {
  Workspace,
  WorkspaceChange,
  WorkspaceCloneInput,
  WorkspaceDiff,
  WorkspaceFileChanges,
  WorkspaceFilter,
  WorkspaceInput,
  WorkspaceSource,
  WorkspaceVersion,
} from "@syla/contracts/workspaces";
import type { NetworkPolicy } from "@syla/contracts/network";
import type { Actor } from "../access/actor.ts";
import { can, findTeamRoles, requirePermission, type Hold, type Thing } from "../access/service.ts";
import { findConfirmedUser } from "../accounts/service.ts";
import { mayOwn, storeFiles, toOwner, type Catalog } from "../catalog/service.ts";
import type { Imports } from "../imports/service.ts";
import { notify } from "../notifications/service.ts";
import type { Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Revision } from "../platform/revision.ts";
import type { TreeEntry, TreeRef } from "../platform/trees.ts";
import { settling } from "../quotas/service.ts";
import { adoptTrees, copyWorkspace, kindOf, putCopyOver, type WorkspaceCopy } from "./copies.ts";
import { beforeImport, changeFiles, putFiles, type FilesContext } from "./files.ts";
import type { WorkspaceTimes } from "./kinds.ts";
import { loadWorkspace, presentWorkspace, requireChangeable, requireRevision, toThing } from "./loading.ts";
import { toWorkspace, treeOf } from "./presenter.ts";
import { searchFiles } from "./search.ts";
import * as store from "./store.ts";
import { diffVersions, listVersions, requireVersion, restoreVersion, snapshot, treeAt } from "./versions.ts";

export { treesOf, type WorkspaceCopy } from "./copies.ts";
export type { WorkspaceTimes } from "./kinds.ts";

/** What workspaces are made of. */
export interface WorkspacesContext extends FilesContext {
  readonly catalog: Pick<Catalog, "resolve">;
  readonly imports: Pick<Imports, "collect">;
  /** Whether somebody may give things to a team. */
  readonly isMember: (actor: Actor, teamId: string) => Promise<boolean>;
}

/** The times of workspaces, read from settings that are asked each time. */
export function readTimes(
  get: (name: `workspace${"EphemeralMinutes" | "SessionHours" | "IdleMinutes" | "CollaborativeIdleMinutes" | "ArchiveDays"}`) => number,
): WorkspaceTimes {
  return {
    ephemeralMs: get("workspaceEphemeralMinutes") * 60_000,
    sessionMs: get("workspaceSessionHours") * 3_600_000,
    idleMs: get("workspaceIdleMinutes") * 60_000,
    collaborativeIdleMs: get("workspaceCollaborativeIdleMinutes") * 60_000,
    archiveMs: get("workspaceArchiveDays") * 86_400_000,
  };
}

/** Workspaces: trees of files with a life of their own. Every call checks the actor's permission. */
export class Workspaces {
  readonly #context: WorkspacesContext;

  constructor(context: WorkspacesContext) {
    this.#context = context;
  }

  /** @throws AppError `forbidden`, `name_taken`, `invalid_path`, `blob_unknown`, `payload_too_large`, `quota_exceeded`, … */
  async create(actor: Actor, input: WorkspaceInput, signal: AbortSignal): Promise<Workspace> {
    requirePermission(actor, input.kind === "ephemeral" ? "workspace:try" : "workspace:create");
    const ownerId = await this.#owner(actor, input.ownerId);
    requireNetwork(actor, input.network);
    if (input.files !== undefined && input.source !== undefined)
      throw new AppError("invalid_request", { fields: [{ path: "source", message: "give either files or a source" }] });
    const entries =
      input.source === undefined
        ? await storeFiles(this.#context, actor, input.files ?? [])
        : await this.#collect(actor, input.source, signal);
    const tree = await this.#context.trees.put(entries);
    const from = input.source?.kind === "workspace" ? input.source : null;
    const clonedFrom = from === null ? null : { id: from.workspaceId, version: from.version?.toString() ?? null };
    return await this.#insert(actor, { ...input, ownerId, tree, clonedFrom, isBrought: input.source === undefined });
  }

  /** What was deleted is there for those who may restore it. */
  async get(actor: Actor, id: string): Promise<Workspace> {
    return await presentWorkspace(this.#context, actor, await loadWorkspace(this.#context, actor, "workspace:read", id));
  }

  /** One page of what somebody may see, those used last first. @throws AppError `invalid_cursor` */
  async list(actor: Actor, wish: WorkspaceFilter): Promise<{ items: Workspace[]; nextCursor: string | null }> {
    const { access, database, times } = this.#context;
    const filter = { ...wish, q: wish.q?.replaceAll("\0", " ") };
    const roles = await findTeamRoles(database.queries, actor.userId);
    const teamIds = [...roles.keys()];
    const viewer = { ...actor, teamIds, ownedTeamIds: teamIds.filter((id) => roles.get(id) === "owner") };
    const rows = await store.listWorkspaces(database.queries, viewer, filter, readPlace(filter.cursor));
    const shown = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? shown.at(-1) : undefined;
    const standings = await access.standings(actor, shown.map(toThing));
    return {
      items: shown.flatMap((row) => {
        const standing = standings.get(row.id);
        return standing === undefined ? [] : [toWorkspace(row, standing, times())];
      }),
      nextCursor: last === undefined ? null : Buffer.from(`${last.place} ${last.id}`).toString("base64url"),
    };
  }

  /** @throws AppError `revision_conflict`, `revision_required`, `name_taken`, `workspace_deleted` */
  async update(actor: Actor, id: string, change: WorkspaceChange, revision: Revision | undefined): Promise<Workspace> {
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    if (change.network !== undefined) requireNetwork(actor, change.network);
    const { network, keepOnExit, ...described } = change;
    await this.#transaction(async (work) => {
      const row = await this.#lock(work, id);
      requireChangeable(row);
      await requireRevision(this.#context, actor, row, revision, work);
      const columns = {
        ...described,
        ...(network === undefined ? {} : { network: JSON.stringify(network) }),
        ...(keepOnExit === undefined ? {} : { keep_on_exit: keepOnExit }),
      };
      if (change.name !== undefined) await store.lockNames(work, row.owner_id);
      if (Object.keys(columns).length > 0) await store.changeWorkspace(work, id, actor.userId, columns);
    });
    return await this.get(actor, id);
  }

  /** Deletes it: for now, or for good. @throws AppError `workspace_in_use` */
  async delete(actor: Actor, id: string, forGood = false): Promise<void> {
    await loadWorkspace(this.#context, actor, "workspace:delete", id);
    const storers = forGood ? await store.findStorers(this.#context.database.queries, [id]) : [];
    const remove = async (work: Work) => {
      const row = await this.#lock(work, id);
      if (await store.isInUse(work, id)) throw new AppError("workspace_in_use");
      if (forGood) await store.removeWorkspaces(work, [id]);
      else if (row.deleted_at === null)
        await store.changeWorkspace(work, id, actor.userId, { deleted_at: new Date(), deleted_by: actor.userId });
    };
    await this.#transaction((work) => settling(work, storers, () => remove(work)));
  }

  /** @throws AppError `name_taken` */
  async restore(actor: Actor, id: string): Promise<Workspace> {
    await loadWorkspace(this.#context, actor, "workspace:delete", id);
    await this.#transaction(async (work) => {
      const row = await this.#lock(work, id);
      if (row.deleted_at === null) return;
      await store.lockNames(work, row.owner_id);
      await store.changeWorkspace(work, id, actor.userId, { deleted_at: null, deleted_by: null });
      await store.touchWorkspace(work, id);
    });
    return await this.get(actor, id);
  }

  /** A copy of what is there, or of a version: another name for the same content. */
  async clone(actor: Actor, id: string, { name, kind, ownerId: wish, version }: WorkspaceCloneInput): Promise<Workspace> {
    const seen = await loadWorkspace(this.#context, actor, "workspace:read", id);
    const chosen = kind ?? seen.kind;
    requirePermission(actor, chosen === "ephemeral" ? "workspace:try" : "workspace:create");
    const ownerId = await this.#owner(actor, wish);
    await this.#context.settleLive(id);
    const row = await loadWorkspace(this.#context, actor, "workspace:read", id);
    const tree = version === undefined ? treeOf(row) : treeOf(await requireVersion(this.#context, id, version));
    await this.#context.blobs.keep([tree.sha256]);
    return await this.#insert(actor, {
      name: name ?? (await store.findFreeName(this.#context.database.queries, ownerId, row.name)),
      description: row.description,
      kind: chosen,
      ownerId,
      tree,
      network: "none",
      keepOnExit: row.keep_on_exit,
      clonedFrom: { id, version: version?.toString() ?? null },
      isBrought: false,
    });
  }

  /** Gives it to somebody else, who is told; whoever gave it away may not see it any more. @throws AppError `not_found`, `name_taken` */
  async transfer(actor: Actor, id: string, to: TransferInput): Promise<{ id: string; owner: AssetOwner }> {
    const { name, owner_id: before } = await loadWorkspace(this.#context, actor, "workspace:transfer", id);
    const ownerId = await this.#newOwner(actor, to);
    const give = async (work: Work) => {
      const row = await this.#lock(work, id);
      if (row.deleted_at !== null) throw new AppError("workspace_deleted");
      if (row.owner_id === ownerId) return;
      await store.lockNames(work, ownerId);
      await store.changeWorkspace(work, id, actor.userId, { owner_id: ownerId });
      if (ownerId.startsWith("user_") && ownerId !== actor.userId)
        await notify(work, { userId: ownerId, type: "share_received", title: `“${name}” belongs to you now`, link: `/workspaces/${id}` });
    };
    await this.#transaction((work) => settling(work, [before, ownerId], () => give(work)));
    const row = await store.findWorkspace(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    return { id, owner: toOwner(row.owner_id, row.owner_name) };
  }

  /** @throws AppError `workspace_in_use`, `workspace_archived`, `workspace_deleted` */
  async suspend(actor: Actor, id: string): Promise<Workspace> {
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    await this.#transaction(async (work) => {
      const row = await this.#lock(work, id);
      requireChangeable(row);
      if (await store.isInUse(work, id)) throw new AppError("workspace_in_use");
      if (row.state !== "suspended") await store.changeWorkspace(work, id, actor.userId, { state: "suspended" });
    });
    return await this.get(actor, id);
  }

  /** Not an ephemeral one: it ends, as whoever may have no other kind was told. @throws AppError `workspace_in_use`, `workspace_deleted`, `conflict` */
  async archive(actor: Actor, id: string): Promise<Workspace> {
    await loadWorkspace(this.#context, actor, "workspace:delete", id);
    await this.#context.settleLive(id);
    await this.#transaction(async (work) => {
      const row = await this.#lock(work, id);
      if (row.deleted_at !== null) throw new AppError("workspace_deleted");
      if (row.kind === "ephemeral")
        throw new AppError("conflict", {
          message: "An ephemeral workspace cannot be archived: it ends.",
          hint: "Clone it as another kind.",
        });
      if (await store.isInUse(work, id)) throw new AppError("workspace_in_use");
      if (row.state !== "archived") await store.changeWorkspace(work, id, actor.userId, { state: "archived", archived_at: new Date() });
    });
    return await this.get(actor, id);
  }

  /** Takes up what was suspended or archived. @throws AppError `workspace_deleted` */
  async resume(actor: Actor, id: string): Promise<Workspace> {
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    await this.#transaction(async (work) => {
      const row = await this.#lock(work, id);
      if (row.deleted_at !== null) throw new AppError("workspace_deleted");
      if (row.state !== "active") await store.changeWorkspace(work, id, actor.userId, { state: "active", archived_at: null });
      await store.touchWorkspace(work, id);
    });
    await this.#context.settleLive(id); // what was written until it was archived
    return await this.get(actor, id);
  }

  /** The files as they are now, or of a version, in the order of their paths. */
  async files(actor: Actor, id: string, version?: number): Promise<{ tree: TreeRef; revision: number; entries: readonly TreeEntry[] }> {
    const row = await loadWorkspace(this.#context, actor, "workspace:read", id);
    const tree = version === undefined ? treeOf(row) : treeOf(await requireVersion(this.#context, id, version));
    return { tree, revision: row.revision, entries: await this.#context.trees.read(tree.sha256) };
  }

  /** Holds what reading it rests on: the signal aborts when the actor may do so no more, or has gone. @throws AppError `not_found`, `forbidden` */
  async hold(actor: Actor, id: string, gone: AbortSignal): Promise<Hold> {
    const find = async () => {
      const row = await store.findWorkspace(this.#context.database.queries, id);
      return row === undefined ? undefined : toThing(row);
    };
    const row = await loadWorkspace(this.#context, actor, "workspace:read", id);
    return this.#context.access.hold(actor, "workspace:read", toThing(row), find, gone);
  }

  /** A page of the lines in its files that hold something. @throws AppError `invalid_pattern` */
  async search(
    actor: Actor,
    id: string,
    wish: FileSearch & { readonly version?: number | undefined },
    signal: AbortSignal,
  ): Promise<FoundFiles> {
    const { entries, revision } = await this.files(actor, id, wish.version);
    return { revision, ...(await searchFiles(this.#context.blobs, entries, wish, signal)) };
  }

  /** Changes files on what the writer saw at `revision`. @throws AppError `workspace_conflict`, … */
  async changeFiles(actor: Actor, id: string, wish: WorkspaceFileChanges, revision: Revision | undefined): Promise<Workspace> {
    await changeFiles(this.#context, actor, id, wish, revision);
    return await this.get(actor, id);
  }

  async snapshot(actor: Actor, id: string, message: string): Promise<WorkspaceVersion> {
    return await snapshot(this.#context, actor, id, message);
  }

  async versions(
    actor: Actor,
    id: string,
    query: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ items: WorkspaceVersion[]; nextCursor: string | null }> {
    return await listVersions(this.#context, actor, id, query);
  }

  async restoreVersion(actor: Actor, id: string, number: number, revision: Revision | undefined): Promise<Workspace> {
    await restoreVersion(this.#context, actor, id, number, revision);
    return await this.get(actor, id);
  }

  async diff(actor: Actor, id: string, ends: Parameters<typeof diffVersions>[3]): Promise<WorkspaceDiff> {
    return await diffVersions(this.#context, actor, id, ends);
  }

  /** Brings files of elsewhere in, over those of the same path, or in place of everything. @throws AppError */
  async import(
    actor: Actor,
    id: string,
    { source, replace }: { readonly source: WorkspaceSource; readonly replace: boolean },
    signal: AbortSignal,
  ): Promise<Workspace> {
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    await this.#context.settleLive(id);
    const row = await loadWorkspace(this.#context, actor, "workspace:edit", id);
    const base = await this.#context.trees.read(row.tree_sha256);
    const brought = await this.#collect(actor, source, signal);
    const paths = new Set(brought.map(({ path }) => path));
    const mine = replace ? brought : [...base.filter(({ path }) => !paths.has(path)), ...brought];
    await putFiles(this.#context, actor, id, { base, mine, onConflict: "refuse", before: beforeImport });
    return await this.get(actor, id);
  }

  /** Everything of it, for a backup. @throws AppError `not_found`, `forbidden` */
  async copyOf(actor: Actor, id: string): Promise<WorkspaceCopy> {
    return await copyWorkspace(this.#context, actor, id);
  }

  /** A new workspace of the actor's with the files and the versions of a copy, whose content is stored. @throws AppError `forbidden`, `quota_exceeded` */
  async createFromCopy(actor: Actor, copy: WorkspaceCopy): Promise<Workspace> {
    const kind = kindOf(copy);
    requirePermission(actor, kind === "ephemeral" ? "workspace:try" : "workspace:create");
    await adoptTrees(this.#context, copy);
    const tree = await this.#context.trees.find(copy.tree);
    if (tree === undefined) throw new AppError("not_found");
    return await this.#insert(actor, {
      name: await store.findFreeName(this.#context.database.queries, actor.userId, copy.name),
      description: copy.description,
      kind,
      ownerId: actor.userId,
      tree,
      network: "none",
      keepOnExit: copy.keepOnExit,
      clonedFrom: { id: copy.id, version: null },
      isBrought: false,
      versions: copy.versions,
    });
  }

  /** The files of a copy in the place of those that are there, which become a version. @throws AppError `workspace_archived`, … */
  async restoreCopy(actor: Actor, id: string, copy: WorkspaceCopy, message: string): Promise<Workspace> {
    await adoptTrees(this.#context, copy);
    await putCopyOver(this.#context, actor, id, copy, message);
    return await this.get(actor, id);
  }

  /** What sharing needs to know of a workspace. Undefined when there is none, or it has been deleted. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = id.includes("\0") ? undefined : await store.findWorkspace(this.#context.database.queries, id);
    return row === undefined || row.deleted_at !== null ? undefined : toThing(row);
  }

  /** The files of a source that the actor may read. @throws AppError */
  async #collect(actor: Actor, source: WorkspaceSource, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const { catalog, trees, imports } = this.#context;
    switch (source.kind) {
      case "program": {
        const { tree } = await catalog.resolve(actor, "asset:read", source.programId, source.version, "program");
        return tree === null ? [] : await trees.read(tree.sha256);
      }
      case "workspace": {
        const row = await loadWorkspace(this.#context, actor, "workspace:read", source.workspaceId);
        return await trees.read(await treeAt(this.#context, row, source.version));
      }
      default:
        return await imports.collect(actor, source, signal);
    }
  }

  async #insert(
    actor: Actor,
    wish: Pick<WorkspaceInput, "name" | "description" | "kind" | "network" | "keepOnExit"> & {
      readonly ownerId: string;
      readonly tree: TreeRef;
      readonly clonedFrom: Workspace["clonedFrom"];
      readonly isBrought: boolean;
      readonly versions?: WorkspaceCopy["versions"];
    },
  ): Promise<Workspace> {
    const id = newId("wsp");
    const { name, description, kind, network, keepOnExit, ownerId, tree, clonedFrom, isBrought, versions = [] } = wish;
    const row = {
      id,
      kind,
      name,
      description,
      owner_id: ownerId,
      tree_sha256: tree.sha256,
      network: JSON.stringify(network),
      keep_on_exit: keepOnExit,
      cloned_from: clonedFrom === null ? null : JSON.stringify(clonedFrom),
      created_by: actor.userId,
      updated_by: actor.userId,
    };
    // What was uploaded is counted; content of elsewhere its owner has brought nowhere.
    const insert = async (work: Work) => {
      await store.insertWorkspace(work, row);
      const copied = versions.map(({ number, tree: sha256, message, cause, createdBy, createdAt }) => ({
        workspace_id: id,
        number,
        tree_sha256: sha256,
        message,
        cause,
        created_by: createdBy,
        created_at: new Date(createdAt),
      }));
      await store.insertCopiedVersions(work, id, copied);
    };
    await this.#transaction((work) => settling(work, isBrought ? [] : [ownerId], () => insert(work)));
    return await this.get(actor, id);
  }

  async #lock(work: Work, id: string): Promise<store.WorkspaceRow> {
    const row = await store.lockWorkspace(work, id);
    if (row === undefined) throw new AppError("not_found");
    return row;
  }

  async #owner(actor: Actor, wish: string | undefined): Promise<string> {
    if (wish === undefined || wish === actor.userId) return actor.userId;
    if (wish.startsWith("team_") && can(actor, "workspace:create") && (await this.#context.isMember(actor, wish))) return wish;
    throw new AppError("not_found", {
      message: "You are in no such team.",
      fields: [{ path: "ownerId", message: "must be you or one of your teams" }],
    });
  }

  async #newOwner(actor: Actor, { email, ownerId }: TransferInput): Promise<string> {
    if ((email === undefined) === (ownerId === undefined))
      throw new AppError("invalid_request", { fields: [{ path: "email", message: "give either an e-mail address or an owner" }] });
    if (email === undefined) return await this.#owner(actor, ownerId === "me" ? actor.userId : ownerId);
    const { queries } = this.#context.database;
    const userId = await findConfirmedUser(queries, email.toLowerCase());
    if (userId !== undefined && (await mayOwn(queries, userId))) return userId;
    throw new AppError("not_found", {
      message: "Nobody with this address can own workspaces here.",
      hint: "Check the address; end users own none that last.",
      fields: [{ path: "email", message: "is nobody's who can own workspaces" }],
    });
  }

  async #transaction<T>(work: (work: Work) => Promise<T>): Promise<T> {
    try {
      return await this.#context.database.queries.transaction().execute(work);
    } catch (error) {
      throw store.isNameConflict(error) ? nameTaken(error) : error;
    }
  }
}

/** Full network is for administrators, here as in runs. @throws AppError `forbidden` */
function requireNetwork(actor: Actor, network: NetworkPolicy): void {
  if (network === "full") requirePermission(actor, "run:full-network");
}

function nameTaken(cause: unknown): AppError {
  return new AppError("name_taken", { cause, fields: [{ path: "name", message: "is in use" }] });
}

/** @throws AppError `invalid_cursor` */
function readPlace(cursor: string | undefined): { at: string; id: string } | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, "base64url").toString();
  const [, at, id] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d)?) (wsp_[0-9a-z]{26})$/.exec(text) ?? [];
  if (at === undefined || id === undefined || Number.isNaN(Date.parse(at.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"))))
    throw new AppError("invalid_cursor");
  return { at, id };
}
