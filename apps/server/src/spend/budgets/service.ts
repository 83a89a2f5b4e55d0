import type { Budget, BudgetChange, BudgetFilter, BudgetInput } from "@syla/contracts/budgets";
import { AppError } from "@syla/contracts/errors";
import type { TeamRole } from "@syla/contracts/teams";
import type { Actor } from "../../access/actor.ts";
import { can, findTeamRoles, refuseLimitedKey, requirePermission } from "../../access/service.ts";
import { notify } from "../../notifications/service.ts";
import type { Database, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import { noteWarning } from "../../quotas/service.ts";
import { sumCost } from "../../usage/service.ts";
import { dollar, dollars, thisMonth, type CallBudget } from "../service.ts";
import * as store from "./store.ts";

export type { CallFacts } from "./store.ts";

const mostEach = 50;
const warningShare = 0.8;
const mostRemembered = 10_000;

/** What budgets are made of. */
export interface BudgetsContext {
  readonly database: Database;
  /** Refuses who may not see a program. */
  readonly requireProgram: (actor: Actor, id: string) => Promise<unknown>;
}

/** What people mean to spend on models in a month: set, kept to by calls, and warned of. */
export class Budgets {
  readonly #context: BudgetsContext;
  /** What this process knows to have been told. */
  readonly #told = new Set<string>();

  constructor(context: BudgetsContext) {
    this.#context = context;
  }

  async list(actor: Actor, { owner, cursor, limit }: BudgetFilter): Promise<{ items: Budget[]; nextCursor: string | null }> {
    const roles = await this.#rolesOf(actor);
    if (owner === "all") requirePermission(actor, "budget:set-any");
    else if (owner !== "me") requirePermission(actor, "budget:read", toResource(owner, roles));
    const ownerIds = owner === "all" ? null : owner === "me" ? [actor.userId, ...roles.keys()] : [owner];
    const page = { ownerIds, monthStart: thisMonth().start, limit, before: readCursor(cursor, /^bud_[0-9a-z]{26}$/) };
    const rows = await store.listBudgets(this.#context.database.queries, page);
    return toPage(
      rows,
      limit,
      (row) => row.id,
      (row) => toBudget(actor, row, roles),
    );
  }

  /** What was spent this month counts already. @throws AppError `forbidden`, `not_found`, `conflict` */
  async create(actor: Actor, { ownerId = actor.userId, programId, amount, stops }: BudgetInput): Promise<Budget> {
    refuseLimitedKey(actor, "budgets");
    const roles = await this.#rolesOf(actor);
    requirePermission(actor, "budget:manage", toResource(ownerId, roles));
    if (programId !== null) await this.#context.requireProgram(actor, programId);
    const isImposed = ownerId !== actor.userId && roles.get(ownerId) !== "owner";
    const budget = { id: newId("bud"), ownerId, programId, amount: toUnits(amount), stops, isImposed, createdBy: actor.userId };
    await this.#context.database.queries.transaction().execute(async (work) => {
      if (ownerId !== "system" && !(await store.lockOwner(work, ownerId))) throw new AppError("not_found");
      await store.lockBudgets(work);
      if ((await store.countBudgets(work, ownerId)) >= mostEach)
        throw new AppError("conflict", { message: `There are ${mostEach} budgets already.`, hint: "Take one away first." });
      if (!(await store.insertBudget(work, budget)))
        throw new AppError("conflict", { message: "There is such a budget already.", hint: "Change its amount." });
      const { start } = thisMonth();
      const held = await store.adoptCalls(work, budget, start);
      const whose = { userId: ownerId.startsWith("user_") ? ownerId : null, teamId: ownerId.startsWith("team_") ? ownerId : null };
      const spent = await sumCost(work, { ...whose, programId, from: start.toISOString().slice(0, 10) });
      await store.beginCounter(work, budget.id, start, spent, held);
    });
    return await this.get(actor, budget.id);
  }

  async get(actor: Actor, id: string): Promise<Budget> {
    const { row, roles } = await this.#find(actor, id);
    return toBudget(actor, row, roles);
  }

  /** @throws AppError `forbidden`, `not_found` */
  async update(actor: Actor, id: string, { amount, stops }: BudgetChange): Promise<Budget> {
    await this.#requireManager(actor, id);
    const change = { ...(amount === undefined ? {} : { amount: toUnits(amount) }), ...(stops === undefined ? {} : { stops }) };
    await this.#context.database.queries.transaction().execute(async (work) => {
      await store.lockBudgets(work);
      await store.changeBudget(work, id, change);
    });
    return await this.get(actor, id);
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await this.#requireManager(actor, id);
    await store.deleteBudget(this.#context.database.queries, id);
  }

  /** The budgets that a call counts against. `work`: the transaction that holds back for it, until whose end they stay as they are. */
  async ofCall(call: store.CallFacts, work?: Work): Promise<CallBudget[]> {
    if (work !== undefined) await store.keepBudgets(work);
    const rows = await store.budgetsOfCall(work ?? this.#context.database.queries, call, thisMonth().start);
    return rows.map((row) => ({ id: row.id, ownerId: row.owner_id, name: nameOf(row), amount: row.amount, stops: row.stops }));
  }

  /** Tells of those of which most, or all, is spent; once for each month and amount. */
  async noteSpend(budgets: readonly CallBudget[]): Promise<void> {
    for (const { id } of budgets) {
      const row = await store.findBudget(this.#context.database.queries, id, thisMonth().start);
      if (row !== undefined && row.spent >= row.amount) await this.#tell(row, true);
      else if (row !== undefined && row.spent >= warningShare * row.amount) await this.#tell(row, false);
    }
  }

  /** Tells of one that a call was refused for. */
  async noteRefusal(id: string): Promise<void> {
    const row = await store.findBudget(this.#context.database.queries, id, thisMonth().start);
    if (row !== undefined) await this.#tell(row, true);
  }

  async #tell(row: store.BudgetRow, isUsedUp: boolean): Promise<void> {
    const { queries } = this.#context.database;
    const month = thisMonth();
    const quota = `budget ${row.id} ${row.amount}`;
    const period = month.start.toISOString().slice(0, 7) + (isUsedUp ? ", used up" : "");
    const key = `${quota} ${period}`;
    if (this.#told.has(key)) return;
    const share = Math.min(100, Math.floor((row.spent / row.amount) * 100));
    const of = `${dollars(row.spent)} of ${dollars(row.amount)} are spent. It is counted anew at ${month.end.toISOString()}.`;
    const message = {
      type: isUsedUp ? ("quota_exceeded" as const) : ("quota_warning" as const),
      title: `${capitalized(nameOf(row))} is ${isUsedUp ? "used up" : `used to ${share} %`}`,
      body: isUsedUp && row.stops ? `${of} Calls of models that it is for are refused until then.` : of,
      link: "/usage",
      details: { budgetId: row.id, ownerId: row.owner_id, limit: row.amount / dollar, used: row.spent / dollar },
    };
    for (const userId of await store.recipientsOf(queries, row.owner_id))
      await queries.transaction().execute(async (work) => {
        if (await noteWarning(work, userId, quota, period)) await notify(work, { ...message, userId });
      });
    if (this.#told.size >= mostRemembered) this.#told.clear();
    this.#told.add(key);
  }

  async #rolesOf(actor: Actor): Promise<ReadonlyMap<string, TeamRole>> {
    return await findTeamRoles(this.#context.database.queries, actor.userId);
  }

  async #find(actor: Actor, id: string): Promise<{ row: store.BudgetRow; roles: ReadonlyMap<string, TeamRole> }> {
    const row = id.includes("\0") ? undefined : await store.findBudget(this.#context.database.queries, id, thisMonth().start);
    if (row === undefined) throw new AppError("not_found");
    const roles = await this.#rolesOf(actor);
    requirePermission(actor, "budget:read", toResource(row.owner_id, roles));
    return { row, roles };
  }

  async #requireManager(actor: Actor, id: string): Promise<void> {
    refuseLimitedKey(actor, "budgets");
    const { row, roles } = await this.#find(actor, id);
    if (!mayManage(actor, row, roles)) throw new AppError("forbidden");
  }
}

function mayManage(actor: Actor, row: store.BudgetRow, roles: ReadonlyMap<string, TeamRole>): boolean {
  return row.is_imposed ? can(actor, "budget:set-any") : can(actor, "budget:manage", toResource(row.owner_id, roles));
}

/** Those of the installation are seen by administrators. */
function toResource(ownerId: string, roles: ReadonlyMap<string, TeamRole>) {
  const teamRole = roles.get(ownerId) ?? null;
  return { type: "budget", id: "", ownerId, teamRole, visibility: "private", isAdministered: true, level: null } as const;
}

function toBudget(actor: Actor, row: store.BudgetRow, roles: ReadonlyMap<string, TeamRole>): Budget {
  const { amount, spent, held } = row;
  return {
    id: row.id,
    owner: { id: row.owner_id, name: row.owner_id === "system" ? "Everybody" : (row.owner_name ?? row.owner_id) },
    program: row.program_id === null ? null : { id: row.program_id, name: row.program_name },
    amount: amount / dollar,
    stops: row.stops,
    spent: spent / dollar,
    held: held / dollar,
    state: spent >= amount ? "reached" : spent >= warningShare * amount ? "warning" : "ok",
    resetsAt: thisMonth().end.toISOString(),
    isImposed: row.is_imposed,
    mayManage: mayManage(actor, row, roles),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** What a budget is called in a sentence. */
function nameOf(row: Pick<store.BudgetRow, "owner_id" | "owner_name" | "program_id" | "program_name">): string {
  const whose =
    row.owner_id === "system"
      ? "the budget of the installation"
      : row.owner_id.startsWith("team_")
        ? `the budget of the team “${row.owner_name ?? row.owner_id}”`
        : `the budget of ${row.owner_name ?? row.owner_id}`;
  return row.program_id === null ? whose : `${whose} for the program “${row.program_name ?? row.program_id}”`;
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function toUnits(amount: number): number {
  return Math.round(amount * dollar);
}
