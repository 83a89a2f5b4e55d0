import { RunKind, type Run, type RunSummary } from "@syla/contracts/runs";
import { runConfigs } from "./config.ts";
import { runResults, StoredError, type RunResult } from "./result.ts";
import type { RunRow } from "./store.ts";

/** The first bytes of the two streams, as text. */
export interface Heads {
  readonly stdout: string;
  readonly stderr: string;
}

/** A row as it is shown in lists. */
export function toSummary(row: RunRow): RunSummary {
  return summarize(row, resultOf(row));
}

function resultOf(row: RunRow): RunResult | null {
  return row.result === null ? null : runResults.parse(row.result);
}

function summarize(row: RunRow, result: RunResult | null): RunSummary {
  return {
    id: row.id,
    kind: RunKind.parse(row.kind),
    status: row.status,
    phase: row.phase,
    ownerId: row.owner_id,
    language: row.language,
    entrypoint: row.entrypoint,
    attempt: row.attempt,
    retryOf: row.retry_of,
    exitCode: row.exit_code,
    signal: row.signal,
    error: StoredError.parse(row.error),
    timings: {
      queueMs: between(row.created_at, row.claimed_at),
      startMs: result?.startMs ?? null,
      compileMs: result?.compileMs ?? null,
      compileCached: result?.compileCached ?? null,
      runMs: result?.runMs ?? null,
      totalMs: between(row.created_at, row.finished_at),
    },
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

/** A row with everything; `heads` is what was read of its output. */
export function toRun(row: RunRow, heads: Heads): Run {
  const config = runConfigs.parse(row.config);
  const result = resultOf(row);
  return {
    ...summarize(row, result),
    requestedVersion: config.version,
    runtimeVersion: result?.runtimeVersion ?? null,
    args: config.args,
    env: config.env,
    files: config.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
    stdinBytes: config.stdin?.size ?? 0,
    tier: config.tier,
    network: config.network,
    priority: row.priority,
    visibility: row.visibility as Run["visibility"],
    requestedLimits: config.limits,
    limits: result?.limits ?? null,
    stdout: heads.stdout,
    stderr: heads.stderr,
    truncated: (result?.droppedBytes ?? 0) > 0,
    output: { stdoutBytes: result?.stdoutBytes ?? 0, stderrBytes: result?.stderrBytes ?? 0, droppedBytes: result?.droppedBytes ?? 0 },
    usage: result?.usage ?? null,
    artifactCount: row.artifact_count,
    skippedArtifacts: result?.skippedArtifacts ?? [],
    tests: result?.tests?.summary ?? null,
    cached: false,
    cachedFrom: null,
    idempotencyKey: row.idempotency_key,
  };
}

function between(from: Date, to: Date | null): number | null {
  return to === null ? null : Math.max(0, to.getTime() - from.getTime());
}
