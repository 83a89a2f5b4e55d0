import type { SpendPeriod } from "@syla/contracts/models";
import { AppError } from "@syla/contracts/errors";
import type { Queries, Work } from "../platform/database.ts";
import { periodAt } from "./periods.ts";
import * as store from "./store.ts";

export { deleteCap, listCaps, lockCap, saveCap, type CapRow, type KeptCap } from "./store.ts";

/** Amounts are whole billionths of a dollar. */
export const dollar = 1_000_000_000;

/** Leave to spend. `limit` null: as much as is wanted, and counted nowhere. */
export interface Leave {
  /** Whose cap it is: a grant's id, `public`, or null where there is none. */
  readonly subject: string | null;
  /** For people: of whom the leave is. */
  readonly name: string;
  readonly limit: number | null;
  readonly period: SpendPeriod;
}

/** What may be spent on all models in a month; null: as much as is wanted. */
export interface SpendQuota {
  readonly userId: string;
  readonly limit: number | null;
  /** The key that is used, where its use is counted. */
  readonly key: { readonly id: string; readonly name: string; readonly limit: number | null } | null;
  /** In the order in which they are locked. */
  readonly budgets: readonly CallBudget[];
}

/** A budget that a call counts against. */
export interface CallBudget {
  readonly id: string;
  readonly ownerId: string;
  /** For people: "the budget of …". */
  readonly name: string;
  readonly amount: number;
  /** Calls that could pass it are refused. */
  readonly stops: boolean;
}

/** Where a call's cost is counted; stored with the call until it is settled. */
export interface HeldScope {
  readonly scope: string;
  readonly periodStart: string;
}

export function capScope(modelId: string, subject: string): string {
  return `cap:${modelId}:${subject}`;
}

export function keyScope(keyId: string): string {
  return `key:${keyId}`;
}

export function userScope(userId: string): string {
  return `user:${userId}`;
}

/**
 * Holds an amount back for a call, before it is made: within the person's quota and the key's, within every budget that stops, and within one of the
 * leaves that reach them. All or nothing, in the transaction that records the call.
 *
 * @throws AppError `quota_exceeded`, `budget_reached`, `spend_cap_reached`, `price_unknown`
 */
export async function holdBack(
  work: Work,
  { modelId, amount, quota, leaves }: { modelId: string; amount: number | null; quota: SpendQuota; leaves: readonly Leave[] },
): Promise<HeldScope[]> {
  const now = new Date();
  const month = thisMonth(now);
  const own = { scope: userScope(quota.userId), periodStart: month.start };
  if (!(await store.reserve(work, own, amount ?? 0, quota.limit))) throw await quotaUsedUp(work, own, quota, month.end);
  const held: HeldScope[] = [{ scope: own.scope, periodStart: own.periodStart.toISOString() }];
  if (quota.key !== null) {
    const byKey = { scope: keyScope(quota.key.id), periodStart: month.start };
    if (!(await store.reserve(work, byKey, amount ?? 0, quota.key.limit))) throw await keyUsedUp(work, byKey, quota.key, month.end);
    held.push({ scope: byKey.scope, periodStart: byKey.periodStart.toISOString() });
  }
  for (const budget of quota.budgets) {
    const counter = { scope: `budget:${budget.id}`, periodStart: month.start };
    if (!(await store.reserve(work, counter, amount ?? 0, budget.stops ? budget.amount : null)))
      throw await budgetReached(work, counter, budget, amount ?? 0, month.end);
    held.push({ scope: counter.scope, periodStart: counter.periodStart.toISOString() });
  }
  const free = leaves.find(({ limit }) => limit === null);
  if (free !== undefined) return held;
  if (amount === null) throw new AppError("price_unknown");
  for (const { subject, limit, period } of leaves) {
    const counter = { scope: capScope(modelId, subject ?? ""), periodStart: periodAt(period, now).start };
    if (await store.reserve(work, counter, amount, limit))
      return [...held, { scope: counter.scope, periodStart: counter.periodStart.toISOString() }];
  }
  throw await capReached(work, modelId, amount, leaves, now);
}

/** The month of UTC that it is: quotas and budgets are counted by it. */
export function thisMonth(now = new Date()): { readonly start: Date; readonly end: Date } {
  const { start, end } = periodAt("month", now);
  return { start, end: end ?? now };
}

/** The order in which counters are locked: those of one kind by their scope. */
const lockOrder = ["user", "key", "budget", "cap"];
const placeOf = (scope: string) => lockOrder.indexOf(scope.slice(0, scope.indexOf(":")));

/** Counts what a call cost, and frees what was held back for it. In the order of {@link holdBack}: a budget may have been set after the call began. */
export async function settleHeld(work: Work, scopes: readonly HeldScope[], held: number, cost: number): Promise<void> {
  const inOrder = scopes.toSorted((a, b) => placeOf(a.scope) - placeOf(b.scope) || (a.scope < b.scope ? -1 : 1));
  for (const { scope, periodStart } of inOrder) await store.settle(work, { scope, periodStart: new Date(periodStart) }, held, cost);
}

