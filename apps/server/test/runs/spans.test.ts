import { describe, expect, it } from "vitest";
import { rowOf } from "../../src/runs/new-row.ts";
import { emptyResult } from "../../src/runs/result.ts";
import type { RunRow } from "../../src/runs/store.ts";
import { traceOf } from "../../src/runs/tracing/spans.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);
const config = {
  files: [],
  version: null,
  args: [],
  env: {},
  stdin: null,
  limits: {},
  tier: "namespace" as const,
  network: "none" as const,
  models: [],
  datasets: [],
  tests: null,
  program: null,
  composition: null,
  workspace: null,
  cache: null,
  trace: { traceId: null, parentId: null, requestMs: 4 },
};
const created = rowOf({
  id: "run_1",
  kind: "execution",
  ownerId: "user_1",
  language: "python",
  entrypoint: "main.py",
  config,
  program: null,
  requestHash: "",
  idempotencyKey: null,
  retryOf: null,
  scheduleId: null,
  apiKeyId: null,
  priority: 5,
  createdAt: at(0),
  availableAt: at(0),
  claimedAt: null,
  workerId: null,
  phase: null,
  end: null,
});
const shown = (row: RunRow) =>
  traceOf(row, null, null).spans.map(({ name, startMs, durationMs, status, attempt, note }) => [
    name,
    startMs,
    durationMs,
    status,
    attempt,
    note,
  ]);

describe("the spans of a run", () => {
  it("are those of each attempt, with why it went back to the queue", () => {
    const history = [
      { status: "starting", at: at(10).toISOString(), attempt: 1, workerId: "worker_1" },
      { status: "queued", at: at(50).toISOString(), attempt: 2, cause: "sandbox_failed" },
    ];
    const result = {
      ...emptyResult,
      runMs: 200,
      phases: [
        { name: "workspace", at: 15, ms: 5 },
        { name: "sandbox", at: 12, ms: 18 },
        { name: "artifacts", at: 230, ms: 6 },
      ],
    };
    const times = { claimed_at: at(100), started_at: at(130), finished_at: at(340) };
    const row = { ...created, status: "succeeded" as const, attempt: 2, worker_id: "worker_2", history, result, ...times };
    expect(shown(row)).toEqual([
      ["main.py", 0, 344, "ok", null, null],
      ["Request", 0, 4, "ok", null, null],
      ["Queue", 4, 10, "ok", 1, null],
      ["Start", 14, 40, "failed", 1, "sandbox_failed"],
      ["Queue", 54, 50, "ok", 2, "sandbox_failed"],
      ["Start", 104, 30, "ok", 2, null],
      ["Sandbox", 116, 18, "ok", 2, null],
      ["Workspace", 119, 5, "ok", 2, null],
      ["Program", 134, 200, "ok", 2, null],
      ["Artifacts", 334, 6, "ok", 2, null],
    ]);
  });

  it("say where it failed, and what goes on", () => {
    const error = { class: "user_code", code: "compile_error", message: "", hint: "", location: null };
    const failed = { ...created, status: "failed" as const, error, claimed_at: at(1), finished_at: at(9) };
    expect(shown(failed).at(-1)).toEqual(["Start", 5, 8, "failed", 1, "compile_error"]);
    expect(shown({ ...created, status: "cancelled" as const, finished_at: at(9) }).at(-1)).toEqual(["Queue", 4, 9, "cancelled", 1, null]);
    expect(shown(created).at(-1)).toEqual(["Queue", 4, null, "running", 1, null]);
  });
});
