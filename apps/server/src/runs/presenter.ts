import { RunKind, type Run, type RunSummary } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import { runConfigs } from "./config.ts";
import { runResults, StoredError, type RunResult } from "./result.ts";
import type { ListedRun, RunRow } from "./store.ts";

/** The first bytes of the two streams, as text. */
export interface Heads {
  readonly stdout: string;
  readonly stderr: string;
}

/** A row as it is shown in lists. */
export function toSummary(row: ListedRun): RunSummary {
  const result = resultOf(row);
  const summary = summarize(row, result);
  const error = summary.error === null ? null : { ...summary.error, frames: [], causes: [], excerpt: null };
  return { ...summary, error, ownerName: row.owner_name ?? "", cost: result?.usage?.llm?.cost ?? null };
}

function resultOf(row: RunRow): RunResult | null {
  return row.result === null ? null : runResults.parse(row.result);
}

function summarize(row: RunRow, result: RunResult | null): Omit<RunSummary, "ownerName" | "cost"> {
  return {
    id: row.id,
    kind: RunKind.parse(row.kind),
    status: row.status,
    phase: row.phase,
    ownerId: row.owner_id,
    language: row.language,
    entrypoint: row.entrypoint,
    program: toProgram(row),
    composition: toComposition(row),
    workspace: toRunWorkspace(row, result),
    attempt: row.attempt,
    retryOf: row.retry_of,
    scheduleId: row.schedule_id,
    exitCode: row.exit_code,
    signal: row.signal,
    error: StoredError.parse(row.error),
    timings: {
      queueMs: between(row.created_at, row.claimed_at),
      startMs: result?.startMs ?? null,
      environmentMs: result?.environmentMs ?? null,
      compileMs: result?.compileMs ?? null,
      compileCached: result?.compileCached ?? null,
      runMs: result?.runMs ?? null,
      totalMs: between(row.created_at, row.finished_at),
    },
    createdAt: row.created_at.toISOString(),
    startAt: row.status === "queued" && row.available_at.getTime() > Date.now() ? row.available_at.toISOString() : null,
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

function toRunWorkspace(row: RunRow, result: RunResult | null): RunSummary["workspace"] {
  if (row.workspace_id === null) return null;
  const { workspace } = runConfigs.parse(row.config);
  if (workspace === null) return null;
  return { ...workspace, ...(result?.workspace ?? { outcome: null, changed: 0, version: null, error: null }) };
}

function toComposition(row: RunRow): RunSummary["composition"] {
  if (row.kind !== "composition") return null;
  const { composition } = runConfigs.parse(row.config);
  if (composition === null) return null;
  const { id, name, version, graphHash, references, secrets, withheld, lineage } = composition;
  const variables = (of: readonly { readonly variable: string }[]) => [...new Set(of.map(({ variable }) => variable))];
  const told = { secretVariables: variables(secrets), withheldVariables: variables(withheld) };
  return { id, name, version, graphHash, references, ...told, lineage: lineage ?? row.id };
}

function toProgram(row: RunRow): RunSummary["program"] {
  if (row.asset_id === null) return null;
  const { program } = runConfigs.parse(row.config);
  if (program === null) return null;
  const { ownerId: _ownerId, secrets, withheld, ...shown } = program;
  return { ...shown, secretVariables: secrets.map(({ variable }) => variable), withheldVariables: withheld };
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
    models: config.models,
    datasets: config.datasets.map(({ id, name, assetName, version, split, path, rowCount, rows }) => {
      return { id, name, assetName, version, split, path, rows: rowCount, sha256: rows.sha256 };
    }),
    priority: row.priority,
    visibility: row.visibility as Run["visibility"],
    requestedLimits: config.limits,
    limits: result?.limits ?? null,
    walls: [...(result?.walls ?? [])],
    stdout: heads.stdout,
    stderr: heads.stderr,
    truncated: (result?.droppedBytes ?? 0) > 0,
    output: { stdoutBytes: result?.stdoutBytes ?? 0, stderrBytes: result?.stderrBytes ?? 0, droppedBytes: result?.droppedBytes ?? 0 },
    usage: result?.usage ?? null,
    artifactCount: row.artifact_count,
    skippedArtifacts: result?.skippedArtifacts ?? [],
    skippedArtifactCount: result?.skippedArtifactCount ?? result?.skippedArtifacts.length ?? 0,
    tests: result?.tests?.summary ?? null,
    cached: false,
    cachedFrom: null,
    pinned: row.pinned_at !== null,
    expiredAt: row.expired_at?.toISOString() ?? null,
    idempotencyKey: row.idempotency_key,
  };
}

/** A run as this actor sees it: nobody who is not signed in is told what its environment held, or reads its files. */
export function shownTo(actor: Actor, run: Run): Run {
  if (actor.via !== "link") return run;
  const error = run.error === null ? null : { ...run.error, excerpt: null };
  return { ...run, env: {}, idempotencyKey: null, error };
}

function between(from: Date, to: Date | null): number | null {
  return to === null ? null : Math.max(0, to.getTime() - from.getTime());
}
