import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "@syla/contracts/errors";
import { isFinal, ProgramRunInput, type Run } from "@syla/contracts/runs";
import type { Trigger, TriggerAnswer, TriggerCall, TriggerChange, TriggerFilter, TriggerInput } from "@syla/contracts/triggers";
import type { Actor } from "../access/actor.ts";
import { refuseLimitedKey, requirePermission } from "../access/service.ts";
import type { Catalog } from "../catalog/service.ts";
import { notify } from "../notifications/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import { requireAllowed, type RateLimit } from "../platform/rate-limit.ts";
import type { DeriveSecret } from "../platform/standard-webhooks.ts";
import { changeRevised, type Revision } from "../platform/revision.ts";
import type { ProgramRuns } from "../program-runs/service.ts";
import type { Quotas } from "../quotas/service.ts";
import type { Runs } from "../runs/service.ts";
import { prove, type Unproved } from "./proof.ts";
import * as store from "./store.ts";

/** So many may one person have. */
const mostTriggers = 100;
const previousSecretHours = 24;
/** Calls that are kept of each trigger: genuine ones, and others. */
const keptCalls = 200;
const keptOthers = 50;
/** A call whose name anybody could have changed is known by its body for so long. */
const replayMinutes = 5;
const mostHeaderBytes = 16 * 1024;

/** With these the owner has lost what the trigger needs, and every other call would end the same. */
const lostCodes = new Set(["not_found", "forbidden", "asset_deleted", "account_suspended"]);

/** What triggers are made of. */
export interface TriggersContext {
  readonly database: Database;
  readonly secretOf: DeriveSecret;
  readonly publicUrl: string;
  readonly catalog: Pick<Catalog, "resolve">;
  readonly programRuns: Pick<ProgramRuns, "submit">;
  readonly runs: Pick<Runs, "get" | "wait">;
  readonly quotas: Pick<Quotas, "countExecution">;
  readonly rateLimit: RateLimit;
}

/** A call as it came. */
export interface ReceivedCall {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly ip: string;
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
  /** Told of the run that the call has started. */
  readonly onStarted: (run: Run) => void;
}

/** What a call is known by. */
interface CallName {
  readonly deliveryId: string | null;
  readonly bodySha256: string | null;
}

/** Addresses whose calls start runs of programs. */
export class Triggers {
  readonly #context: TriggersContext;

  constructor(context: TriggersContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: TriggerFilter): Promise<{ items: Trigger[]; nextCursor: string | null }> {
    const before = readCursor(filter.cursor, /^trg_[0-9a-z]{26}$/);
    if (filter.programId?.includes("\0") === true) return { items: [], nextCursor: null };
    const rows = await store.listTriggers(this.#context.database.queries, actor.userId, filter, before);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => this.#present(row),
    );
  }

  async get(actor: Actor, id: string): Promise<Trigger> {
    return this.#present(await this.#find(actor, id, "trigger:read"));
  }

