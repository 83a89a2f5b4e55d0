import type { Role } from "@syla/contracts/accounts";
import type { AdminOverview, UserFilter, UserHoldings, UserRecord } from "@syla/contracts/admin";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Accounts } from "../accounts/service.ts";
import type { Exchange } from "../accounts/sessions.ts";
import type { Deliveries } from "../deliveries/service.ts";
import type { Ownership } from "../catalog/service.ts";
import { notify } from "../notifications/service.ts";
import type { Database, Queries, Work } from "../platform/database.ts";
import { settling } from "../quotas/service.ts";
import { requestCancelOfAll, type RunsContext } from "../runs/service.ts";
import { Announcements } from "./announcements/service.ts";
import { exportPerson } from "./export/service.ts";
import * as store from "./store.ts";

export { listAdmins } from "./store.ts";

/** What administration is made of. */
interface AdminContext {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly deliveries: Deliveries;
  /** What the catalog does with the assets of an account. */
  readonly assets: Ownership;
  /** A run was cancelled before any worker had it. */
  readonly onCancelled: RunsContext["onCancelled"];
}

/** What administrators do with accounts, and what people do with their own account as a whole. */
export class Admin {
  readonly announcements: Announcements;
  readonly deliveries: Deliveries;
  readonly #queries: Queries;
  readonly #accounts: Accounts;
  readonly #assets: Ownership;
  readonly #onCancelled: AdminContext["onCancelled"];

  constructor({ database, accounts, deliveries, assets, onCancelled }: AdminContext) {
    this.#assets = assets;
    this.#onCancelled = onCancelled;
    this.#queries = database.queries;
    this.#accounts = accounts;
    this.deliveries = deliveries;
    this.announcements = new Announcements(database);
  }

