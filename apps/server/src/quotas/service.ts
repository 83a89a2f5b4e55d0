import type { Quota, QuotaInput, QuotaName } from "@syla/contracts/quotas";
import type { RunKind } from "@syla/contracts/runs";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Database, Queries } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { RateLimit, RateState } from "../platform/rate-limit.ts";
import { quotaExceeded, type QuotaState } from "./exceeded.ts";
import { limitsFor, roleConcurrency, type PersonLimits } from "./limits.ts";
import { dayOf, monthOf } from "./periods.ts";
import {
  countLive,
  countStored,
  findOverrides,
  lockPerson,
  noteWarning,
  quotasChannel,
  readUsed,
  saveOverrides,
  type Used,
} from "./store.ts";

/** How long limits are believed without asking: a server that hears of no change learns of it this late. */
const memoMs = 5000;
const mostRemembered = 10_000;
const warningShare = 0.8;
const megabyte = 1_000_000;

/** Somebody has used most of a quota, or all of it and was refused more. */
export interface QuotaWarning extends QuotaState {
  readonly userId: string;
  readonly isUsedUp: boolean;
}

/** What quotas are made of. `onWarning` is told once for each period. */
export interface QuotasContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly rateLimit: RateLimit;
  readonly onWarning?: (warning: QuotaWarning) => void;
}

/** What a submission has to keep to. */
export interface Allowance {
  readonly userId: string;
  readonly kind: RunKind;
  readonly person: PersonLimits;
}

/** What people may use: read, changed, and kept to. */
export class Quotas {
  /** How many runs each role may have at once, as the queue asks for it. */
  readonly concurrency = roleConcurrency;
  readonly #context: QuotasContext;
  readonly #known = new Map<string, { readonly person: PersonLimits; readonly until: number }>();
  #isListening = false;

  constructor(context: QuotasContext) {
    this.#context = context;
  }

  /** What a submission has to keep to; null when nothing limits it, which costs no query. */
  async allowanceOf(actor: Actor, kind: RunKind): Promise<Allowance | null> {
    const person = await this.#limitsOf(actor.userId);
    const { concurrentRuns, cpuSecondsPerMonth, storageMb } = person.limits;
    const limited = concurrentRuns >= 0 || cpuSecondsPerMonth >= 0 || storageMb >= 0 || countedDaily(person, kind) !== "none";
    return limited ? { userId: actor.userId, kind, person } : null;
  }

  /** Whether runs of theirs may wait although slots are free. Yes, when nothing is known. */
  mayHaveWaiting(userId: string): boolean {
    return this.#known.get(userId)?.person.limits.concurrentRuns !== -1;
  }

