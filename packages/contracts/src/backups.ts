import { z } from "zod";
import { route } from "./route.ts";
import { Workspace } from "./workspaces.ts";

const note = z.string().trim().max(200).describe("what it is for, in words");

/** A backup as it is in the repository. */
export const Backup = z
  .object({
    id: z.string(),
    scope: z.enum(["installation", "workspace"]),
    workspace: z.object({ id: z.string(), name: z.string() }).nullable().describe("null: of the whole installation"),
    isAutomatic: z.boolean().describe("made by the server itself; so many of those are kept as `SYLA_BACKUP_KEEP` says"),
    note: z.string(),
    version: z.string().describe("of Syla"),
    startedAt: z.iso.datetime().describe("the database is as it was a moment later"),
    finishedAt: z.iso.datetime(),
    rows: z.int().describe("of the database; 0 for a workspace"),
    blobs: z.int().describe("of content"),
    bytes: z.int().describe("of content and of the database, as they are unpacked"),
    newBytes: z.int().describe("that it has added to the repository"),
    missing: z.int().describe("blobs that the store did not have whole: content was lost before"),
    anyTimeFrom: z.iso
      .datetime()
      .nullable()
      .describe("from here on the database can be taken to any time; null: only to that of the backup"),
  })
  .meta({ id: "Backup" });
export type Backup = z.infer<typeof Backup>;

const JobKind = z.enum(["create", "verify", "delete", "restore"]);

/** How far a job is, and what it found. */
export const BackupReport = z
  .object({
    step: z.enum(["database", "cluster", "content", "done"]),
    blobs: z.int(),
    bytes: z.int(),
    newBytes: z.int().describe("written to the repository, besides what was there"),
    newObjects: z.int(),
    missing: z.int(),
    objects: z.int().describe("that were looked at, or removed"),
    problems: z.array(z.string()).describe("what a verification found, the first 100"),
    problemCount: z.int(),
    error: z.string().nullable(),
  })
  .meta({ id: "BackupReport" });
export type BackupReport = z.infer<typeof BackupReport>;

export const BackupJob = z
  .object({
    id: z.string(),
    kind: JobKind,
    state: z.enum(["running", "done", "failed", "stopped"]),
    isStopping: z.boolean(),
    isAutomatic: z.boolean(),
    backupId: z.string().nullable(),
    workspaceId: z.string().nullable(),
    startedBy: z.string().nullable().describe("null: the server itself"),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    report: BackupReport,
  })
  .meta({ id: "BackupJob" });
export type BackupJob = z.infer<typeof BackupJob>;

export const BackupStatus = z
  .object({
    place: z.string().nullable().describe("the folder or the bucket of the repository; null: none is configured"),
    problem: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable().describe("why the repository cannot be read"),
    everyHours: z.int().describe("how often the server makes a backup by itself; 0: never"),
    keep: z.int().describe("how many of those are kept"),
    nextAt: z.iso.datetime().nullable().describe("the next one is made about then"),
    logHours: z.int().describe("so far back the database can be taken to any moment; 0: only to the moments of backups"),
    items: z.array(Backup).describe("the newest first"),
    jobs: z.array(BackupJob).describe("the newest 20"),
  })
  .meta({ id: "BackupStatus" });
export type BackupStatus = z.infer<typeof BackupStatus>;

const base = "/api/v1/backups";
const ofInstallation = { tag: "admin", auth: "admin" } as const;
const byId = z.object({ id: z.string().max(64) });
const ofWorkspace = { tag: "workspaces", auth: "user" } as const;
const byWorkspace = z.object({ id: z.string().max(64) });
const repositoryErrors = [
  "backup_not_configured",
  "backup_passphrase_wrong",
  "backup_repository_foreign",
  "backup_repository_missing",
  "backup_repository_unavailable",
  "backup_damaged",
] as const;

export const backupRoutes = {
  listBackups: route({
    ...ofInstallation,
    method: "GET",
    path: base,
    summary: "The backups that there are, when the next one is made, and what was done to them lately (administrators)",
    responses: { 200: BackupStatus },
    errors: [],
  }),
  createBackup: route({
    ...ofInstallation,
    audit: "admin.backup",
    method: "POST",
    path: base,
    summary: "Back up the whole installation, while people work (administrators)",
    body: z.strictObject({ note: note.default("") }),
    responses: { 202: BackupJob },
    errors: [...repositoryErrors, "backup_busy"],
  }),
  getBackup: route({
    ...ofInstallation,
    method: "GET",
    path: `${base}/:id`,
    summary: "What is in a backup (administrators)",
    params: byId,
    responses: { 200: Backup },
    errors: [...repositoryErrors, "backup_not_found"],
  }),
  verifyBackup: route({
    ...ofInstallation,
    audit: "admin.backup_verify",
    method: "POST",
    path: `${base}/:id/verify`,
    summary: "Look whether a backup is whole; with `deep`, read all of it (administrators)",
    params: byId,
    body: z.strictObject({ deep: z.boolean().default(false) }),
    responses: { 202: BackupJob },
    errors: [...repositoryErrors, "backup_not_found", "backup_busy"],
  }),
  deleteBackup: route({
    ...ofInstallation,
    audit: "admin.backup_delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a backup, and what no other one needs (administrators)",
    params: byId,
    responses: { 202: BackupJob },
    errors: [...repositoryErrors, "backup_not_found", "backup_busy"],
  }),
  getBackupJob: route({
    ...ofInstallation,
    method: "GET",
    path: "/api/v1/backup-jobs/:id",
    summary: "How far a job on the backups is, and what it found (administrators)",
    params: byId,
    responses: { 200: BackupJob },
    errors: ["not_found"],
  }),
  stopBackupJob: route({
    ...ofInstallation,
    audit: "admin.backup_stop",
    method: "POST",
    path: "/api/v1/backup-jobs/:id/stop",
    summary: "Stop a job on the backups; the next backup finds what this one has written (administrators)",
    params: byId,
    responses: { 200: BackupJob },
    errors: ["not_found"],
  }),
  listWorkspaceBackups: route({
    ...ofWorkspace,
    method: "GET",
    path: "/api/v1/workspaces/:id/backups",
    summary: "The backups of a workspace alone, the newest first",
    params: byWorkspace,
    responses: { 200: z.object({ items: z.array(Backup) }) },
    errors: [...repositoryErrors, "not_found", "forbidden"],
  }),
  backUpWorkspace: route({
    ...ofWorkspace,
    audit: "workspace.backup",
    method: "POST",
    path: "/api/v1/workspaces/:id/backups",
    summary: "Back up a workspace with its versions; answered when it is done",
    params: byWorkspace,
    body: z.strictObject({ note: note.default("") }),
    responses: { 201: Backup },
    errors: [...repositoryErrors, "not_found", "forbidden", "backup_busy", "backup_repository_full"],
  }),
  restoreWorkspaceBackup: route({
    ...ofWorkspace,
    audit: "workspace.restore_backup",
    method: "POST",
    path: "/api/v1/workspaces/:id/backups/:backupId/restore",
    summary: "Restore a backup of a workspace: as a new one, or over the files that are there, which become a version",
    params: z.object({ id: z.string().max(64), backupId: z.string().max(64) }),
    body: z.strictObject({ into: z.enum(["new", "same"]).default("new") }),
    responses: { 200: Workspace },
    errors: [
      ...repositoryErrors,
      "not_found",
      "forbidden",
      "backup_not_found",
      "backup_busy",
      "workspace_archived",
      "workspace_deleted",
      "quota_exceeded",
    ],
  }),
};