/** What was spent in the period that is now. */
export async function spentIn(
  queries: Queries,
  scope: string,
  period: SpendPeriod,
): Promise<{ spent: number; reserved: number; resetsAt: Date | null }> {
  const { start, end } = periodAt(period, new Date());
  return { ...(await store.readCounter(queries, { scope, periodStart: start })), resetsAt: end };
}

async function quotaUsedUp(work: Work, counter: store.CounterRef, { limit }: SpendQuota, resetsAt: Date): Promise<AppError> {
  const state = await store.readCounter(work, counter);
  const of = `${dollars(state.spent)} of the ${dollars(limit ?? 0)} that`;
  return usedUp(`You have spent ${of} you may spend on models in a month.`, state, limit, resetsAt);
}

async function keyUsedUp(
  work: Work,
  counter: store.CounterRef,
  { id, name, limit }: NonNullable<SpendQuota["key"]>,
  resetsAt: Date,
): Promise<AppError> {
  const state = await store.readCounter(work, counter);
  const of = `${dollars(state.spent)} of the ${dollars(limit ?? 0)} that`;
  const message = `The API key “${name}” (${id}) has spent ${of} it may spend on models in a month. It is counted anew at ${resetsAt.toISOString()}.`;
  return usedUp(message, state, limit, resetsAt, { apiKeyId: id, apiKeyName: name });
}

async function budgetReached(
  work: Work,
  counter: store.CounterRef,
  { id, name, ownerId, amount: limit }: CallBudget,
  wanted: number,
  resetsAt: Date,
): Promise<AppError> {
  const { spent, reserved } = await store.readCounter(work, counter);
  const left = Math.max(0, limit - spent - reserved);
  const isNear = left > 0 ? ` This call could cost ${dollars(wanted)}, and ${dollars(left)} are left.` : "";
  return new AppError("budget_reached", {
    message: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}, ${dollars(limit)} a month, is used up: ${dollars(spent)} are spent.${isNear} It is counted anew at ${resetsAt.toISOString()}.`,
    details: {
      budget: id,
      owner: ownerId,
      limit: limit / dollar,
      spent: spent / dollar,
      held: reserved / dollar,
      wanted: wanted / dollar,
      resetsAt: resetsAt.toISOString(),
    },
    retryAfter: Math.max(1, Math.ceil((resetsAt.getTime() - Date.now()) / 1000)),
  });
}

function usedUp(message: string, { spent, reserved }: store.Counter, limit: number | null, resetsAt: Date, more: object = {}): AppError {
  return new AppError("quota_exceeded", {
    message,
    details: {
      quota: "llmSpendPerMonth",
      limit: (limit ?? 0) / dollar,
      used: spent / dollar,
      held: reserved / dollar,
      resetsAt: resetsAt.toISOString(),
      ...more,
    },
    retryAfter: Math.max(1, Math.ceil((resetsAt.getTime() - Date.now()) / 1000)),
  });
}

/** Of several caps the one with the most left is told of. */
async function capReached(work: Work, modelId: string, amount: number, leaves: readonly Leave[], now: Date): Promise<AppError> {
  const states = await Promise.all(
    leaves.map(async (leave) => {
      const { start, end } = periodAt(leave.period, now);
      const counter = await store.readCounter(work, { scope: capScope(modelId, leave.subject ?? ""), periodStart: start });
      return { leave, end, ...counter, left: (leave.limit ?? 0) - counter.spent - counter.reserved };
    }),
  );
  const [best] = states.toSorted((a, b) => b.left - a.left);
  if (best === undefined) return new AppError("unknown_model");
  const { leave, spent, reserved, end } = best;
  const words = { day: " a day", month: " a month", total: "" }[leave.period];
  const until = end === null ? "It is not counted anew." : `It is counted anew at ${end.toISOString()}.`;
  const isNear = best.left > 0 ? ` This call could cost ${dollars(amount)}, and ${dollars(best.left)} are left.` : "";
  return new AppError("spend_cap_reached", {
    message: `The cap of ${dollars(leave.limit ?? 0)}${words} on ${leave.name} is reached: ${dollars(spent)} are spent.${isNear} ${until}`,
    details: {
      cap: leave.subject,
      of: leave.name,
      limit: (leave.limit ?? 0) / dollar,
      period: leave.period,
      spent: spent / dollar,
      held: reserved / dollar,
      wanted: amount / dollar,
      resetsAt: end?.toISOString() ?? null,
    },
  });
}

/** An amount as people read it: cents, and more digits where it is less. */
export function dollars(amount: number): string {
  const value = amount / dollar;
  return `$${value === 0 || value >= 0.01 ? value.toFixed(2) : value.toPrecision(2)}`;
}