  /** @throws AppError `not_found` for a program that they may not run, `conflict` when there are too many */
  async create(actor: Actor, input: TriggerInput): Promise<Trigger & { secret: string }> {
    refuseImpersonator(actor);
    refuseLimitedKey(actor, "triggers");
    requirePermission(actor, "trigger:create");
    const { programId, version, name, auth, input: way, headers, ratePerMinute } = input;
    await this.#context.catalog.resolve(actor, "asset:run", programId, version ?? undefined, "program");
    const id = newId("trg");
    const row = {
      id,
      owner_id: actor.userId,
      program_id: programId,
      version,
      name,
      auth,
      input: way,
      headers,
      rate_per_minute: ratePerMinute,
    };
    if (!(await store.insertTrigger(this.#context.database.queries, row, mostTriggers)))
      throw new AppError("conflict", { message: `There are ${mostTriggers} triggers already.`, hint: "Delete one that is not needed." });
    return await this.#withSecret(actor, id);
  }

  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async update(actor: Actor, id: string, change: TriggerChange, revision: Revision = "*"): Promise<Trigger> {
    refuseLimitedKey(actor, "triggers");
    const { program_id: programId, owner_id: ownerId } = await this.#find(actor, id, "trigger:manage");
    const { name, version, auth, input, headers, ratePerMinute, enabled } = change;
    if (enabled === true) requirePermission(actor, "trigger:create");
    if (version !== undefined || enabled === true) {
      const owner = await this.#actorOf(ownerId);
      await this.#context.catalog.resolve(owner, "asset:run", programId, version ?? undefined, "program");
    }
    const changes = {
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
      ...(auth === undefined ? {} : { auth }),
      ...(input === undefined ? {} : { input }),
      ...(headers === undefined ? {} : { headers }),
      ...(ratePerMinute === undefined ? {} : { rate_per_minute: ratePerMinute }),
      ...(enabled === undefined ? {} : { enabled, disabled_reason: null }),
    };
    const current = () => this.get(actor, id);
    const { queries } = this.#context.database;
    await changeRevised(queries, { table: "triggers", id, revision }, (work) => store.changeTrigger(work, id, changes), current);
    return await current();
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await this.#find(actor, id, "trigger:manage");
    await store.deleteTrigger(this.#context.database.queries, id);
  }

  async rotate(actor: Actor, id: string): Promise<Trigger & { secret: string }> {
    refuseImpersonator(actor);
    refuseLimitedKey(actor, "triggers");
    await this.#find(actor, id, "trigger:manage");
    await store.rotateSecret(this.#context.database.queries, id, previousSecretHours);
    return await this.#withSecret(actor, id);
  }

  async calls(actor: Actor, id: string, page: { cursor?: string | undefined; limit: number }) {
    await this.#find(actor, id, "trigger:read");
    const before = readCursor(page.cursor, /^call_[0-9a-z]{26}$/);
    const rows = await store.listCalls(this.#context.database.queries, id, page.limit, before);
    return toPage(rows, page.limit, (row) => row.id, toCall);
  }

  /**
   * A call from outside. The run is made as the trigger's owner, with what they may now.
   *
   * @throws AppError `not_found`, `signature_invalid`, `trigger_disabled`, `rate_limited`, and whatever making a run refuses
   */
  async call(id: string, call: ReceivedCall): Promise<TriggerAnswer> {
    const row = id.includes("\0") ? undefined : await store.findTrigger(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    const proof = prove(row.auth, this.#secretsOf(row), call.headers, call.body);
    if (typeof proof === "string") return await this.#refuseUnproved(row, call, proof);
    const note = { deliveryId: proof.deliveryId, bodySha256: proof.isNameSigned ? null : hash("sha256", call.body) };
    try {
      if (!row.enabled) throw new AppError("trigger_disabled");
      await this.#requireRate(row);
      const { actor, runId, run } = await this.#runOf(row, call, note);
      if (run !== null) call.onStarted(run);
      const outcome = await this.#note(row, call, { ...note, outcome: run === null ? "duplicate" : "started", runId });
      return await this.#answer(actor, runId, run ?? (await this.#kept(actor, runId)), outcome === "duplicate", call);
    } catch (error) {
      if (error instanceof LostError) await this.#switchOff(row, error.cause);
      const refusal = error instanceof LostError ? error.cause : error;
      if (!(refusal instanceof AppError)) throw error;
      await this.#note(row, call, { ...note, outcome: "refused", errorCode: refusal.code });
      throw error instanceof LostError ? new AppError("trigger_disabled", { cause: refusal }) : refusal;
    }
  }

  /** The run of a call; `run` null: one that an earlier call has started. */
  async #runOf(row: store.TriggerRow, call: ReceivedCall, note: CallName): Promise<{ actor: Actor; runId: string; run: Run | null }> {
    const { queries } = this.#context.database;
    const { deliveryId, bodySha256 } = note;
    const isReplayable = deliveryId !== null && bodySha256 !== null;
    const name = isReplayable ? await store.firstName(queries, row.id, { deliveryId, bodySha256, minutes: replayMinutes }) : deliveryId;
    const known = name === null ? null : await store.findStarted(queries, row.id, name);
    const actor = await this.#actorOf(row.owner_id).catch(lose);
    if (known !== null) return { actor, runId: known, run: null };
    const key = name === null ? null : `trigger ${row.id} ${name}`;
    try {
      const run = await this.#start(actor, row, call, key).catch(lose);
      return { actor, runId: run.id, run };
    } catch (error) {
      // At the same moment, and with other headers.
      const isOther = isReplayable && key !== null && error instanceof AppError && error.code === "idempotency_conflict";
      const first = isOther ? await store.findRunOf(queries, row.owner_id, key) : undefined;
      if (first === undefined) throw error;
      return { actor, runId: first, run: null };
    }
  }

  /** Null: it has been deleted. */
  async #kept(actor: Actor, runId: string): Promise<Run | null> {
    return await this.#context.runs.get(actor, runId).catch((error: unknown) => {
      if (error instanceof AppError && error.code === "not_found") return null;
      throw error;
    });
  }

  async #refuseUnproved(row: store.TriggerRow, call: ReceivedCall, why: Unproved): Promise<never> {
    await this.#note(row, call, { deliveryId: null, bodySha256: null, outcome: "unauthenticated", errorCode: why });
    throw new AppError("signature_invalid", {
      ...(why === "too_old" ? { message: "The call was signed more than five minutes ago." } : {}),
      ...(why === "missing" ? { message: "The call is not signed." } : {}),
    });
  }

  /** Of two calls of one name that come at once, the idempotency key lets one start a run. */
  async #start(actor: Actor, row: store.TriggerRow, call: ReceivedCall, idempotencyKey: string | null): Promise<Run> {
    const counted = await this.#context.quotas.countExecution(actor);
    if (counted !== null) requireAllowed(counted.state, counted.quota ?? `More than ${counted.state.limit} executions in a minute.`);
    const contentBase64 = call.body.toString("base64");
    const input = ProgramRunInput.parse({
      programId: row.program_id,
      ...(row.version === null ? {} : { version: row.version }),
      ...(row.input === "stdin" ? { stdinBase64: contentBase64 } : { files: [{ path: "input/event.json", contentBase64 }] }),
      ...(row.headers.length === 0 ? {} : { env: { SYLA_EVENT_HEADERS: chosenHeaders(row.headers, call.headers) } }),
    });
    return await this.#context.programRuns.submit(actor, input, { idempotencyKey, wait: false, signal: call.signal });
  }

  async #answer(
    actor: Actor,
    runId: string,
    started: Run | null,
    duplicate: boolean,
    { waitSeconds, signal }: ReceivedCall,
  ): Promise<TriggerAnswer> {
    if (started === null) return { runId, status: null, duplicate, exitCode: null, stdout: null };
    const waits = waitSeconds > 0 && !isFinal(started.status);
    const enough = AbortSignal.any([signal, AbortSignal.timeout(waitSeconds * 1000)]);
    const run = waits ? await this.#context.runs.wait(actor, runId, enough) : started;
    const stdout = waitSeconds > 0 && isFinal(run.status) ? run.stdout : null;
    return { runId, status: run.status, duplicate, exitCode: run.exitCode, stdout };
  }

  async #requireRate(row: store.TriggerRow): Promise<void> {
    const rate = { limit: row.rate_per_minute, windowMs: 60_000 };
    requireAllowed(
      await this.#context.rateLimit.take(`trigger ${row.id}`, rate),
      `More than ${row.rate_per_minute} calls of this trigger in a minute.`,
    );
  }

