import type { Backup, BackupJob, BackupReport } from "@syla/contracts/backups";
import { showJob } from "../platform/jobs.ts";
import type { Manifest } from "./manifest.ts";
import type { BackupJobRow } from "./store.ts";

export function toBackup(manifest: Manifest): Backup {
  const tables = manifest.dump?.tables ?? [];
  const sum = (pick: (table: (typeof tables)[number]) => number) => tables.reduce((total, table) => total + pick(table), 0);
  const { id, scope, workspace, isAutomatic, note, version, startedAt, finishedAt, newBytes, content, physical } = manifest;
  return {
    id,
    scope,
    workspace: workspace === null ? null : { id: workspace.id, name: workspace.name },
    isAutomatic,
    note,
    version,
    startedAt,
    finishedAt,
    rows: sum((table) => table.rows),
    blobs: content.blobs,
    bytes: content.bytes + sum((table) => table.bytes),
    newBytes,
    missing: content.missingCount,
    anyTimeFrom: physical?.consistentAt ?? null,
  };
}

export type JobReport = { -readonly [K in keyof BackupReport]: BackupReport[K] };

export function newReport(): JobReport {
  return {
    step: "database",
    blobs: 0,
    bytes: 0,
    newBytes: 0,
    newObjects: 0,
    missing: 0,
    objects: 0,
    problems: [],
    problemCount: 0,
    error: null,
  };
}

export function toJob(row: BackupJobRow): BackupJob {
  return {
    ...showJob(row),
    kind: row.kind,
    isAutomatic: row.is_automatic,
    backupId: row.backup_id,
    workspaceId: row.workspace_id,
    report: { ...newReport(), ...row.report },
  };
}
