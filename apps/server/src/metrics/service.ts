import { performance } from "node:perf_hooks";
import type { QueueFigures } from "@syla/contracts/workers";
import type { FastifyInstance } from "fastify";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Database } from "../platform/database.ts";
import { readQueueFigures } from "../runs/figures/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";

/** A run that has ended, as far as it is counted. */
export interface EndedRun {
  readonly status: string;
  readonly kind: string;
  readonly language: string;
  readonly created_at: Date;
  readonly claimed_at: Date | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** A call of a model that has ended, as far as it is counted. */
export interface EndedCall {
  readonly provider: string;
  readonly operation: string;
  readonly status: string;
  readonly cached: boolean;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedTokens: number | null;
  /** US dollars; null where nobody knows. */
  readonly cost: number | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number | null;
}

/** What is looked at when somebody asks. */
export interface MetricsContext {
  readonly database: Pick<Database, "queries" | "connections">;
  readonly sandboxes: Pick<Sandboxes, "pools">;
  readonly version: string;
}

const requestSeconds = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];
const waitSeconds = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600];
const callSeconds = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300];

/**
 * Figures of this process for Prometheus. Labels are words of the product (routes, languages, providers): nothing that a user has named
 * is among them, so there are only so many series and they tell of nobody.
 */
export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #requests = this.#counter("syla_http_requests_total", "Answered HTTP requests", ["method", "route", "status"]);
  readonly #requestTimes = this.#histogram(
    "syla_http_request_duration_seconds",
    "HTTP requests until their answer was sent, without event streams",
    ["method", "route"],
    requestSeconds,
  );
  readonly #runs = this.#counter("syla_runs_total", "Runs that have ended on this worker", ["status", "kind", "language"]);
  readonly #runWaits = this.#histogram("syla_run_queue_seconds", "Runs from their submission until a worker took them", [], waitSeconds);
  readonly #runStarts = this.#histogram("syla_run_start_seconds", "Runs from then until their program ran", ["language"], waitSeconds);
  readonly #runTimes = this.#histogram(
    "syla_run_duration_seconds",
    "Programs from their first instruction to their end",
    ["language"],
    waitSeconds,
  );
  readonly #calls = this.#counter("syla_model_calls_total", "Calls of models that have ended", [
    "provider",
    "operation",
    "status",
    "cached",
  ]);
  readonly #tokens = this.#counter("syla_model_tokens_total", "Tokens of calls of models; cached ones are among the input", [
    "provider",
    "direction",
  ]);
  readonly #cost = this.#counter("syla_model_cost_dollars_total", "What calls of models cost, as far as it is known", ["provider"]);
  readonly #callTimes = this.#histogram(
    "syla_model_call_duration_seconds",
    "Calls of models from beginning to end",
    ["provider"],
    callSeconds,
  );
  readonly #firstBytes = this.#histogram(
    "syla_model_first_byte_seconds",
    "Calls of models until their answer began",
    ["provider"],
    callSeconds,
  );
  readonly #traces = this.#counter("syla_traces_total", "Traces of runs that were to be exported", ["outcome"]);
  readonly #context: MetricsContext;
  #loop = performance.eventLoopUtilization();

  constructor(context: MetricsContext) {
    this.#context = context;
    this.contentType = this.#registry.contentType;
    this.#addProcess();
    this.#addQueue();
    this.#addPools();
    this.#addDatabase();
  }

  /** Everything, in the text format of Prometheus. */
  async render(): Promise<string> {
    return await this.#registry.metrics();
  }

  /** Counts what this server answers. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook("onResponse", async (request, reply) => {
      const method = request.method;
      const route = request.routeOptions.url ?? "none";
      this.#requests.inc({ method, route, status: `${Math.floor(reply.statusCode / 100)}xx` });
      const isStream = String(reply.getHeader("content-type") ?? "").startsWith("text/event-stream");
      if (!isStream) this.#requestTimes.observe({ method, route }, reply.elapsedTime / 1000);
    });
  }

  runEnded(run: EndedRun): void {
    const { status, kind, language } = run;
    this.#runs.inc({ status, kind, language });
    if (run.claimed_at !== null) this.#runWaits.observe(secondsBetween(run.created_at, run.claimed_at));
    if (run.claimed_at !== null && run.started_at !== null)
      this.#runStarts.observe({ language }, secondsBetween(run.claimed_at, run.started_at));
    if (run.started_at !== null && run.finished_at !== null)
      this.#runTimes.observe({ language }, secondsBetween(run.started_at, run.finished_at));
  }

  tracesExported(outcome: string, runs: number): void {
    this.#traces.inc({ outcome }, runs);
  }

  callEnded(call: EndedCall): void {
    const { provider, operation, status } = call;
    this.#calls.inc({ provider, operation, status, cached: String(call.cached) });
    const directions = { input: call.inputTokens, output: call.outputTokens, cached: call.cachedTokens };
    for (const [direction, tokens] of Object.entries(directions)) if (tokens !== null) this.#tokens.inc({ provider, direction }, tokens);
    if (call.cost !== null) this.#cost.inc({ provider }, call.cost);
    if (call.cached) return;
    if (call.totalMs !== null) this.#callTimes.observe({ provider }, call.totalMs / 1000);
    if (call.firstByteMs !== null) this.#firstBytes.observe({ provider }, call.firstByteMs / 1000);
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  /** A value that is looked up whenever somebody asks. */
  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[], collect: (gauge: Gauge<L>) => void | Promise<void>): void {
    const registers = [this.#registry];
    const gauge: Gauge<L> = new Gauge({ name, help, labelNames, registers, collect: () => collect(gauge) });
  }

  #addProcess(): void {
    this.#gauge("syla_build_info", "Always 1; the version is a label", ["version"], (gauge) =>
      gauge.set({ version: this.#context.version }, 1),
    );
    this.#gauge("process_start_time_seconds", "When the process began, seconds since the epoch", [], (gauge) =>
      gauge.set(performance.timeOrigin / 1000),
    );
    this.#gauge("process_resident_memory_bytes", "Memory of the process", [], (gauge) => gauge.set(process.memoryUsage.rss()));
    this.#gauge("nodejs_heap_size_used_bytes", "Memory of its objects", [], (gauge) => gauge.set(process.memoryUsage().heapUsed));
    this.#gauge(
      "syla_event_loop_utilization",
      "Share of the time since the last look in which the event loop was busy, 0 to 1",
      [],
      (gauge) => {
        const now = performance.eventLoopUtilization();
        gauge.set(performance.eventLoopUtilization(now, this.#loop).utilization);
        this.#loop = now;
      },
    );
    this.#gauge("syla_event_loop_lag_seconds", "How late the event loop is now", [], async (gauge) => {
      const from = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      gauge.set((performance.now() - from) / 1000);
    });
    const cpu: Counter<"mode"> = new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time of the process",
      labelNames: ["mode"],
      registers: [this.#registry],
      collect: () => {
        const { user, system } = process.cpuUsage();
        cpu.reset();
        cpu.inc({ mode: "user" }, user / 1e6);
        cpu.inc({ mode: "system" }, system / 1e6);
      },
    });
  }

  /** Of all servers together. Without a database there is nothing to say. */
  #addQueue(): void {
    const figures = this.#figures();
    this.#gauge("syla_queue_runs", "Runs of all workers that have not ended", ["state"], async (gauge) => {
      gauge.reset();
      const found = await figures();
      if (found === null) return;
      gauge.set({ state: "queued" }, found.queued);
      gauge.set({ state: "running" }, found.running);
    });
    this.#gauge("syla_queue_wait_seconds", "Waiting of the newest runs of the last hour, of all workers", ["quantile"], async (gauge) => {
      gauge.reset();
      const waits = (await figures())?.queueWaitMs ?? null;
      if (waits === null) return;
      gauge.set({ quantile: "0.5" }, waits.p50 / 1000);
      gauge.set({ quantile: "0.95" }, waits.p95 / 1000);
    });
  }

  /** Those who ask within a second ask the database once. */
  #figures(): () => Promise<QueueFigures | null> {
    let known: Promise<QueueFigures | null> | null = null;
    let readAt = 0;
    return () => {
      if (known === null || performance.now() - readAt > 1000) {
        readAt = performance.now();
        known = readQueueFigures(this.#context.database.queries).catch(() => null);
      }
      return known;
    };
  }

  #addPools(): void {
    type Pool = ReturnType<Sandboxes["pools"]>[number];
    const add = (name: string, help: string, count: (pool: Pool) => Readonly<Record<string, number>>) =>
      this.#gauge(name, help, ["tier", "kind", "state"], (gauge) => {
        gauge.reset();
        for (const pool of this.#context.sandboxes.pools())
          for (const [state, value] of Object.entries(count(pool))) gauge.inc({ tier: pool.tier, kind: pool.kind, state }, value);
      });
    add("syla_sandbox_jails", "Jails of this worker: those that have an owner, and spares", ({ jails, spares }) => ({
      owned: jails.length,
      spare: spares,
    }));
    add("syla_sandbox_slots", "Places for runs in the jails of this worker", ({ jails }) => ({
      ready: jails.reduce((sum, jail) => sum + jail.ready, 0),
      busy: jails.reduce((sum, jail) => sum + jail.busy, 0),
    }));
  }

  #addDatabase(): void {
    this.#gauge("syla_database_connections", "Connections of this process to the database", ["state"], (gauge) => {
      const { total, idle } = this.#context.database.connections();
      gauge.set({ state: "busy" }, total - idle);
      gauge.set({ state: "idle" }, idle);
    });
    this.#gauge("syla_database_waiting", "Queries that wait for a connection", [], (gauge) =>
      gauge.set(this.#context.database.connections().waiting),
    );
  }
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1000;
}
