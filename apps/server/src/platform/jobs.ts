import { AppError, type ErrorCode } from "@syla/contracts/errors";
import { sql } from "kysely";
import type { Database, Queries } from "./database.ts";
import { newId } from "./ids.ts";
import type { Logger } from "./logger.ts";

/** How often what is known of a job is written, and looked whether it is to stop, ms. */
const saveEveryMs = 1000;
const lost = "The server that did it is gone.";

/** What rows of jobs have in common; a table of them lets one be `running`. */
export interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly state: "running" | "done" | "failed" | "stopped";
  readonly started_by: string | null;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly stop_requested_at: Date | null;
  readonly report: object;
}

/** What every job is shown with. */
export interface ShownJob {
  readonly id: string;
  readonly state: JobRow["state"];
  readonly isStopping: boolean;
  readonly startedBy: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** Which jobs they are. */
export interface JobsOf {
  readonly table: "backup_jobs" | "storage_jobs";
  /** What ids begin with. */
  readonly prefix: string;
  /** Of who comes while one is running. */
  readonly busy: ErrorCode;
}

/** What jobs are made of. */
export interface JobsContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly workerId: string;
}

/** A job that is to begin: its kind, who wants it, and what else its table keeps. */
export type NewJob<Row extends JobRow> = Pick<Row, "kind" | "started_by"> &
  Partial<Omit<Row, "id" | "state" | "started_at" | "finished_at" | "stop_requested_at" | "report">>;

/** Long work on what the whole installation has, one at a time on all servers, which goes on by itself, tells how far it is and can be stopped from anywhere. */
export class Jobs<Row extends JobRow> {
  readonly #context: JobsContext;
  readonly #of: JobsOf;
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** Of the job that this server does. */
  #job: { readonly id: string; readonly stopping: AbortController } | null = null;

  constructor(context: JobsContext, of: JobsOf) {
    this.#context = context;
    this.#of = of;
  }

  /**
   * Begins a job. `report` is written as it is by then, every second and at the end.
   *
   * @returns the job, and its end, which fails when the job does @throws AppError as `busy` says
   */
  async begin<T>(
    job: NewJob<Row>,
    report: { error: string | null },
    perform: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ row: Row; done: Promise<T> }> {
    this.#stopping.signal.throwIfAborted();
    const row = await this.#insert(job, report);
    if (row === undefined) throw new AppError(this.#of.busy);
    const done = this.#carryOut(row.id, report, perform);
    done.catch(() => {}); // what it was is recorded
    this.#running = done;
    return { row, done };
  }

  /** Stops a job of whichever server. @throws AppError `not_found` */
  async stopJob(id: string): Promise<Row> {
    await this.find(id);
    await sql`update ${this.#table} set stop_requested_at = now() where id = ${id} and state = 'running' and stop_requested_at is null`.execute(
      this.#queries,
    );
    if (this.#job?.id === id) {
      this.#job.stopping.abort(new Error("it was stopped"));
      await this.#running.catch(() => undefined);
    }
    return await this.find(id);
  }

  /** @throws AppError `not_found` */
  async find(id: string): Promise<Row> {
    const query = sql<Row>`select * from ${this.#table} where id = ${id}`;
    const row = id.includes("\0") ? undefined : (await query.execute(this.#queries)).rows[0];
    if (row === undefined) throw new AppError("not_found");
    return row;
  }

  /** The newest first. */
  async list(limit: number): Promise<Row[]> {
    return (await sql<Row>`select * from ${this.#table} order by id desc limit ${limit}`.execute(this.#queries)).rows;
  }

  /** When a job of a kind was last begun. */
  async findLast(kind: Row["kind"]): Promise<Date | undefined> {
    const query = sql<JobRow>`select started_at from ${this.#table} where kind = ${kind} order by id desc limit 1`;
    return (await query.execute(this.#queries)).rows[0]?.started_at;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the server is stopping"));
    await this.#running.catch(() => undefined);
  }

  get #queries(): Queries {
    return this.#context.database.queries;
  }

  get #table() {
    return sql.table(this.#of.table);
  }

  /** That of a server which is gone has failed. Undefined: another is running. */
  async #insert(job: NewJob<Row>, report: object): Promise<Row | undefined> {
    const { table, prefix } = this.#of;
    await sql`update ${this.#table} set state = 'failed', finished_at = now(), report = report || ${JSON.stringify({ error: lost })}::jsonb
      where state = 'running' and not exists (
        select 1 from workers where workers.id = ${sql.ref(`${table}.worker_id`)} and stopped_at is null)`.execute(this.#queries);
    const values = {
      ...job,
      id: newId(prefix),
      state: "running",
      worker_id: this.#context.workerId,
      report: JSON.stringify(report),
    };
    const { rows } = await sql<Row>`
      insert into ${this.#table} (${sql.join(Object.keys(values).map((column) => sql.ref(column)))})
      values (${sql.join(Object.values(values))}) on conflict do nothing returning *`.execute(this.#queries);
    return rows[0];
  }

  /** @returns whether it is to stop, or is not running any more */
  async #save(id: string, state: JobRow["state"], report: object): Promise<boolean> {
    const { rows } = await sql<JobRow>`
      update ${this.#table} set state = ${state}, report = ${JSON.stringify(report)}::jsonb,
        finished_at = case when ${state} = 'running' then null else now() end
      where id = ${id} and state = 'running' returning stop_requested_at`.execute(this.#queries);
    return rows[0] === undefined || rows[0].stop_requested_at !== null;
  }

  async #carryOut<T>(id: string, report: { error: string | null }, perform: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stopping = new AbortController();
    this.#job = { id, stopping };
    let state: JobRow["state"] = "done";
    const progress = setInterval(() => {
      this.#save(id, "running", report).then(
        (isOver) => isOver && stopping.abort(new Error("it was stopped")),
        () => {}, // the next one tells
      );
    }, saveEveryMs);
    try {
      return await perform(AbortSignal.any([this.#stopping.signal, stopping.signal]));
    } catch (error) {
      state = stopping.signal.aborted ? "stopped" : "failed";
      if (state === "failed") report.error = error instanceof AppError ? `${error.message} ${error.hint}` : (error as Error).message;
      throw error;
    } finally {
      clearInterval(progress);
      this.#job = null;
      await this.#save(id, state, report).catch((err: unknown) => {
        this.#context.logger.warn({ err, id }, "the end of a job could not be recorded");
      });
    }
  }
}

/** What is shown of every job. */
export function showJob(row: JobRow): ShownJob {
  return {
    id: row.id,
    state: row.state,
    isStopping: row.state === "running" && row.stop_requested_at !== null,
    startedBy: row.started_by,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
