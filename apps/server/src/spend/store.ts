import type { SpendPeriod } from "@syla/contracts/models";
import { sql } from "kysely";
import type { Queries, Work } from "../platform/database.ts";

/** Where something is counted, and within which period. */
export interface CounterRef {
  readonly scope: string;
  readonly periodStart: Date;
}

/** What a counter stands at, in billionths of a dollar. */
export interface Counter {
  readonly spent: number;
  readonly reserved: number;
}

/** Holds an amount back, unless that would pass the limit. Atomic: who comes at the same time waits for the row. @returns whether it is held */
export async function reserve(work: Work, { scope, periodStart }: CounterRef, amount: number, limit: number | null): Promise<boolean> {
  await work
    .insertInto("spend_counters")
    .values({ scope, period_start: periodStart })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { rows } = await sql`
    update spend_counters set reserved = reserved + ${amount}
    where scope = ${scope} and period_start = ${periodStart}
      and (${limit}::bigint is null or spent + reserved + greatest(${amount}::bigint, 1) <= ${limit}::bigint)
    returning scope`.execute(work);
  return rows.length > 0;
}

/** What was held back is free again, and what was spent is counted. */
export async function settle(work: Work, { scope, periodStart }: CounterRef, held: number, spent: number): Promise<void> {
  await sql`
    update spend_counters set reserved = greatest(0, reserved - ${held}::bigint), spent = spent + ${spent}::bigint
    where scope = ${scope} and period_start = ${periodStart}`.execute(work);
}

export async function readCounter(queries: Queries, { scope, periodStart }: CounterRef): Promise<Counter> {
  const row = await queries
    .selectFrom("spend_counters")
    .select(["spent", "reserved"])
    .where("scope", "=", scope)
    .where("period_start", "=", periodStart)
    .executeTakeFirst();
  return row ?? { spent: 0, reserved: 0 };
}

/** A cap on what may be spent on a model. */
export interface CapRow {
  readonly subject: string;
  readonly amount: number;
  readonly period: SpendPeriod;
}

/** A cap as it is kept. */
export interface KeptCap extends CapRow {
  readonly revision: number;
}

/** The cap, which nobody else changes until the transaction ends. */
export async function lockCap(work: Work, modelId: string, subject: string): Promise<KeptCap | undefined> {
  return await work
    .selectFrom("spend_caps")
    .select(["subject", "amount", "period", "revision"])
    .where("model_id", "=", modelId)
    .where("subject", "=", subject)
    .forUpdate()
    .executeTakeFirst();
}

export async function listCaps(queries: Queries, modelId: string): Promise<KeptCap[]> {
  return await queries
    .selectFrom("spend_caps")
    .select(["subject", "amount", "period", "revision"])
    .where("model_id", "=", modelId)
    .orderBy("subject")
    .execute();
}

export async function saveCap(queries: Queries, modelId: string, cap: CapRow, updatedBy: string): Promise<void> {
  const values = { amount: cap.amount, period: cap.period, updated_by: updatedBy, updated_at: new Date() };
  await queries
    .insertInto("spend_caps")
    .values({ model_id: modelId, subject: cap.subject, ...values })
    .onConflict((conflict) => conflict.columns(["model_id", "subject"]).doUpdateSet(values))
    .execute();
}

export async function deleteCap(queries: Queries, modelId: string, subject: string): Promise<void> {
  await queries.deleteFrom("spend_caps").where("model_id", "=", modelId).where("subject", "=", subject).execute();
}
