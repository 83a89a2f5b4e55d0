import { contentPieces, listContent } from "./content.ts";
import { deleteManifest, listIds, ownPieces, readManifest, type Manifest } from "./manifest.ts";
import { pruneLog } from "./physical/log-archive.ts";
import { asideFolder, type Repository } from "./repository/repository.ts";

/** How many automatic backups are kept, and since when the database can be taken back to any time; null: it cannot. */
export interface Retention {
  readonly keep: number;
  readonly logSince: Date | null;
}

/** Which automatic backups are kept no longer; those that somebody made stay until somebody deletes them. */
export function findSurplus(manifests: readonly Manifest[], { keep, logSince }: Retention): string[] {
  const automatic = manifests.filter((manifest) => manifest.scope === "installation" && manifest.isAutomatic);
  const newestFirst = automatic.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  // Whoever goes back to the beginning of the time needs a copy of the cluster from before it.
  const base =
    logSince === null
      ? undefined
      : manifests.filter((manifest) => isBefore(manifest, logSince)).toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
  return newestFirst
    .slice(keep)
    .filter((manifest) => manifest.id !== base?.id && !(logSince !== null && manifest.physical !== null && !isBefore(manifest, logSince)))
    .map(({ id }) => id);
}

function isBefore({ physical }: Manifest, time: Date): boolean {
  return physical !== null && Date.parse(physical.consistentAt) <= time.getTime();
}

/** What was removed. */
export interface Pruned {
  readonly backups: string[];
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Removes backups, and every object that none of the others names: what a backup that was cut off has left, too. Nothing may write to the repository
 * meanwhile. When a backup that stays cannot be read, nothing is removed.
 */
export async function prune(repository: Repository, unwanted: readonly string[], signal?: AbortSignal): Promise<Pruned> {
  const wanted = new Set<string>();
  const staying: Manifest[] = [];
  for (const id of await listIds(repository)) {
    if (unwanted.includes(id)) continue;
    signal?.throwIfAborted();
    const manifest = await readManifest(repository, id);
    staying.push(manifest);
    for (const { sha256 } of ownPieces(manifest)) wanted.add(repository.pieceName(sha256));
    for await (const blob of listContent(repository, manifest.content))
      for (const { name } of contentPieces(repository, blob)) wanted.add(name);
  }
  for (const id of unwanted) await deleteManifest(repository, id);
  let [objects, bytes] = [0, 0];
  const there = await repository.listPieces(signal);
  for (const [name, size] of there) {
    if (wanted.has(name)) continue;
    signal?.throwIfAborted();
    await repository.deletePiece(name);
    objects += 1;
    bytes += size;
  }
  for (const { name } of await repository.listNamed(asideFolder)) {
    const piece = name.slice(asideFolder.length + 1);
    if (there.has(piece) || !wanted.has(piece)) await repository.deleteNamed(name);
  }
  await pruneLog(repository, staying);
  return { backups: [...unwanted], objects, bytes };
}
