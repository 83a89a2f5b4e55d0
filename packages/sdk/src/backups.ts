import type { Backup, BackupJob, BackupStatus } from "@syla/contracts/backups";
import type { Workspace } from "@syla/contracts/workspaces";
import type { CallOptions, Transport } from "./transport.ts";

/** Backups: of the whole installation for administrators, of a workspace for whoever manages it. */
export interface Backups {
  /** Those that there are, when the next one is made, and what was done to them lately. */
  status(options?: CallOptions): Promise<BackupStatus>;
  /** Begins to back up the installation, which goes on by itself. */
  create(note?: string, options?: CallOptions): Promise<BackupJob>;
  get(id: string, options?: CallOptions): Promise<Backup>;
  /** Begins to look whether a backup is whole; with `deep` all of it is read. */
  verify(id: string, wish?: { readonly deep?: boolean }, options?: CallOptions): Promise<BackupJob>;
  /** Begins to delete a backup, with what no other one needs. */
  delete(id: string, options?: CallOptions): Promise<BackupJob>;
  /** How far a job is. */
  job(id: string, options?: CallOptions): Promise<BackupJob>;
  /** Stops a job; it has ended a moment later. */
  stop(id: string, options?: CallOptions): Promise<BackupJob>;
  /** The backups of a workspace, the newest first. */
  ofWorkspace(workspaceId: string, options?: CallOptions): Promise<Backup[]>;
  /** Backs up a workspace with its versions; resolves when it is done. */
  createOfWorkspace(workspaceId: string, note?: string, options?: CallOptions): Promise<Backup>;
  /** As a new workspace, or over the files that are there, which become a version. */
  restoreWorkspace(workspaceId: string, backupId: string, into?: "new" | "same", options?: CallOptions): Promise<Workspace>;
}

export function createBackups(transport: Transport): Backups {
  return {
    status: (options = {}) => transport.json("listBackups", options),
    create: (note = "", options = {}) => transport.json("createBackup", { ...options, body: { note } }),
    get: (id, options = {}) => transport.json("getBackup", { ...options, params: { id } }),
    verify: (id, { deep = false } = {}, options = {}) => transport.json("verifyBackup", { ...options, params: { id }, body: { deep } }),
    delete: (id, options = {}) => transport.json("deleteBackup", { ...options, params: { id } }),
    job: (id, options = {}) => transport.json("getBackupJob", { ...options, params: { id } }),
    stop: (id, options = {}) => transport.json("stopBackupJob", { ...options, params: { id } }),
    ofWorkspace: async (id, options = {}) => (await transport.json("listWorkspaceBackups", { ...options, params: { id } })).items,
    createOfWorkspace: (id, note = "", options = {}) => transport.json("backUpWorkspace", { ...options, params: { id }, body: { note } }),
    restoreWorkspace: (id, backupId, into = "new", options = {}) =>
      transport.json("restoreWorkspaceBackup", { ...options, params: { id, backupId }, body: { into } }),
  };
}
