import type { StorageFinding } from "@syla/contracts/storage";
import { AppError } from "@syla/contracts/errors";
import type { Blobs, BlobRef } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import * as notes from "./store.ts";

/** Another store, from which content is restored. */
export interface Replica {
  readonly name: string;
  readonly blobs: Pick<Blobs, "has" | "verify" | "open">;
}

/** What looking through the store is made of. `replicas` null: nothing is repaired. */
export interface InspectionContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly replicas: readonly Replica[] | null;
  readonly onBlob: (ref: BlobRef) => void;
  readonly onFinding: (finding: StorageFinding) => void;
}

const pageSize = 1000;
const mostReferrers = 5;

/** Reads all content and compares it with its name, then looks for content that something refers to and that is not there. */
export async function inspect(context: InspectionContext, signal?: AbortSignal): Promise<void> {
  const listed = new Set<string>();
  for await (const ref of context.blobs.list()) {
    signal?.throwIfAborted();
    listed.add(ref.sha256);
    context.onBlob(ref);
    if ((await isSound(context.blobs, ref.sha256)) === false) await settle(context, ref.sha256, "damaged");
  }
  for (const sha256 of await findUnlisted(context.database, listed)) {
    signal?.throwIfAborted();
    if (!(await context.blobs.has(sha256))) await settle(context, sha256, "missing");
  }
}

/** Undefined: it was deleted meanwhile. */
async function isSound(blobs: Pick<Blobs, "verify">, sha256: string): Promise<boolean | undefined> {
  return await blobs.verify(sha256).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") return undefined;
    if ((error as NodeJS.ErrnoException).code === "EIO") return false;
    throw error;
  });
}

async function findUnlisted(database: Database, listed: ReadonlySet<string>): Promise<string[]> {
  return await database.queries.transaction().execute(async (work) => {
    await notes.noteReferenced(work);
    const missing: string[] = [];
    for (let page = [""]; page.length > 0;) {
      page = await notes.listReferenced(work, page.at(-1) ?? "", pageSize);
      missing.push(...page.filter((sha256) => !listed.has(sha256)));
    }
    return missing;
  });
}

async function settle(context: InspectionContext, sha256: string, problem: StorageFinding["problem"]): Promise<void> {
  const referrers = await notes.findReferrers(context.database.queries, sha256, mostReferrers);
  const outcome = context.replicas === null ? ({ outcome: "found", detail: null } as const) : await repair(context, sha256, problem);
  context.onFinding({ sha256, problem, referrers, ...outcome });
}

/** The sound content of another store takes the place of what is damaged; without one, what is damaged is taken out of use. */
async function repair(
  { blobs, replicas }: InspectionContext,
  sha256: string,
  problem: StorageFinding["problem"],
): Promise<Pick<StorageFinding, "outcome" | "detail">> {
  const sound = await findSound(replicas ?? [], sha256);
  const place = problem === "damaged" ? await blobs.quarantine(sha256) : null;
  if (sound === undefined) return { outcome: place === null ? "lost" : "quarantined", detail: place };
  await blobs.putStream(await sound.blobs.open(sha256));
  return { outcome: "restored", detail: sound.name };
}

async function findSound(replicas: readonly Replica[], sha256: string): Promise<Replica | undefined> {
  for (const replica of replicas) if ((await replica.blobs.has(sha256)) && (await isSound(replica.blobs, sha256)) === true) return replica;
  return undefined;
}