  /** Counts an execution for the key or session that asks for it; null when there may be any number. */
  async countExecution(actor: Actor): Promise<RateState | null> {
    const limit = (await this.#limitsOf(actor.userId)).limits.executionsPerMinute;
    if (limit < 0) return null;
    return await this.#context.rateLimit.take(`execution ${actor.keyId ?? actor.sessionId ?? actor.userId}`, { limit, windowMs: 60_000 });
  }

  /**
   * Refuses a run for which there is nothing left, and tells whether it may start at once. Inside the transaction that inserts it: until
   * that ends, no other run of this person is let in.
   *
   * @throws AppError `quota_exceeded`
   */
  async admit(work: Queries, { userId, kind, person }: Allowance): Promise<{ mayStart: boolean }> {
    await lockPerson(work, userId);
    const states = await this.#statesOf(work, userId, person, countedDaily(person, kind));
    for (const state of states) if (state.limit >= 0 && state.used >= state.limit) throw this.#refuse(userId, state);
    // The run that is let in now is counted as well.
    for (const state of states) this.#warnSoon(userId, state.quota === "runsPerDay" ? { ...state, used: state.used + 1 } : state);
    const { concurrentRuns } = person.limits;
    return { mayStart: concurrentRuns < 0 || (await countLive(work, userId)) < concurrentRuns };
  }

  /** How many bytes more somebody may store. @throws AppError `quota_exceeded` when there are none */
  async storageRoom(actor: Actor): Promise<number> {
    const person = await this.#limitsOf(actor.userId);
    const { storageMb } = person.limits;
    if (storageMb < 0) return Number.POSITIVE_INFINITY;
    const used = await this.#used(this.#context.database.queries, actor.userId, person, "none");
    const room = storageMb * megabyte - used.storedBytes;
    if (room <= 0) throw this.#refuse(actor.userId, storageState(person, used));
    return room;
  }

  /** Refuses to store more than there is room for, in the transaction that records it. @throws AppError `quota_exceeded` */
  async admitStorage(work: Queries, actor: Actor, bytes: number): Promise<void> {
    const person = await this.#limitsOf(actor.userId);
    if (person.limits.storageMb < 0) return;
    await lockPerson(work, actor.userId);
    const used = await this.#used(work, actor.userId, person, "none");
    const after = { ...used, storedBytes: used.storedBytes + bytes };
    if (after.storedBytes > person.limits.storageMb * megabyte) throw this.#refuse(actor.userId, storageState(person, used));
    this.#warnSoon(actor.userId, storageState(person, after));
  }

  /** The refusal of something that is larger than the room that is left. */
  async storageExceeded(actor: Actor): Promise<AppError> {
    const person = await this.#limitsOf(actor.userId);
    return this.#refuse(actor.userId, storageState(person, await this.#used(this.#context.database.queries, actor.userId, person, "none")));
  }

  /** A person's quotas; those of others are for administrators. @throws AppError `not_found` */
  async list(actor: Actor, userId = actor.userId): Promise<{ userId: string; items: Quota[] }> {
    const { queries } = this.#context.database;
    const mayRead = (userId === actor.userId || actor.role === "admin") && !userId.includes("\0");
    const found = mayRead ? await findOverrides(queries, userId) : undefined;
    if (found === undefined) throw new AppError("not_found");
    const person = limitsFor(found.role, found.overrides);
    const daily = countedDaily(person, "program") === "none" ? "programs" : countedDaily(person, "program");
    const counted = await this.#statesOf(queries, userId, person, daily, await countStored(queries, userId));
    const live = {
      quota: "concurrentRuns",
      limit: person.limits.concurrentRuns,
      used: await countLive(queries, userId),
      resetsAt: null,
    } as const;
    const rate = { quota: "executionsPerMinute", limit: person.limits.executionsPerMinute, used: null, resetsAt: null } as const;
    return { userId, items: [live, ...counted, rate].map((state) => toQuota(state, person)) };
  }

  /** Changes a person's limits. @throws AppError `not_found` */
  async change(actor: Actor, userId: string, input: QuotaInput): Promise<{ userId: string; items: Quota[] }> {
    const { queries } = this.#context.database;
    if (userId.includes("\0") || (await findOverrides(queries, userId)) === undefined) throw new AppError("not_found");
    await saveOverrides(queries, userId, input, actor.userId);
    this.#known.delete(userId);
    return await this.list(actor, userId);
  }

  async #limitsOf(userId: string): Promise<PersonLimits> {
    const known = this.#known.get(userId);
    if (known !== undefined && known.until > Date.now()) return known.person;
    this.#listen();
    const found = await findOverrides(this.#context.database.queries, userId);
    if (found === undefined) throw new AppError("unauthenticated");
    const person = limitsFor(found.role, found.overrides);
    if (this.#known.size >= mostRemembered) this.#known.clear();
    this.#known.set(userId, { person, until: Date.now() + memoMs });
    return person;
  }

  /** Forgets what another server has changed. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#context.notifications
      .listen(
        quotasChannel,
        (id) => void this.#known.delete(id),
        () => this.#known.clear(),
      )
      .catch(() => (this.#isListening = false));
  }

  async #used(queries: Queries, userId: string, person: PersonLimits, daily: CountedDaily): Promise<Used> {
    const now = new Date();
    const dailyMost = Math.max(person.limits.runsPerDay, 1000);
    return await readUsed(queries, { userId, dayStart: dayOf(now).start, monthStart: monthOf(now).start, daily, dailyMost });
  }

  async #statesOf(
    queries: Queries,
    userId: string,
    person: PersonLimits,
    daily: CountedDaily,
    storedBytes?: number,
  ): Promise<QuotaState[]> {
    const used = await this.#used(queries, userId, person, daily);
    const { runsPerDay, cpuSecondsPerMonth } = person.limits;
    const now = new Date();
    const day: QuotaState[] =
      daily === "none" ? [] : [{ quota: "runsPerDay", limit: runsPerDay, used: used.dayRuns, resetsAt: dayOf(now).end }];
    return [
      ...day,
      { quota: "cpuSecondsPerMonth", limit: cpuSecondsPerMonth, used: Math.floor(used.cpuMs / 1000), resetsAt: monthOf(now).end },
      storageState(person, storedBytes === undefined ? used : { ...used, storedBytes }),
    ];
  }

  /** Tells of a quota that is nearly used up, once for each period. What is not counted by time is told of once a month. */
  #warnSoon(userId: string, state: QuotaState): void {
    if (isNearlyUsed(state)) this.#tell({ userId, isUsedUp: false, ...state });
  }

  /** The refusal, of which the person is told once for each period as well: a program may have met it. */
  #refuse(userId: string, state: QuotaState): AppError {
    this.#tell({ userId, isUsedUp: true, ...state });
    return quotaExceeded(state);
  }

  #tell(warning: QuotaWarning): void {
    const { onWarning, database } = this.#context;
    if (onWarning === undefined) return;
    const now = new Date();
    const { name } = warning.quota === "runsPerDay" ? dayOf(now) : monthOf(now);
    noteWarning(database.queries, warning.userId, warning.quota, warning.isUsedUp ? `${name}, used up` : name).then(
      (isFirst) => (isFirst ? onWarning(warning) : undefined),
      () => {}, // the next submission tries again
    );
  }
}

type CountedDaily = "none" | "programs" | "all";

/** Executions are bound by their rate, unless a number a day was set for the person. */
function countedDaily({ limits, overrides }: PersonLimits, kind: RunKind): CountedDaily {
  if (limits.runsPerDay < 0) return "none";
  if (overrides.runsPerDay !== null) return "all";
  return kind === "program" || kind === "composition" ? "programs" : "none";
}

function storageState({ limits }: PersonLimits, { storedBytes }: Used): QuotaState {
  return { quota: "storageMb", limit: limits.storageMb, used: storedBytes / megabyte, resetsAt: null };
}

function isNearlyUsed({ limit, used }: { limit: number; used: number }): boolean {
  return limit > 0 && used >= warningShare * limit;
}

function toQuota(
  { quota, limit, used, resetsAt }: Omit<QuotaState, "used"> & { readonly used: number | null },
  { overrides }: PersonLimits,
): Quota {
  const name: QuotaName = quota;
  const warning = used !== null && name !== "concurrentRuns" && isNearlyUsed({ limit, used });
  const rounded = used === null ? null : Math.round(used * 100) / 100;
  return { name, limit, used: rounded, isDefault: overrides[name] === null, resetsAt: resetsAt?.toISOString() ?? null, warning };
}
