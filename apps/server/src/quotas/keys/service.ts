import { AppError } from "@syla/contracts/errors";
import { keyQuotaNames, type KeyQuotaInput, type KeyQuotaName, type KeyQuotas as KeyQuotaList } from "@syla/contracts/quotas";
import type { Actor } from "../../access/actor.ts";
import { can, personal, requirePermission } from "../../access/service.ts";
import type { Database, Queries } from "../../platform/database.ts";
import { dollar, keyScope, spentIn } from "../../spend/service.ts";
import { isNearlyUsed, isOver, megabyte, quotaExceeded, type QuotaState } from "../exceeded.ts";
import type { PersonLimits, QuotaOverrides } from "../limits.ts";
import { dayOf, monthOf } from "../periods.ts";
import { addKeyStored, countKeyLive, findKey, readKeyUsed, saveKeyLimits, type KeyRow } from "./store.ts";

/** How long quotas are believed without asking: a server that hears of no change learns of it this late. */
const memoMs = 5000;
const mostRemembered = 10_000;

/** A key that has quotas of its own. */
export interface LimitedKey {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly limits: QuotaOverrides;
}

interface Known {
  readonly key: LimitedKey | null;
  readonly until: number;
}

/** What keys are limited by. `limitsOf`: of a person; `warn`: tells a key's person of a quota, once for each period. */
interface KeyQuotasContext {
  readonly database: Database;
  readonly limitsOf: (userId: string) => Promise<PersonLimits>;
  readonly warn: (userId: string, state: QuotaState, isUsedUp: boolean) => void;
}

/** Quotas of API keys, besides those of their people: whatever is done with a key, or with a token that was made with it, counts against both. */
export class KeyQuotas {
  readonly #context: KeyQuotasContext;
  readonly #known = new Map<string, Known>();
  readonly #owners = new Set<string>();

  constructor(context: KeyQuotasContext) {
    this.#context = context;
  }

