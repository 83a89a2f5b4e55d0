import type { LlmCall, LlmTotals } from "@syla/contracts/models";
import { dollar } from "../../spend/service.ts";
import { z } from "zod";
import type { CallRow, SentRequest, TotalsRow } from "./store.ts";

export function toCall(row: CallRow): LlmCall {
  return {
    id: row.id,
    runId: row.run_id,
    sandboxId: row.sandbox_id,
    nodePath: row.node_path,
    user: { id: row.user_id, name: row.user_name ?? "" },
    model: { id: row.model_id, name: row.model_name, owner: row.owner_name ?? (row.model_owner_id === "system" ? "System" : "") },
    provider: row.provider,
    upstreamModel: row.upstream_model,
    protocol: row.protocol,
    operation: row.operation,
    streamed: row.streamed,
    status: row.status,
    httpStatus: row.http_status,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    attempts: row.attempts,
    cached: row.cached,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    reasoningTokens: row.reasoning_tokens,
    isEstimate: row.is_estimate,
    cost: row.cost === null ? null : row.cost / dollar,
    priceVersion: row.price_version,
    startedAt: row.started_at.toISOString(),
    firstByteMs: row.first_byte_ms,
    totalMs: row.total_ms,
  };
}

const SentRequests = z
  .array(z.object({ at: z.number(), ms: z.number(), status: z.int().nullable(), code: z.string().nullable() }))
  .nullable();

/** What was sent to the provider; nothing is known of calls that older releases made. */
export function sentOf(row: CallRow): SentRequest[] {
  return SentRequests.parse(row.attempt_log) ?? [];
}

export function toTotals(row: TotalsRow): LlmTotals {
  return {
    calls: row.calls,
    failed: row.failed,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    cost: row.cost === null ? null : row.cost / dollar,
    unknownCosts: row.unknown_costs,
    estimates: row.estimates,
  };
}