  async list(filter: UserFilter): Promise<{ items: UserRecord[]; nextCursor: string | null }> {
    if (filter.q?.includes("\0") === true) return { items: [], nextCursor: null };
    const rows = await store.listUsers(this.#queries, filter, decodeCursor(filter.cursor, "user"));
    const items = rows.slice(0, filter.limit).map(toRecord);
    return { items, nextCursor: rows.length > filter.limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** @throws AppError `not_found` */
  async get(id: string): Promise<UserRecord & { holdings: UserHoldings }> {
    return { ...toRecord(await this.#find(this.#queries, id)), holdings: await store.countHoldings(this.#queries, id) };
  }

  /** @throws AppError `not_found`, `last_admin` */
  async setRole(id: string, role: Role): Promise<UserRecord> {
    return await this.#change(id, async (work, user) => {
      if (user.role === role) return user;
      if (role !== "admin") await this.#keepAnAdmin(work, id);
      // Whoever acts as this person, or was an administrator who acts as others, does so no longer.
      await store.endImpersonations(work, id);
      return await store.updateUser(work, id, { role });
    });
  }

  /** What runs as this person ends, and what waits is cancelled. @throws AppError `not_found`, `last_admin` */
  async suspend(id: string, reason: string): Promise<UserRecord> {
    let cancelled: string[] = [];
    const record = await this.#change(id, async (work) => {
      await this.#keepAnAdmin(work, id);
      await store.endImpersonations(work, id);
      await store.deleteSessions(work, id);
      const user = await store.updateUser(work, id, { status: "suspended", suspended_reason: reason });
      cancelled = await requestCancelOfAll(work, id);
      return user;
    });
    for (const runId of cancelled) this.#onCancelled(runId);
    return record;
  }

  /** @throws AppError `not_found` */
  async reactivate(id: string): Promise<UserRecord> {
    return await this.#change(id, (work) => store.updateUser(work, id, { status: "active", suspended_reason: null }));
  }

  /** @throws AppError `not_found` */
  async signOut(id: string): Promise<number> {
    await this.#find(this.#queries, id);
    return await store.deleteSessions(this.#queries, id);
  }

  /** The second factor of somebody who has lost it goes; whoever is signed in as them is not any more. @throws AppError `not_found`, `conflict` */
  async resetTwoFactor(id: string): Promise<UserRecord> {
    return await this.#change(id, async (work) => {
      if (!(await this.#accounts.resetTwoFactor(work, id)))
        throw new AppError("conflict", { message: "The account has no second factor." });
      await store.deleteSessions(work, id);
      await notify(work, {
        userId: id,
        type: "system",
        title: "Your second factor was taken off",
        body: "An administrator did it, and you were signed out everywhere. If you had not asked for it, change your password and tell them.",
        link: "/settings/security",
      });
      return await this.#find(work, id);
    });
  }

  /** @throws AppError `not_found`, `last_admin`, `local_account`, `account_busy` */
  async delete(id: string, transferTo: string | undefined): Promise<void> {
    const remove = async (work: Work) => {
      await this.#keepAnAdmin(work, id);
      const user = await this.#find(work, id);
      if (id === this.#accounts.localUserId) throw new AppError("local_account");
      if (await store.isBusy(work, id)) throw new AppError("account_busy");
      if (transferTo !== undefined) {
        await this.#find(work, transferTo);
        await store.transferRuns(work, id, transferTo);
      }
      const settle = async (ownerId: string) =>
        transferTo === undefined ? await this.#assets.remove(work, ownerId) : await this.#assets.handOver(work, ownerId, transferTo);
      await settle(id);
      await store.deleteUser(work, user, settle);
    };
    await this.#find(this.#queries, id);
    const others = [...(await this.#storers(id)), ...(transferTo === undefined ? [] : [transferTo])].filter(
      (storer) => storer !== id && !storer.includes("\0"),
    );
    const held = [id, ...(await store.listAdmins(this.#queries))];
    await this.#queries.transaction().execute((work) => settling(work, others, () => remove(work), held));
  }

  /** @throws AppError `session_required`, `not_found`, `forbidden` for another administrator, `account_suspended` */
  async impersonate(actor: Actor, id: string, reason: string, exchange: Exchange): Promise<{ userId: string; expiresAt: string }> {
    if (actor.via !== "session") throw new AppError("session_required");
    const user = await this.#find(this.#queries, id);
    if (user.role === "admin") throw new AppError("forbidden", { message: "Nobody acts as an administrator." });
    if (user.status === "suspended") throw new AppError("account_suspended");
    const expiresAt = await this.#accounts.startImpersonation(id, reason, exchange);
    return { userId: id, expiresAt: expiresAt.toISOString() };
  }

  async impersonation(actor: Actor): Promise<{ active: boolean; reason: string | null; expiresAt: string | null }> {
    const found = actor.sessionId === undefined ? undefined : await store.findImpersonation(this.#queries, actor.sessionId);
    if (found === undefined) return { active: false, reason: null, expiresAt: null };
    return { active: true, reason: found.impersonation_reason, expiresAt: found.expires_at.toISOString() };
  }

  /** @throws AppError `not_found` */
  async stopImpersonating(actor: Actor, exchange: Exchange): Promise<void> {
    if (actor.impersonatorId === undefined) throw new AppError("not_found");
    await this.#accounts.stopImpersonation(exchange);
  }

  exportOwn(actor: Actor): AsyncGenerator<string> {
    return exportPerson(this.#queries, actor.userId);
  }

  /** @throws AppError `not_found` */
  async export(id: string): Promise<AsyncGenerator<string>> {
    const { id: userId } = await this.#find(this.#queries, id);
    return exportPerson(this.#queries, userId);
  }

  /** @throws AppError `session_required`, `invalid_credentials`, and what {@link delete} throws */
  async deleteOwn(actor: Actor, confirm: string, password: string | undefined): Promise<void> {
    if (actor.via !== "session") throw new AppError("session_required");
    const user = await this.#find(this.#queries, actor.userId);
    const known = await this.#accounts.checkPassword(user.id, password ?? "");
    if (known === false || confirm.trim().toLowerCase() !== (user.email ?? user.id)) throw new AppError("invalid_credentials");
    await this.delete(user.id, undefined);
  }

  async overview(): Promise<AdminOverview> {
    return { ...(await store.readOverview(this.#queries)), mail: this.deliveries.sendsMail };
  }

  /** Whose count of what is stored changes when an account goes, and with it the teams that it alone is in. */
  async #storers(id: string): Promise<string[]> {
    const owners = [id, ...(await store.listEndingTeams(this.#queries, id))];
    const storers = await Promise.all(owners.map((ownerId) => this.#assets.storers(this.#queries, ownerId)));
    return [...storers.flat(), ...(await store.listTextOwners(this.#queries, id))];
  }

  async #change(id: string, change: (work: Work, user: store.UserRow) => Promise<store.UserRow>): Promise<UserRecord> {
    return await this.#queries.transaction().execute(async (work) => {
      // First of all, so that every such change takes its locks in one order.
      await store.lockAdmins(work);
      return toRecord(await change(work, await this.#find(work, id)));
    });
  }

  /** Refuses to take away the last one. Holds all of them until the transaction ends. @throws AppError `last_admin` */
  async #keepAnAdmin(work: Work, id: string): Promise<void> {
    const admins = await store.lockAdmins(work);
    if (admins.length === 1 && admins[0] === id) throw new AppError("last_admin");
  }

  async #find(queries: Queries, id: string): Promise<store.UserRow> {
    const row = id.includes("\0") ? undefined : await store.findUser(queries, id);
    if (row === undefined) throw new AppError("not_found");
    return row;
  }
}

/** @throws AppError `invalid_cursor` */
export function decodeCursor(cursor: string | undefined, prefix: string): string | null {
  if (cursor === undefined) return null;
  if (!cursor.startsWith(`${prefix}_`) || !/^[a-z]+_[0-9a-z]{26}$/.test(cursor)) throw new AppError("invalid_cursor");
  return cursor;
}

function toRecord(row: store.UserRow): UserRecord {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role,
    status: row.status,
    suspendedReason: row.suspended_reason,
    twoFactorEnabled: row.two_factor_enabled,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
  };
}
