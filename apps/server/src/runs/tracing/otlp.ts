import { SpanKind, SpanStatusCode, TraceFlags, type Attributes, type HrTime, type SpanContext } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { RunTrace, Span, SpanNode } from "@syla/contracts/traces";
import type { TracedCalls } from "../../models/service.ts";
import { StoredError } from "../result.ts";
import type { RunRow } from "../store.ts";

/** A run that has ended, with what its trace is made of. */
export interface EndedTrace {
  readonly row: RunRow;
  readonly trace: RunTrace;
  readonly calls: TracedCalls | null;
}

/**
 * A run's trace as OpenTelemetry has it. Attributes are ids, words of the product and numbers: nothing that somebody has said to a model, no
 * variable, no argument and no message of an error, which may repeat any of them. Sources: OpenTelemetry's conventions for generative AI
 * (`gen_ai.*`) and for HTTP (`http.*`); `syla.*` is ours.
 */
export function toOtlpSpans({ row, trace, calls }: EndedTrace, resource: Resource): ReadableSpan[] {
  const { traceId, parentSpanId } = trace;
  const beganAt = Date.parse(trace.startedAt);
  const contextOf = (spanId: string): SpanContext => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const byId = new Map(calls?.calls.map((call) => [call.id, call]));
  const common = { "syla.run.id": row.id, "syla.tenant.id": row.owner_id };
  return trace.spans.map((span) => {
    const call = span.llm === null ? undefined : byId.get(span.llm.callId);
    const parentId = span.parentId ?? parentSpanId;
    const ms = span.durationMs ?? Math.max(0, (trace.durationMs ?? 0) - span.startMs);
    const start = toHrTime(beganAt + span.startMs);
    return {
      ...nameAndKind(span, row, call),
      attributes: { ...common, ...attributesOf(span, row, trace, call) },
      spanContext: () => contextOf(span.id),
      ...(parentId === null ? {} : { parentSpanContext: { ...contextOf(parentId), isRemote: span.parentId === null } }),
      startTime: start,
      endTime: toHrTime(beganAt + span.startMs + ms),
      duration: toHrTime(ms),
      status: span.status === "failed" ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.UNSET },
      links: [],
      events: [],
      ended: true,
      resource,
      instrumentationScope: { name: "syla" },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  });
}

type Call = TracedCalls["calls"][number];

function nameAndKind({ kind }: Span, row: RunRow, call: Call | undefined): Pick<ReadableSpan, "name" | "kind"> {
  if (call !== undefined) return { name: `${operationOf(call)} ${call.upstreamModel}`, kind: SpanKind.CLIENT };
  if (kind === "run") return { name: `run ${row.kind}`, kind: SpanKind.SERVER };
  if (kind === "attempt") return { name: "POST", kind: SpanKind.CLIENT };
  return { name: kind, kind: SpanKind.INTERNAL };
}

function attributesOf(span: Span, row: RunRow, trace: RunTrace, call: Call | undefined): Attributes {
  if (span.kind === "run") return runAttributes(row, trace);
  if (call !== undefined) return callAttributes(call);
  if (span.node !== null) return nodeAttributes(span.node, span.status);
  const failure = span.status === "failed" ? (span.note ?? "_OTHER") : null;
  if (span.kind !== "attempt") return known({ "syla.attempt": span.attempt, "error.type": failure });
  const status = /^HTTP (\d{3})$/.exec(span.note ?? "")?.[1] ?? null;
  return known({
    "syla.attempt": span.attempt,
    "http.request.method": "POST",
    "http.response.status_code": status === null ? null : Number(status),
    "error.type": failure === null ? null : (status ?? failure),
  });
}

function runAttributes(row: RunRow, { totals, omitted }: RunTrace): Attributes {
  const error = StoredError.parse(row.error);
  return known({
    "user.id": row.owner_id,
    "syla.run.kind": row.kind,
    "syla.run.status": row.status,
    "syla.run.attempt": row.attempt,
    "syla.run.language": row.language,
    "syla.program.id": row.asset_id,
    "syla.program.version": row.asset_version,
    "error.type": error?.code ?? null,
    "syla.run.error_class": error?.class ?? null,
    "syla.llm.calls": totals?.calls ?? null,
    "syla.llm.input_tokens": totals?.inputTokens ?? null,
    "syla.llm.output_tokens": totals?.outputTokens ?? null,
    "syla.llm.cost_usd": totals?.cost ?? null,
    "syla.llm.omitted_calls": omitted === 0 ? null : omitted,
  });
}

function nodeAttributes({ path, kind, state, llm }: SpanNode, status: Span["status"]): Attributes {
  return known({
    "syla.node.path": path,
    "syla.node.kind": kind,
    "syla.node.state": state,
    "syla.llm.calls": llm?.calls ?? null,
    "syla.llm.input_tokens": llm?.inputTokens ?? null,
    "syla.llm.output_tokens": llm?.outputTokens ?? null,
    "syla.llm.cost_usd": llm?.cost ?? null,
    "error.type": status === "failed" ? "_OTHER" : null,
  });
}

function callAttributes(call: Call): Attributes {
  return known({
    "gen_ai.operation.name": operationOf(call),
    "gen_ai.provider.name": providerNames[call.provider] ?? call.provider,
    "gen_ai.request.model": call.upstreamModel,
    "gen_ai.request.stream": call.streamed,
    "gen_ai.usage.input_tokens": call.inputTokens,
    "gen_ai.usage.output_tokens": call.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": call.cachedTokens,
    "gen_ai.usage.reasoning.output_tokens": call.reasoningTokens,
    // In the conventions times are seconds.
    "gen_ai.response.time_to_first_chunk": call.streamed && call.firstByteMs !== null ? call.firstByteMs / 1000 : null,
    "syla.llm.call.id": call.id,
    "syla.model.id": call.model.id,
    "syla.llm.cached": call.cached,
    "syla.llm.is_estimate": call.isEstimate,
    "syla.llm.cost_usd": call.cost,
    "error.type": call.status === "succeeded" ? null : (call.error?.code ?? call.status),
  });
}

type Value = string | number | boolean;

/** Without what nobody knows. */
function known(values: Readonly<Record<string, Value | null>>): Attributes {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== null));
}

/** Names that the conventions know by another word; others are ours. */
const providerNames: Readonly<Record<string, string>> = { azure: "azure.ai.openai", watsonx: "ibm.watsonx.ai" };
const operationNames: Readonly<Record<string, string>> = {
  messages: "chat",
  responses: "chat",
  completions: "text_completion",
  generate: "text_completion",
  embed: "embeddings",
  embed_old: "embeddings",
};

function operationOf({ operation }: Call): string {
  return operationNames[operation] ?? operation;
}

/** Seconds and nanoseconds of milliseconds. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
