import { z } from "zod";
import { LlmTotals } from "./models.ts";
import { NodeLlm, NodeSaved, nodePath, NodeState } from "./node-runs.ts";

export const spanKinds = [
  "run",
  "request",
  "queue",
  "start",
  "environment",
  "compile",
  "workspace",
  "sandbox",
  "execution",
  "node",
  "waiting",
  "artifacts",
  "llm",
  "attempt",
] as const;

/** What a call of a model adds to its span. */
export const SpanLlm = z
  .object({
    callId: z.string(),
    model: z.string(),
    provider: z.string(),
    operation: z.string(),
    streamed: z.boolean(),
    cached: z.boolean().describe("answered from what the gateway remembers"),
    attempts: z.int().describe("requests that were sent to the provider"),
    inputTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    cachedTokens: z.int().nullable(),
    isEstimate: z.boolean().describe("the provider did not count: the numbers are estimates"),
    cost: z.number().nullable().describe("US dollars; null: nobody knows"),
    firstByteMs: z.number().nullable().describe("until the answer began"),
  })
  .meta({ id: "SpanLlm" });
export type SpanLlm = z.infer<typeof SpanLlm>;

/** What a node of a composition adds to its span. */
export const SpanNode = z
  .object({
    path: nodePath,
    kind: z.string(),
    state: NodeState,
    llm: NodeLlm.nullable().describe("of all calls of models in it and in what lies within it; null: there are none"),
    saved: NodeSaved.nullable().describe("null: it was not used again"),
  })
  .meta({ id: "SpanNode" });
export type SpanNode = z.infer<typeof SpanNode>;

/** A part of a run with its beginning and its end. */
export const Span = z
  .object({
    id: z.string().describe("16 hexadecimal digits, as in a `traceparent`"),
    parentId: z.string().nullable().describe("the span that it is a part of; null: it is the run itself"),
    kind: z.enum(spanKinds),
    name: z.string(),
    startMs: z.number().describe("since the beginning of the trace"),
    durationMs: z.number().nullable().describe("null: it goes on"),
    status: z.enum(["running", "ok", "failed", "cancelled"]),
    attempt: z.int().nullable().describe("of the run; of a model call, which request to the provider"),
    note: z.string().nullable().describe("why it failed, or what it came to"),
    llm: SpanLlm.nullable().describe("of a call of a model"),
    node: SpanNode.nullable().describe("of a node of a composition"),
  })
  .meta({ id: "Span" });
export type Span = z.infer<typeof Span>;

/** What a run consisted of: its phases and its calls of models, each with its time. */
export const RunTrace = z
  .object({
    runId: z.string(),
    traceId: z.string().describe("W3C trace id: of the request's `traceparent`, or the run's own"),
    parentSpanId: z.string().nullable().describe("the span of the caller that the request named"),
    startedAt: z.iso.datetime(),
    durationMs: z.number().nullable().describe("null while it goes on"),
    spans: z.array(Span).describe("a parent comes before its parts"),
    omitted: z.int().describe("calls of models that are not among the spans: the first 2,000 are"),
    omittedNodes: z.int().describe("nodes that are not among the spans: the first 2,000 are, without those that only hand a value on"),
    totals: LlmTotals.nullable().describe("of all calls of models; null without any"),
  })
  .meta({ id: "RunTrace" });
export type RunTrace = z.infer<typeof RunTrace>;