  /** @throws AppError `account_suspended` */
  async #actorOf(ownerId: string): Promise<Actor> {
    const owner = await store.findOwner(this.#context.database.queries, ownerId);
    if (owner === undefined || owner.status !== "active") throw new AppError("account_suspended");
    return { userId: ownerId, role: owner.role, via: "token", scopes: ["runs:write"] };
  }

  async #note(
    row: store.TriggerRow,
    call: ReceivedCall,
    {
      outcome,
      deliveryId,
      bodySha256,
      runId = null,
      errorCode = null,
    }: {
      readonly outcome: TriggerCall["outcome"];
      readonly deliveryId: string | null;
      readonly bodySha256: string | null;
      readonly runId?: string | null;
      readonly errorCode?: string | null;
    },
  ): Promise<TriggerCall["outcome"]> {
    const { queries } = this.#context.database;
    const note = { id: newId("call"), trigger_id: row.id, outcome, delivery_id: deliveryId, body_sha256: bodySha256, run_id: runId };
    const isGenuine = outcome !== "unauthenticated";
    const noted = await store.insertCall(
      queries,
      { ...note, error_code: errorCode, ip: call.ip, bytes: call.body.length },
      isGenuine ? keptCalls : keptOthers,
    );
    if (isGenuine) await store.noteCalled(queries, row.id);
    return noted;
  }

  async #switchOff(row: store.TriggerRow, cause: AppError): Promise<void> {
    const reason = cause.code === "account_suspended" ? "its owner may not sign in" : "its owner may not run the program any more";
    await this.#context.database.queries.transaction().execute(async (work) => {
      if (!(await store.disable(work, row.id, reason))) return;
      await notify(work, {
        userId: row.owner_id,
        type: "system",
        title: `The trigger “${row.name}” was switched off`,
        body: `Why: ${reason}.`,
        link: `/programs/${row.program_id}?tab=triggers`,
        details: { triggerId: row.id, programId: row.program_id },
      });
    });
  }

  async #withSecret(actor: Actor, id: string): Promise<Trigger & { secret: string }> {
    const row = await this.#find(actor, id, "trigger:manage");
    return { ...this.#present(row), secret: this.#context.secretOf("trigger", id, row.secret_generation) };
  }

  #secretsOf({ id, secret_generation: generation, previous_secret_until: until }: store.TriggerRow): string[] {
    const generations = until !== null && until > new Date() ? [generation, generation - 1] : [generation];
    return generations.map((one) => this.#context.secretOf("trigger", id, one));
  }

  async #find(actor: Actor, id: string, action: "trigger:read" | "trigger:manage"): Promise<store.TriggerRow> {
    const row = id.includes("\0") ? undefined : await store.findTrigger(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, { type: "trigger", id, ownerId: row.owner_id, visibility: "private", level: null });
    return row;
  }

  #present(row: store.TriggerRow): Trigger {
    const { previous_secret_until: until } = row;
    return {
      id: row.id,
      name: row.name,
      url: `${this.#context.publicUrl}/api/v1/triggers/${row.id}/calls`,
      ownerId: row.owner_id,
      program: { id: row.program_id, name: row.program_name },
      version: row.version,
      auth: row.auth,
      input: row.input,
      headers: row.headers,
      ratePerMinute: row.rate_per_minute,
      enabled: row.enabled,
      disabledReason: row.disabled_reason,
      previousSecretUntil: until !== null && until > new Date() ? until.toISOString() : null,
      lastCalledAt: row.last_called_at?.toISOString() ?? null,
      revision: row.revision,
      createdAt: row.created_at.toISOString(),
    };
  }
}

