import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";

/** A budget with what is shown of others, and what was counted in the month that was asked for. */
export interface BudgetRow {
  readonly id: string;
  readonly owner_id: string;
  readonly owner_name: string | null;
  readonly program_id: string | null;
  readonly program_name: string | null;
  /** Billionths of a dollar, as what is spent and held back. */
  readonly amount: number;
  readonly stops: boolean;
  readonly is_imposed: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly spent: number;
  readonly held: number;
}

/** Where it is counted what was spent of a budget. */
function budgetScope(id: string): string {
  return `budget:${id}`;
}

function selectBudgets(queries: Queries, monthStart: Date) {
  return queries
    .selectFrom("budgets as b")
    .leftJoin("spend_counters as c", (join) =>
      join.on("c.scope", "=", sql<string>`'budget:' || b.id`).on("c.period_start", "=", monthStart),
    )
    .selectAll("b")
    .select([
      sql<string | null>`coalesce((select name from users where id = b.owner_id), (select name from teams where id = b.owner_id))`.as(
        "owner_name",
      ),
      sql<string | null>`(select name from assets where id = b.program_id and deleted_at is null)`.as("program_name"),
      sql<number>`coalesce(c.spent, 0)::bigint`.as("spent"),
      sql<number>`coalesce(c.reserved, 0)::bigint`.as("held"),
    ]);
}

/** Newest first; one row more than `limit` tells that there is a next page. `ownerIds` null: of anybody. */
export async function listBudgets(
  queries: Queries,
  { ownerIds, monthStart, limit, before }: { ownerIds: readonly string[] | null; monthStart: Date; limit: number; before: string | null },
): Promise<BudgetRow[]> {
  let query = selectBudgets(queries, monthStart);
  if (ownerIds !== null) query = query.where("b.owner_id", "in", ownerIds);
  if (before !== null) query = query.where("b.id", "<", before);
  return await query
    .orderBy("b.id", "desc")
    .limit(limit + 1)
    .execute();
}

export async function findBudget(queries: Queries, id: string, monthStart: Date): Promise<BudgetRow | undefined> {
  return await selectBudgets(queries, monthStart).where("b.id", "=", id).executeTakeFirst();
}

/** Whose budgets a call counts against. */
export interface CallFacts {
  readonly userId: string;
  readonly programId: string | null;
  readonly modelOwnerId: string;
}

/** Those of the person, of the team that the call is for, and of the installation; in the order in which they are locked. */
export async function budgetsOfCall(
  queries: Queries,
  { userId, programId, modelOwnerId }: CallFacts,
  monthStart: Date,
): Promise<BudgetRow[]> {
  return await selectBudgets(queries, monthStart)
    .where(sql<boolean>`b.owner_id in (${userId}, 'system', coalesce(team_of(${modelOwnerId}, ${programId}), ''))`)
    .where((where) => where.or([where("b.program_id", "is", null), where("b.program_id", "=", programId ?? "")]))
    .orderBy("b.id")
    .execute();
}

/** A budget as it is set. */
export interface NewBudget {
  readonly id: string;
  readonly ownerId: string;
  readonly programId: string | null;
  readonly amount: number;
  readonly stops: boolean;
  readonly isImposed: boolean;
  readonly createdBy: string;
}

/** False: there is one of the same already. */
export async function insertBudget(work: Work, budget: NewBudget): Promise<boolean> {
  const row = await work
    .insertInto("budgets")
    .values({
      id: budget.id,
      owner_id: budget.ownerId,
      program_id: budget.programId,
      amount: budget.amount,
      stops: budget.stops,
      is_imposed: budget.isImposed,
      created_by: budget.createdBy,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function countBudgets(work: Work, ownerId: string): Promise<number> {
  const { count } = await work
    .selectFrom("budgets")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Has calls that go on count against a new budget too. @returns what is held back for them */
export async function adoptCalls(
  work: Work,
  { id, ownerId, programId }: Pick<NewBudget, "id" | "ownerId" | "programId">,
  monthStart: Date,
): Promise<number> {
  const scope = JSON.stringify([{ scope: budgetScope(id), periodStart: monthStart.toISOString() }]);
  const { rows } = await sql<{ held: number }>`
    with adopted as (
      update llm_calls set scopes = scopes || ${scope}::jsonb where status = 'running' and started_at >= ${monthStart}
        and (${ownerId}::text = 'system' or user_id = ${ownerId} or team_id = ${ownerId})
        and (${programId}::text is null or program_id = ${programId}) returning reserved
    ) select coalesce(sum(reserved), 0)::bigint as held from adopted`.execute(work);
  return rows[0]?.held ?? 0;
}

/** Begins the count of a month with what it stands at already. */
export async function beginCounter(work: Work, id: string, monthStart: Date, spent: number, held: number): Promise<void> {
  await work
    .insertInto("spend_counters")
    .values({ scope: budgetScope(id), period_start: monthStart, spent, reserved: held })
    .execute();
}

export async function changeBudget(
  queries: Queries,
  id: string,
  change: { readonly amount?: number; readonly stops?: boolean },
): Promise<void> {
  await queries
    .updateTable("budgets")
    .set({ ...change, updated_at: new Date() })
    .where("id", "=", id)
    .execute();
}

export async function deleteBudget(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("budgets").where("id", "=", id).execute();
}

const budgetsLock = "budgets";

/** Until the transaction ends, no budget is set or changed: what a call is held against is what there is. Several calls have it at once. */
export async function keepBudgets(work: Work): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended(${budgetsLock}, 0))`.execute(work);
}

/** Until the transaction ends, no call begins: those that have are seen. */
export async function lockBudgets(work: Work): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${budgetsLock}, 0))`.execute(work);
}

/** Whether there is such a person or team; held until the end of the transaction. */
export async function lockOwner(work: Work, ownerId: string): Promise<boolean> {
  const table = ownerId.startsWith("team_") ? "teams" : "users";
  const row = await work.selectFrom(table).select("id").where("id", "=", ownerId).forNoKeyUpdate().executeTakeFirst();
  return row !== undefined;
}

/** Who is told of a budget: the person, the owners of the team, or the administrators. */
export async function recipientsOf(queries: Queries, ownerId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from users where status = 'active' and (id = ${ownerId} or (${ownerId}::text = 'system' and role = 'admin')
      or exists (select from team_members m where m.team_id = ${ownerId} and m.user_id = users.id and m.role = 'owner')) order by id`.execute(
    queries,
  );
  return rows.map(({ id }) => id);
}
