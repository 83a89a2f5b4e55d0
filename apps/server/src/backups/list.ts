import { AppError } from "@syla/contracts/errors";
import type { Backup, BackupStatus } from "@syla/contracts/backups";
import { listIds, readManifest } from "./manifest.ts";
import { toBackup } from "./presenter.ts";
import type { Repository } from "./repository/repository.ts";

/** What is in a repository. */
export type BackupList = Pick<BackupStatus, "items" | "problem">;

/** Backups that were read before, by their ids. */
interface Known {
  get(id: string): Backup | undefined;
  set(id: string, backup: Backup): unknown;
}

/**
 * The backups that open, the newest first, and what is wrong with the newest that does not. What is read
 * is added to `known`.
 *
 * @throws AppError `backup_…`
 */
export async function listBackups(repository: Repository, known: Known = new Map<string, Backup>()): Promise<BackupList> {
  const items: Backup[] = [];
  let problem: BackupStatus["problem"] = null;
  for (const id of await listIds(repository)) {
    try {
      const backup = known.get(id) ?? toBackup(await readManifest(repository, id));
      known.set(id, backup);
      items.push(backup);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "backup_damaged") throw error;
      problem ??= { code: error.code, message: error.message, hint: `\`syla backup delete ${id}\` removes it; the others stay.` };
    }
  }
  return { items, problem };
}
