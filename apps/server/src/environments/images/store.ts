import type { EnvironmentImage } from "@syla/contracts/environment-images";
import { sql, type Selectable } from "kysely";
import type { Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type ImageRow = Selectable<Schema["environment_images"]>;
type Phase = NonNullable<EnvironmentImage["phase"]>;

export async function findImage(queries: Queries, environmentId: string): Promise<ImageRow | undefined> {
  return await queries.selectFrom("environment_images").selectAll().where("environment_id", "=", environmentId).executeTakeFirst();
}

/** Marks an image as being made by a worker. False: somebody is at it. */
export async function claimImage(queries: Queries, environmentId: string, workerId: string): Promise<boolean> {
  const claim = { state: "building", phase: "environment", worker_id: workerId, error: null } as const;
  const claimed = await queries
    .insertInto("environment_images")
    .values({ environment_id: environmentId, ...claim })
    .onConflict((conflict) => conflict.column("environment_id").doUpdateSet(claim).where("environment_images.state", "<>", "building"))
    .returning("environment_id")
    .executeTakeFirst();
  return claimed !== undefined;
}

export async function setImagePhase(queries: Queries, environmentId: string, workerId: string, phase: Phase): Promise<void> {
  await queries
    .updateTable("environment_images")
    .set({ phase })
    .where("environment_id", "=", environmentId)
    .where("worker_id", "=", workerId)
    .execute();
}

/** An image as it was made. `pushed` null: it was only built. */
export interface FinishedImage {
  readonly imageId: string;
  readonly size: number;
  readonly pushed: { readonly reference: string; readonly digest: string } | null;
}

export async function finishImage(
  queries: Queries,
  environmentId: string,
  workerId: string,
  { imageId, size, pushed }: FinishedImage,
  logSha256: string | null,
): Promise<void> {
  await queries
    .updateTable("environment_images")
    .set({
      phase: null,
      worker_id: null,
      image_id: imageId,
      size,
      log_sha256: logSha256,
      built_at: sql<Date>`now()`,
      ...(pushed === null ? { state: "built" as const } : { state: "pushed" as const, ...pushed, pushed_at: sql<Date>`now()` }),
    })
    .where("environment_id", "=", environmentId)
    .where("worker_id", "=", workerId)
    .execute();
}

/** The phase stays: it is the one in which it failed. */
export async function failImage(
  queries: Queries,
  environmentId: string,
  workerId: string,
  error: object,
  logSha256: string | null,
): Promise<void> {
  await queries
    .updateTable("environment_images")
    .set({ state: "failed", worker_id: null, error: JSON.stringify(error), log_sha256: logSha256 })
    .where("environment_id", "=", environmentId)
    .where("worker_id", "=", workerId)
    .execute();
}
