import { setTimeout as sleep } from "node:timers/promises";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Change } from "../platform/http.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { insertEvents, type AuditEvent } from "./store.ts";

const flushMs = 50;
const mostAtOnce = 500;
const retryMs = 1000;
/** A change is made already: its answer does not wait longer than this for the trail. */
const longestWaitMs = 2000;

/**
 * What is done hundreds of times a second answers without waiting for its entry: a server that is killed loses those of its last
 * moment. Everything else is answered once its entry is in the database.
 */
const busy = /^(run\.create|analysis\.create|blob\.|trigger\.call|sandbox\.(exec|open_|process_|file_|folder_|context_))/;

/** What the trail is told besides the change of a route. */
export interface Occurrence {
  readonly action: string;
  readonly actor: Actor | null;
  readonly actorName?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly outcome?: "ok" | "denied" | "failed";
  readonly errorCode?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The audit trail: who did what, to what, from where, and how it went. Entries are written in batches, after what they tell of and outside of
 * its transaction; while the database is out of reach they wait in memory.
 */
export class Audit implements Service {
  readonly name = "audit";
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #waiting: AuditEvent[] = [];
  #writing: Promise<void> | undefined;
  /** Who waits until so many of those in memory are written. */
  #waiters: { count: number; readonly resolve: () => void }[] = [];
  /** Somebody waits for what is in memory: it is not gathered any longer. */
  #hurry = Promise.withResolvers<void>();

  constructor({ database, logger }: { database: Database; logger: Logger }) {
    this.#database = database;
    this.#logger = logger;
  }

  /** The answer of a route that changes something. What was changed, unless it is done all the time, is in the database when this resolves. */
  record(change: Change<Actor>): void | Promise<void> {
    this.#note(change);
    if (change.error !== null || busy.test(change.route.audit ?? "")) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count: this.#waiting.length, resolve });
    this.#hurry.resolve();
    return Promise.race([promise, sleep(longestWaitMs, undefined, { ref: false })]);
  }

  #note({ route, request, actor, params, trail, answer, error }: Change<Actor>): void {
    const userAgent = request.headers["user-agent"];
    this.add({
      action: route.audit ?? route.tag,
      actor: actor ?? (trail.actorId === undefined ? null : { userId: trail.actorId, role: "end_user", via: "session" }),
      resourceType: trail.resourceType ?? (route.audit ?? route.tag).split(".")[0] ?? route.tag,
      ...resourceOf(trail.resourceId, params, answer),
      outcome: error === null ? "ok" : error.status === 401 || error.status === 403 || error.status === 429 ? "denied" : "failed",
      ...(error === null ? {} : { errorCode: error.code }),
      ip: request.ip,
      ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, 400) }),
      requestId: request.id,
      ...(trail.details === undefined ? {} : { details: trail.details }),
    });
  }

  /** Anything else that is to be known later. */
  add(occurrence: Occurrence): void {
    const { actor } = occurrence;
    const linkId = actor?.linkId;
    this.#waiting.push({
      id: newId("aud"),
      at: new Date(),
      actor_id: linkId === undefined ? (actor?.userId ?? null) : null,
      actor_name: occurrence.actorName ?? "",
      actor_role: linkId === undefined ? (actor?.role ?? null) : null,
      via: actor?.via ?? "none",
      impersonator_id: actor?.impersonatorId ?? null,
      action: occurrence.action,
      resource_type: occurrence.resourceType ?? null,
      resource_id: occurrence.resourceId ?? null,
      outcome: occurrence.outcome ?? "ok",
      error_code: occurrence.errorCode ?? null,
      ip: occurrence.ip ?? actor?.address ?? null,
      user_agent: occurrence.userAgent ?? null,
      request_id: occurrence.requestId ?? null,
      details: { ...occurrence.details, ...(linkId === undefined ? {} : { linkId }) },
    });
    this.#writing ??= this.#write();
  }

  /** Resolves when everything that was told so far is in the database. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async run(): Promise<void> {
    await new Promise((resolve) => this.#stopping.signal.addEventListener("abort", resolve, { once: true }));
  }

  async drain(): Promise<void> {
    await this.flushed();
    this.#stopping.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([this.flushed(), sleep(2000, undefined, { ref: false })]);
  }

  async #write(): Promise<void> {
    const { promise } = (this.#hurry = Promise.withResolvers<void>());
    await Promise.race([promise, sleep(flushMs, undefined, { ref: false })]);
    while (this.#waiting.length > 0) {
      const events = this.#waiting.slice(0, mostAtOnce);
      try {
        await insertEvents(this.#database.queries, events);
        this.#waiting.splice(0, events.length);
        this.#tellWaiters(events.length);
      } catch (error) {
        this.#logger.warn({ err: error, waiting: this.#waiting.length }, "the audit trail could not be written");
        if (this.#stopping.signal.aborted) break;
        await sleep(retryMs, undefined, { ref: false });
      }
    }
    this.#writing = undefined;
  }

  #tellWaiters(written: number): void {
    for (const waiter of this.#waiters) waiter.count -= written;
    for (const { resolve } of this.#waiters.filter(({ count }) => count <= 0)) resolve();
    this.#waiters = this.#waiters.filter(({ count }) => count > 0);
  }
}

/** The thing that a change was about: said by its handler, named in the path, or what was made. */
function resourceOf(said: string | undefined, params: Readonly<Record<string, unknown>>, answer: unknown): { resourceId?: string } {
  const made = typeof answer === "object" && answer !== null && "id" in answer ? answer.id : undefined;
  const id = said ?? params["id"] ?? made;
  return typeof id === "string" ? { resourceId: id } : {};
}