  /** The key in use, when it has quotas of its own. */
  async limitedKey({ keyId }: Pick<Actor, "keyId">): Promise<LimitedKey | null> {
    if (keyId === undefined) return null;
    const known = this.#known.get(keyId);
    if (known !== undefined && known.until > performance.now()) return known.key;
    const row = await findKey(this.#context.database.queries, keyId);
    const key = row !== undefined && hasLimits(row.limits) ? row : null;
    if (this.#known.size >= mostRemembered) this.#known.clear();
    this.#known.set(keyId, { key, until: performance.now() + memoMs });
    if (key !== null && key.limits.concurrentRuns !== null) this.#owners.add(key.ownerId);
    return key;
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  forgetAll(): void {
    this.#known.clear();
  }

  /** Whether somebody is known to have a key that may run only so much at once. */
  mayHaveWaiting(userId: string): boolean {
    return this.#owners.has(userId);
  }

  /**
   * Refuses a run for which nothing is left, and tells whether it may start at once. The person is locked, and with them their keys.
   *
   * @throws AppError `quota_exceeded`
   */
  async admit(work: Queries, key: LimitedKey, newBytes: number): Promise<{ mayStart: boolean }> {
    const states = await this.#states(work, key);
    for (const state of states) if (isOver(state, newBytes)) throw this.#refuse(key, state);
    for (const state of states) this.#warnSoon(key, state.quota === "runsPerDay" ? { ...state, used: state.used + 1 } : state);
    const { concurrentRuns } = key.limits;
    return { mayStart: concurrentRuns === null || (await countKeyLive(work, key.id)) < concurrentRuns };
  }

  /** How many bytes more may be stored with a key. @throws AppError `quota_exceeded` when there are none */
  async storageRoom(key: LimitedKey): Promise<number> {
    const state = await this.#storage(this.#context.database.queries, key);
    if (!isLimit(state)) return Number.POSITIVE_INFINITY;
    const room = (state.limit - state.used) * megabyte;
    if (room <= 0) throw this.#refuse(key, state);
    return room;
  }

  /** Refuses what there is no room for with a key. The person is locked. @throws AppError `quota_exceeded` */
  async requireStorage(work: Queries, key: LimitedKey, bytes: number): Promise<void> {
    const state = await this.#storage(work, key);
    const used = state.used + bytes / megabyte;
    if (isLimit(state) && used > state.limit) throw this.#refuse(key, state);
    this.#warnSoon(key, { ...state, used });
  }

  /** Counts what is stored with a key; less than nothing where it was taken back. */
  async countStorage(work: Queries, key: LimitedKey, bytes: number): Promise<void> {
    await addKeyStored(work, key.id, bytes);
  }

  /** The refusal of something that is larger than the room that is left. */
  async storageExceeded(key: LimitedKey): Promise<AppError> {
    return this.#refuse(key, await this.#storage(this.#context.database.queries, key));
  }

  /** Warns of what models have cost, when that is most of what they may. */
  async noteSpend(keyId: string): Promise<void> {
    const key = await this.limitedKey({ keyId });
    if (key === null) return;
    const state = await this.#spend(key);
    if (isLimit(state) && state.used >= state.limit) this.#context.warn(key.ownerId, state, true);
    else this.#warnSoon(key, state);
  }

  async #spend(key: LimitedKey): Promise<QuotaState> {
    const { spent, resetsAt } = await spentIn(this.#context.database.queries, keyScope(key.id), "month");
    return stateOf(key, "llmSpendPerMonth", spent / dollar, resetsAt);
  }

  /** The quotas of one's own key; those of other people's are for administrators. @throws AppError `not_found` */
  async list(actor: Actor, id: string): Promise<KeyQuotaList> {
    return await this.#listOf(await this.#find(actor, id, "api_key:read"));
  }

  /**
   * Changes the quotas of a key: its owner within their own, an administrator as they like.
   *
   * @throws AppError `not_found`, `invalid_request`
   */
  async change(actor: Actor, id: string, input: KeyQuotaInput): Promise<KeyQuotaList> {
    const key = await this.#find(actor, id, "api_key:limit");
    if (!can(actor, "quota:exceed-own")) await this.#requireWithin(actor, input);
    await saveKeyLimits(this.#context.database.queries, id, input, actor.userId);
    this.#known.delete(id);
    return await this.#listOf((await findKey(this.#context.database.queries, id)) ?? key);
  }

  async #requireWithin(actor: Actor, input: KeyQuotaInput): Promise<void> {
    const { limits } = await this.#context.limitsOf(actor.userId);
    const fields = keyQuotaNames.flatMap((name) => {
      const wanted = input[name];
      const own = limits[name];
      const isMore = wanted !== undefined && wanted !== null && own >= 0 && wanted > own;
      return isMore ? [{ path: name, message: `must not be more than your own quota, ${own}` }] : [];
    });
    if (fields.length > 0) throw new AppError("invalid_request", { fields });
  }

  async #find(actor: Actor, id: string, action: "api_key:read" | "api_key:limit"): Promise<KeyRow> {
    const row = id.includes("\0") ? undefined : await findKey(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, personal("api_key", id, row.ownerId));
    return row;
  }

  async #listOf(row: KeyRow): Promise<KeyQuotaList> {
    const { queries } = this.#context.database;
    const isCounted = hasLimits(row.limits);
    const counted = isCounted ? [...(await this.#states(queries, row)), await this.#spend(row)] : [];
    const live = isCounted ? await countKeyLive(queries, row.id) : null;
    const item = (quota: KeyQuotaName) => {
      const state = counted.find((found) => found.quota === quota);
      const limit = row.limits[quota];
      const used = quota === "concurrentRuns" ? live : state === undefined ? null : Math.round(state.used * 100) / 100;
      const warning = limit !== null && used !== null && quota !== "concurrentRuns" && isNearlyUsed({ limit, used });
      return { name: quota, limit, used, resetsAt: state?.resetsAt?.toISOString() ?? null, warning };
    };
    return { apiKeyId: row.id, name: row.name, userId: row.ownerId, items: keyQuotaNames.map(item) };
  }

  async #states(queries: Queries, key: LimitedKey): Promise<QuotaState[]> {
    const now = new Date();
    const { runsPerDay } = key.limits;
    const day = dayOf(now);
    const month = monthOf(now);
    const dailyMost = Math.max(runsPerDay ?? 0, 1000);
    const used = await readKeyUsed(queries, { id: key.id, dayStart: day.start, monthStart: month.start, dailyMost });
    return [
      stateOf(key, "runsPerDay", used.dayRuns, day.end),
      stateOf(key, "cpuSecondsPerMonth", Math.floor(used.cpuMs / 1000), month.end),
      stateOf(key, "storageMb", used.storedBytes / megabyte, null),
    ];
  }

  async #storage(queries: Queries, key: LimitedKey): Promise<QuotaState> {
    const states = await this.#states(queries, key);
    return states.find(({ quota }) => quota === "storageMb") ?? stateOf(key, "storageMb", 0, null);
  }

  #warnSoon(key: LimitedKey, state: QuotaState): void {
    if (isNearlyUsed(state)) this.#context.warn(key.ownerId, state, false);
  }

  #refuse(key: LimitedKey, state: QuotaState): AppError {
    this.#context.warn(key.ownerId, state, true);
    return quotaExceeded(state);
  }
}

function hasLimits(limits: QuotaOverrides): boolean {
  return Object.values(limits).some((limit) => limit !== null);
}

function isLimit({ limit }: QuotaState): boolean {
  return limit >= 0;
}

function stateOf({ id, name, limits }: LimitedKey, quota: KeyQuotaName, used: number, resetsAt: Date | null): QuotaState {
  return { quota, limit: limits[quota] ?? -1, used, resetsAt, key: { id, name } };
}