/** The owner has lost what the trigger needs. */
class LostError extends Error {
  override readonly name = "LostError";
  override readonly cause: AppError;

  constructor(cause: AppError) {
    super(cause.message, { cause });
    this.cause = cause;
  }
}

function lose(error: unknown): never {
  throw error instanceof AppError && lostCodes.has(error.code) ? new LostError(error) : error;
}

/** Whoever acts as somebody else is shown none of their secrets. */
function refuseImpersonator(actor: Actor): void {
  if (actor.impersonatorId !== undefined) throw new AppError("impersonating");
}

/** @throws AppError `payload_too_large` */
function chosenHeaders(names: readonly string[], headers: IncomingHttpHeaders): string {
  const found = names.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name].replaceAll("\0", "")]] : []));
  const text = JSON.stringify(Object.fromEntries(found));
  if (Buffer.byteLength(text) > mostHeaderBytes)
    throw new AppError("payload_too_large", { message: "The headers for the run are too long." });
  return text;
}

function toCall(row: store.CallRow): TriggerCall {
  return {
    id: row.id,
    at: row.at.toISOString(),
    outcome: row.outcome,
    deliveryId: row.delivery_id,
    runId: row.run_id,
    errorCode: row.error_code,
    ip: row.ip,
    bytes: row.bytes,
  };
}
