import type { Quota, QuotaInput, QuotaName } from "@syla/contracts/quotas";
import type { RunKind } from "@syla/contracts/runs";
import type { Role } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import { can, personal } from "../access/service.ts";
import type { BlobRef } from "../platform/blobs.ts";
import type { Database, Queries, Work } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { RateLimit, RateState } from "../platform/rate-limit.ts";
import { dollar, spentIn, userScope } from "../spend/service.ts";
import type { Settings } from "../settings/service.ts";
import { describeQuota, isNearlyUsed, isOver, megabyte, quotaExceeded, type QuotaState } from "./exceeded.ts";
import { KeyQuotas, type LimitedKey } from "./keys/service.ts";
import { defaultLimits, limitsFor, roleConcurrency, type PersonLimits } from "./limits.ts";
import { dayOf, monthOf } from "./periods.ts";
import {
  addStored,
  announceQuotas,
  countAllLive,
  countLive,
  countStored,
  findOverrides,
  findStored,
  haveTeamsRoom,
  lockInstallation,
  lockPerson,
  lockSettling,
  measureDrift,
  noteWarning,
  quotasChannel,
  readUsed,
  saveOverrides,
  settleStored,
  type Used,
} from "./store.ts";

export { addKeyStored } from "./keys/store.ts";
export { settling } from "./settling.ts";
export { noteWarning } from "./store.ts";

/** How long limits are believed without asking: a server that hears of no change learns of it this late. */
const memoMs = 5000;
const mostRemembered = 10_000;
/** Counting anew what somebody has stored may be done for each of their runs where it takes less; else it takes a twentieth of the time at most. */
const cheapMs = 250;
const recountPause = 20;

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
  readonly settings: Pick<Settings, "get">;
  readonly onWarning?: (warning: QuotaWarning) => void;
}

/** What a submission has to keep to. */
export interface Allowance {
  readonly userId: string;
  readonly kind: RunKind;
  readonly person: PersonLimits;
  /** The key that is used, when it has quotas of its own: it counts against both. */
  readonly key: LimitedKey | null;
}

/** A run that is let in: whether it may start at once, and by how many bytes its content adds to what its owner has stored. */
export interface Admission {
  readonly mayStart: boolean;
  readonly newBytes: number;
}

/** What people may use: read, changed, and kept to. */
export class Quotas {
  readonly #context: QuotasContext;
  readonly #known = new Map<string, { readonly person: PersonLimits; readonly until: number }>();
  readonly #recountAfter = new Map<string, number>();
  #isListening = false;
  /** Quotas of keys, besides those of their people. */
  readonly keys: KeyQuotas;

  constructor(context: QuotasContext) {
    this.#context = context;
    this.keys = new KeyQuotas({
      database: context.database,
      limitsOf: (userId) => this.#limitsOf(userId),
      warn: (userId, state, isUsedUp) => this.#tell({ userId, isUsedUp, ...state }),
    });
  }

