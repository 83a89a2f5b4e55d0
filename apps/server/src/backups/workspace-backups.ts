import { AppError } from "@syla/contracts/errors";
import type { Backup } from "@syla/contracts/backups";
import type { Workspace } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import { can } from "../access/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import { newId } from "../platform/ids.ts";
import type { Trees } from "../platform/trees.ts";
import { treesOf, type Workspaces } from "../workspaces/service.ts";
import { keepContent, restoreContent } from "./content.ts";
import { counting, newProgress, openWriter } from "./create.ts";
import type { KnownRepository } from "./known-repository.ts";
import { readManifest, writeManifest, type Manifest } from "./manifest.ts";
import { toBackup } from "./presenter.ts";
import type { Backups } from "./service.ts";

/** What backups of workspaces are made of. */
export interface WorkspaceBackupsContext {
  readonly backups: Backups;
  readonly repository: KnownRepository;
  readonly workspaces: Workspaces;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly version: string;
}

/** Backups of a workspace alone, with its versions, in the repository of the installation. For whoever manages the workspace. */
export class WorkspaceBackups {
  readonly #context: WorkspaceBackupsContext;

  constructor(context: WorkspaceBackupsContext) {
    this.#context = context;
  }

  /** The newest first. @throws AppError `not_found`, `forbidden`, `backup_…` */
  async list(actor: Actor, id: string): Promise<Backup[]> {
    const isThere = await this.#manages(actor, id);
    const items = await this.#context.backups
      .list((backup) => backup.workspace?.id === id)
      .catch((error: unknown) => {
        // Nothing is there before the first backup.
        if (error instanceof AppError && error.code === "backup_repository_missing") return [];
        throw error;
      });
    if (!isThere && items.length === 0) throw new AppError("not_found");
    return items;
  }

  /** @throws AppError `backup_busy`, `backup_…` */
  async create(actor: Actor, id: string, note: string): Promise<Backup> {
    const { backups, workspaces, blobs, trees, repository: known, version } = this.#context;
    const copy = await workspaces.copyOf(actor, id);
    const repository = await known.open(true);
    const backupId = newId("bkp");
    const wish = { kind: "create", backupId, workspaceId: id, startedBy: actor.userId } as const;
    const { done } = await backups.begin(wish, async (report, signal) => {
      const startedAt = new Date().toISOString();
      const progress = Object.assign(report, newProgress(), { step: "content" as const });
      const writer = await openWriter(repository, progress, signal);
      const hashes = new Set<string>(treesOf(copy));
      for (const tree of treesOf(copy)) for (const { sha256 } of await trees.read(tree)) hashes.add(sha256);
      const content = await keepContent(writer, blobs, [...hashes].toSorted(), counting(progress), signal);
      const manifest: Manifest = {
        format: 1,
        id: backupId,
        scope: "workspace",
        isAutomatic: false,
        note,
        version,
        startedAt,
        finishedAt: new Date().toISOString(),
        newBytes: progress.newBytes,
        dump: null,
        files: [],
        physical: null,
        workspace: { ...copy, versions: [...copy.versions], trees: treesOf(copy) },
        content,
      };
      await writeManifest(repository, manifest);
      Object.assign(report, { step: "done", missing: content.missingCount });
      return toBackup(manifest);
    });
    return await done;
  }

  /** As a new workspace of the actor's, or over the files that are there. @throws AppError `backup_not_found`, `backup_busy`, … */
  async restore(actor: Actor, id: string, backupId: string, into: "new" | "same"): Promise<Workspace> {
    const { backups, workspaces, blobs, repository: known } = this.#context;
    const isThere = await this.#manages(actor, id);
    const repository = await known.open(false);
    const manifest = await readManifest(repository, backupId);
    const copy = manifest.workspace;
    if (copy?.id !== id) throw new AppError("backup_not_found", { message: `There is no backup ${backupId} of this workspace.` });
    if (!isThere && into === "same") throw new AppError("not_found");
    const wish = { kind: "restore", backupId, workspaceId: id, startedBy: actor.userId } as const;
    const { done } = await backups.begin(wish, async (report) => {
      report.step = "content";
      await restoreContent(repository, manifest.content, blobs, counting(report));
      const message = `Before the backup of ${manifest.startedAt.slice(0, 16).replace("T", " ")} UTC was restored`;
      const restored =
        into === "new" ? await workspaces.createFromCopy(actor, copy) : await workspaces.restoreCopy(actor, id, copy, message);
      report.step = "done";
      return restored;
    });
    return await done;
  }

  /** Whether it is there; one that is gone for good administrators may still restore. @throws AppError `not_found`, `forbidden` */
  async #manages(actor: Actor, id: string): Promise<boolean> {
    try {
      await this.#context.workspaces.copyOf(actor, id);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found" && can(actor, "workspace:list-all")) return false;
      throw error;
    }
  }
}
