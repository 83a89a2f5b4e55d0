import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { ExportResultCode } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { isFinal } from "@syla/contracts/runs";
import type { CallBook } from "../../models/service.ts";
import type { Queries } from "../../platform/database.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Secret } from "../../platform/secret.ts";
import type { Service } from "../../platform/service.ts";
import { readOtlpHeaders } from "../../config-values.ts";
import { runConfigs } from "../config.ts";
import { findRuns, type RunRow } from "../store.ts";
import { toOtlpSpans } from "./otlp.ts";
import { traceOf, tracedCalls, type TracedNodes } from "./spans.ts";

/** Calls of models are written down a moment after the run that made them has ended. */
const settleMs = 1000;
const lookMs = 500;
/** More runs than these do not wait to be sent: what comes then is dropped, and counted. */
const mostWaiting = 5000;
const mostRunsAtOnce = 50;
const mostSpansAtOnce = 512;
/** With all tries. */
const sendMs = 10_000;
/** How long a server that stops goes on sending. */
const lastMs = 3000;
const complainEveryMs = 60_000;

/** What became of a trace. */
export type ExportOutcome = "sent" | "failed" | "dropped";

/** Where traces go. */
export interface TraceTarget {
  /** The address of an OTLP receiver, without `/v1/traces`. */
  readonly endpoint: string;
  readonly protocol: "http/protobuf" | "http/json";
  /** `name=value` pairs, parted by commas, as OpenTelemetry writes them. */
  readonly headers: Secret | undefined;
}

/** What traces are exported with. */
export interface TraceExportContext {
  readonly queries: Queries;
  readonly calls: Pick<CallBook, "traced">;
  /** The nodes of a run of a composition. */
  readonly nodesOf: (row: RunRow) => Promise<TracedNodes>;
  readonly logger: Logger;
  readonly version: string;
  readonly count: (outcome: ExportOutcome, runs: number) => void;
}

/** Loads the exporter only where traces are exported. */
export async function openTraceExport(target: TraceTarget, context: TraceExportContext): Promise<TraceExport> {
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const { OTLPTraceExporter } =
    target.protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  const exporter = new OTLPTraceExporter({
    url: target.endpoint.endsWith("/v1/traces") ? target.endpoint : `${target.endpoint}/v1/traces`,
    headers: target.headers === undefined ? {} : readOtlpHeaders(target.headers.reveal()),
    timeoutMillis: sendMs,
    // Whoever answers too slowly for these gets nothing more until one of them has ended.
    concurrencyLimit: 4,
  });
  const resource = resourceFromAttributes({
    "service.name": "syla",
    "service.version": context.version,
    "service.instance.id": randomUUID(),
  });
  return new TraceExport(context, exporter, resource);
}

/**
 * Sends the traces of runs that have ended to an OTLP receiver. No run waits for it: what cannot be sent in time is dropped and counted, and so is what
 * waited when the process was killed.
 */
export class TraceExport implements Service {
  readonly name = "trace export";
  readonly #context: TraceExportContext;
  readonly #exporter: SpanExporter;
  readonly #resource: Resource;
  readonly #waiting: { readonly id: string; readonly at: number }[] = [];
  readonly #stopping = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(context: TraceExportContext, exporter: SpanExporter, resource: Resource) {
    this.#context = context;
    this.#exporter = exporter;
    this.#resource = resource;
    // What the library has to say of answers that are none, or that refuse a part.
    const quiet = () => undefined;
    const warn = (text: string) => this.#complain(text);
    const say = { error: warn, warn, info: quiet, debug: quiet, verbose: quiet };
    diag.setLogger(say, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  }

  /** A run has ended. */
  note(id: string): void {
    if (this.#waiting.length >= mostWaiting) this.#context.count("dropped", 1);
    else this.#waiting.push({ id, at: performance.now() });
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#working = this.#sendSettled(settleMs);
      await this.#working;
      await sleep(lookMs, undefined, { ref: false, signal }).catch(() => {});
    }
  }

  /** Runs end until everything else has been drained. */
  async drain(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopping.abort();
    const rest = this.#working.then(() => this.#sendSettled(0, true));
    await Promise.race([rest, sleep(lastMs, undefined, { ref: false })]);
    this.#context.count("dropped", this.#waiting.splice(0).length);
    this.#exporter.shutdown().catch(() => {}); // it waits for what nobody waits for any more
  }

  /** Sends what has waited for so long. */
  async #sendSettled(ms: number, isLast = false): Promise<void> {
    for (;;) {
      if (this.#stopping.signal.aborted && !isLast) return;
      const now = performance.now();
      const due = this.#waiting.findIndex(({ at }) => at > now - ms);
      const ids = this.#waiting.splice(0, Math.min(due < 0 ? this.#waiting.length : due, mostRunsAtOnce)).map(({ id }) => id);
      if (ids.length === 0) return;
      await this.#send(ids).catch((error: unknown) => {
        this.#context.count("failed", ids.length);
        this.#complain(error);
      });
    }
  }

  async #send(ids: readonly string[]): Promise<void> {
    const rows = (await findRuns(this.#context.queries, ids)).filter((row) => row !== undefined && isFinal(row.status)) as RunRow[];
    const spans: ReadableSpan[] = [];
    for (const row of rows) spans.push(...(await this.#spansOf(row)));
    let problem: Error | null = null;
    for (let from = 0; from < spans.length; from += mostSpansAtOnce)
      problem ??= await this.#export(spans.slice(from, from + mostSpansAtOnce));
    this.#context.count("dropped", ids.length - rows.length);
    this.#context.count(problem === null ? "sent" : "failed", rows.length);
    if (problem !== null) this.#complain(problem);
  }

  async #spansOf(row: RunRow): Promise<ReadableSpan[]> {
    const { models } = runConfigs.parse(row.config);
    const calls = models.length === 0 ? null : await this.#context.calls.traced(row.id, tracedCalls);
    const nodes = row.kind === "composition" ? await this.#context.nodesOf(row) : undefined;
    return toOtlpSpans({ row, calls, trace: traceOf(row, calls, null, nodes) }, this.#resource);
  }

  /** The library ends a wait for silence, not one for an answer that never comes to its end. */
  #export(spans: ReadableSpan[]): Promise<Error | null> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(new Error("no whole answer in time")), sendMs + 1000);
      this.#exporter.export(spans, ({ code, error }) => {
        clearTimeout(late);
        resolve(code === ExportResultCode.SUCCESS ? null : (error ?? new Error("not taken")));
      });
    });
  }

  /** Once in a while: a receiver that is down would fill the log. An error of the library carries the receiver's answer, which is not repeated. */
  #complain(problem: unknown): void {
    const now = performance.now();
    if (now - this.#complainedAt < complainEveryMs) return;
    this.#complainedAt = now;
    const { message, code } = problem instanceof Error ? (problem as NodeJS.ErrnoException) : { message: String(problem), code: undefined };
    this.#context.logger.warn({ problem: message.slice(0, 500), code }, "traces of runs could not be exported as they should");
  }
}