  /** How many runs each role and the whole installation may have at once, as the queue asks for it. */
  get concurrency(): { readonly roles: Readonly<Record<Role, number>>; readonly installation: number } {
    return { roles: roleConcurrency(defaultLimits(this.#context.settings)), installation: this.#context.settings.get("runLimit") };
  }

  /** Forgets everybody's limits: the defaults have changed. */
  forgetAll(): void {
    this.#known.clear();
    this.keys.forgetAll();
  }

  /** What a submission has to keep to; null when nothing limits it, which costs no query. */
  async allowanceOf(actor: Actor, kind: RunKind): Promise<Allowance | null> {
    const [person, key] = [await this.#limitsOf(actor.userId), await this.keys.limitedKey(actor)];
    const { concurrentRuns, cpuSecondsPerMonth, storageMb } = person.limits;
    const limited =
      key !== null ||
      this.concurrency.installation >= 0 ||
      person.hasLimitedTeam ||
      concurrentRuns >= 0 ||
      cpuSecondsPerMonth >= 0 ||
      storageMb >= 0 ||
      countedDaily(person, kind) !== "none";
    return limited ? { userId: actor.userId, kind, person, key } : null;
  }

  /** Whether runs of theirs may wait although slots are free. Yes, when nothing is known. */
  mayHaveWaiting(userId: string): boolean {
    const limit = this.#known.get(userId)?.person.limits.concurrentRuns;
    return limit !== -1 || this.areShared(userId) || this.keys.mayHaveWaiting(userId);
  }

  /** Whether runs of others may wait for theirs to end. Yes, when nothing is known. */
  areShared(userId: string): boolean {
    return this.concurrency.installation >= 0 || this.#known.get(userId)?.person.hasLimitedTeam !== false;
  }

  /**
   * Counts an execution for the key or session that asks for it; null when there may be any number. `quota`: what a refusal says, where the
   * limit is the key's own.
   */
  async countExecution(actor: Actor): Promise<{ state: RateState; quota: string | undefined } | null> {
    const person = (await this.#limitsOf(actor.userId)).limits.executionsPerMinute;
    const key = await this.keys.limitedKey(actor);
    const own = key?.limits.executionsPerMinute ?? -1;
    const isOwn = own >= 0 && (person < 0 || own < person);
    const limit = isOwn ? own : person;
    if (limit < 0) return null;
    const state = await this.#context.rateLimit.take(`execution ${actor.keyId ?? actor.sessionId ?? actor.userId}`, {
      limit,
      windowMs: 60_000,
    });
    return { state, quota: isOwn && key !== null ? describeQuota({ quota: "executionsPerMinute", limit, key }) : undefined };
  }

  /**
   * Has a run inserted by `insert`, in a transaction in which it calls `admit`, which refuses it when there is nothing left, and tells whether it may start
   * at once. Where it is refused for what its owner has stored, that is counted anew, which may take a while: after that transaction, in which others wait.
   * `given`: the content that came with the run.
   *
   * @throws AppError `quota_exceeded`
   */
  async letIn<T>(
    allowance: Allowance,
    given: readonly BlobRef[],
    insert: (admit: (work: Work) => Promise<Admission>) => Promise<T>,
  ): Promise<T> {
    const mayRecount = this.#mayRecount(allowance.userId);
    try {
      return await insert((work) => this.#admit(work, allowance, sizeOf(given), mayRecount));
    } catch (error) {
      if (!mayRecount || !isOwnStorage(error)) throw error;
    }
    const newBytes = await this.#recount(allowance.userId, given);
    return await insert((work) => this.#admit(work, allowance, newBytes, false));
  }

  /** Until the transaction ends, no other run of this person is let in. `isFirst`: a refusal for storage is not the last word, and nobody is told of it. */
  async #admit(work: Work, { userId, kind, person, key }: Allowance, newBytes: number, isFirst: boolean): Promise<Admission> {
    const { installation } = this.concurrency;
    if (installation >= 0) await lockInstallation(work);
    await lockPerson(work, userId);
    const states = await this.#statesOf(work, userId, person, countedDaily(person, kind));
    for (const state of states)
      if (isOver(state, newBytes)) throw isFirst && state.quota === "storageMb" ? quotaExceeded(state) : this.#refuse(userId, state);
    // The run that is let in now is counted as well.
    for (const state of states) this.#warnSoon(userId, state.quota === "runsPerDay" ? { ...state, used: state.used + 1 } : state);
    const { concurrentRuns } = person.limits;
    const byKey = key === null ? true : (await this.keys.admit(work, key, newBytes)).mayStart;
    const byTeams = !person.hasLimitedTeam || (await haveTeamsRoom(work, userId));
    const byInstallation = installation < 0 || (await countAllLive(work)) < installation;
    const mayStart = byKey && byTeams && byInstallation && (concurrentRuns < 0 || (await countLive(work, userId)) < concurrentRuns);
    return { mayStart, newBytes };
  }

  /** What came several times is counted several times, until it is counted anew: for whoever would be refused at once, where that is cheap. */
  #mayRecount(userId: string): boolean {
    return (this.#recountAfter.get(userId) ?? 0) <= performance.now();
  }

  /** Counts what somebody has stored from what is there. Answers how many bytes of `given` are not among it. */
  async #recount(userId: string, given: readonly BlobRef[]): Promise<number> {
    return await this.#context.database.queries.transaction().execute(async (work) => {
      await lockSettling(work, [userId]);
      const begin = performance.now();
      const drift = await measureDrift(work, userId);
      const hashes = given.map(({ sha256 }) => sha256);
      const known = given.length === 0 ? new Set() : await findStored(work, userId, hashes);
      const tookMs = performance.now() - begin;
      if (this.#recountAfter.size >= mostRemembered) this.#recountAfter.clear();
      if (tookMs > cheapMs) this.#recountAfter.set(userId, performance.now() + tookMs * recountPause);
      await lockPerson(work, userId);
      if (drift !== 0) await addStored(work, userId, drift);
      return sizeOf(given.filter(({ sha256 }) => !known.has(sha256)));
    });
  }

  /**
   * How many bytes more somebody may store. Where that is less than the `most` that may come, what they have is counted anew first.
   *
   * @throws AppError `quota_exceeded` when there are none
   */
  async storageRoom(actor: Actor, most: number): Promise<number> {
    const [person, key] = [await this.#limitsOf(actor.userId), await this.keys.limitedKey(actor)];
    const byKey = key === null ? Number.POSITIVE_INFINITY : await this.keys.storageRoom(key);
    if (person.limits.storageMb < 0) return byKey;
    if ((await this.#room(actor.userId)) < most && this.#mayRecount(actor.userId)) await this.#recount(actor.userId, []);
    const room = await this.#room(actor.userId);
    if (room > 0) return Math.min(room, byKey);
    throw this.#refuse(actor.userId, storageState(person, await this.#used(this.#context.database.queries, actor.userId, person, "none")));
  }

  /**
   * Refuses to store more than there is room for; else `record`s it, in its transaction, and counts it for the actor's key. Like {@link letIn}, it counts
   * anew what somebody has before they are refused.
   *
   * @throws AppError `quota_exceeded`
   */
  async letStore(actor: Actor, given: readonly BlobRef[], record: (work: Work) => Promise<void>): Promise<void> {
    const mayRecount = this.#mayRecount(actor.userId);
    const bytes = sizeOf(given);
    try {
      return await this.#store(actor, { bytes, newBytes: bytes, isFirst: mayRecount }, record);
    } catch (error) {
      if (!mayRecount || !isOwnStorage(error)) throw error;
    }
    const newBytes = await this.#recount(actor.userId, given);
    await this.#store(actor, { bytes, newBytes, isFirst: false }, record);
  }

  /** Days are locked before keys. `newBytes`: what of it the actor has not stored otherwise. */
  async #store(
    actor: Actor,
    { bytes, newBytes, isFirst }: { readonly bytes: number; readonly newBytes: number; readonly isFirst: boolean },
    record: (work: Work) => Promise<void>,
  ): Promise<void> {
    const [person, key] = [await this.#limitsOf(actor.userId), await this.keys.limitedKey(actor)];
    const isLimited = person.limits.storageMb >= 0;
    await this.#context.database.queries.transaction().execute(async (work) => {
      if (isLimited || key !== null) await lockPerson(work, actor.userId);
      if (key !== null) await this.keys.requireStorage(work, key, bytes);
      if (isLimited) await this.#requireStorage(work, actor.userId, person, newBytes, isFirst);
      await record(work);
      if (key !== null) await this.keys.countStorage(work, key, bytes);
    });
  }

  async #requireStorage(work: Queries, userId: string, person: PersonLimits, bytes: number, isFirst: boolean): Promise<void> {
    const used = await this.#used(work, userId, person, "none");
    const after = { ...used, storedBytes: used.storedBytes + bytes };
    const state = storageState(person, used);
    if (after.storedBytes > person.limits.storageMb * megabyte) throw isFirst ? quotaExceeded(state) : this.#refuse(userId, state);
    this.#warnSoon(userId, storageState(person, after));
  }

  /** Takes back what `letStore` counted for the actor's key: nothing came of it. Their own count follows from their uploads. */
  async giveBackStorage(work: Queries, actor: Actor, bytes: number): Promise<void> {
    const key = bytes === 0 ? null : await this.keys.limitedKey(actor);
    if (key !== null) await this.keys.countStorage(work, key, -bytes);
  }

  /** Counts anew what everybody has stored. */
  async settleStored(): Promise<void> {
    await settleStored(this.#context.database.queries);
  }

  /** The refusal of something that is larger than the room that is left. */
  async storageExceeded(actor: Actor): Promise<AppError> {
    const key = await this.keys.limitedKey(actor);
    const byKey = key === null ? Number.POSITIVE_INFINITY : await this.keys.storageRoom(key).catch(() => 0);
    const own = await this.#room(actor.userId);
    if (key !== null && byKey <= own) return await this.keys.storageExceeded(key);
    const person = await this.#limitsOf(actor.userId);
    return this.#refuse(actor.userId, storageState(person, await this.#used(this.#context.database.queries, actor.userId, person, "none")));
  }

  async #room(userId: string): Promise<number> {
    const person = await this.#limitsOf(userId);
    if (person.limits.storageMb < 0) return Number.POSITIVE_INFINITY;
    return person.limits.storageMb * megabyte - (await this.#used(this.#context.database.queries, userId, person, "none")).storedBytes;
  }

  /** What a person may spend on models in a month, in dollars; -1: any amount. */
  async spendLimit(userId: string): Promise<number> {
    return (await this.#limitsOf(userId)).limits.llmSpendPerMonth;
  }

  /** What calls of a model count against besides: the key that they are made with, when it has quotas of its own. */
  async spendKey(keyId: string | null): Promise<LimitedKey | null> {
    return keyId === null ? null : await this.keys.limitedKey({ keyId });
  }

  /** Warns somebody who has spent most of it, with a key too. */
  async noteSpend(userId: string, keyId: string | null): Promise<void> {
    if (keyId !== null) await this.keys.noteSpend(keyId);
    const state = await this.#spendState(userId, await this.#limitsOf(userId));
    if (state.limit >= 0) this.#warnSoon(userId, state);
  }

  /** Somebody has stored so many bytes besides, in no blob. */
  async noteStored(userId: string, bytes: number): Promise<void> {
    await addStored(this.#context.database.queries, userId, bytes);
  }

  async #spendState(userId: string, { limits }: PersonLimits): Promise<QuotaState> {
    const { spent, resetsAt } = await spentIn(this.#context.database.queries, userScope(userId), "month");
    return { quota: "llmSpendPerMonth", limit: limits.llmSpendPerMonth, used: spent / dollar, resetsAt };
  }

  /** A person's quotas; those of others are for administrators. @throws AppError `not_found` */
  async list(actor: Actor, userId = actor.userId): Promise<{ userId: string; items: Quota[] }> {
    const { queries } = this.#context.database;
    const mayRead = can(actor, "account:read", personal("account", userId, userId)) && !userId.includes("\0");
    const found = mayRead ? await findOverrides(queries, userId) : undefined;
    if (found === undefined) throw new AppError("not_found");
    const person = limitsFor(found, defaultLimits(this.#context.settings));
    const daily = countedDaily(person, "program") === "none" ? "programs" : countedDaily(person, "program");
    const counted = await this.#statesOf(queries, userId, person, daily, await this.#countStored(userId, person));
    const live = {
      quota: "concurrentRuns",
      limit: person.limits.concurrentRuns,
      used: await countLive(queries, userId),
      resetsAt: null,
    } as const;
    const rate = { quota: "executionsPerMinute", limit: person.limits.executionsPerMinute, used: null, resetsAt: null } as const;
    return { userId, items: [live, ...counted, rate, await this.#spendState(userId, person)].map((state) => toQuota(state, person)) };
  }

  /** What somebody has stored, counted from what is there; what decides is brought in line with what is shown. */
  async #countStored(userId: string, person: PersonLimits): Promise<number> {
    const { queries } = this.#context.database;
    const stored = await countStored(queries, userId);
    const { storedBytes } = await this.#used(queries, userId, person, "none");
    if (stored !== storedBytes && this.#mayRecount(userId)) await this.#recount(userId, []);
    return stored;
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
    if (known !== undefined && known.until > performance.now()) return known.person;
    this.#listen();
    const found = await findOverrides(this.#context.database.queries, userId);
    if (found === undefined) throw new AppError("unauthenticated");
    const person = limitsFor(found, defaultLimits(this.#context.settings));
    if (this.#known.size >= mostRemembered) this.#known.clear();
    this.#known.set(userId, { person, until: performance.now() + memoMs });
    return person;
  }

  /** Has every server look again at what everybody may use. */
  async announceChange(): Promise<void> {
    this.forgetAll();
    await announceQuotas(this.#context.database.queries);
  }

  /** Forgets what another server has changed. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#context.notifications
      .listen(
        quotasChannel,
        (id) => {
          if (id === "") return this.forgetAll();
          this.#known.delete(id);
          this.keys.forget(id);
        },
        () => this.forgetAll(),
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
    const quota = warning.key === undefined ? warning.quota : `${warning.quota} ${warning.key.id}`;
    noteWarning(database.queries, warning.userId, quota, warning.isUsedUp ? `${name}, used up` : name).then(
      (isFirst) => (isFirst ? onWarning(warning) : undefined),
      () => {}, // the next submission tries again
    );
  }
}

/** Of each content once. */
function sizeOf(given: readonly BlobRef[]): number {
  return [...new Map(given.map(({ sha256, size }) => [sha256, size])).values()].reduce((sum, size) => sum + size, 0);
}

/** Whether it is the refusal of more than a person, not a key of theirs, may store. */
function isOwnStorage(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== "quota_exceeded") return false;
  return error.details?.["quota"] === "storageMb" && error.details["apiKeyId"] === undefined;
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

function toQuota(
  { quota, limit, used, resetsAt }: Omit<QuotaState, "used"> & { readonly used: number | null },
  { overrides, defaults }: PersonLimits,
): Quota {
  const name: QuotaName = quota;
  const warning = used !== null && name !== "concurrentRuns" && isNearlyUsed({ limit, used });
  const rounded = used === null ? null : Math.round(used * 100) / 100;
  const isDefault = overrides[name] === null;
  return { name, limit, used: rounded, isDefault, default: defaults[name], resetsAt: resetsAt?.toISOString() ?? null, warning };
}
