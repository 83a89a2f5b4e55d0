import type { NodeRun } from "@syla/contracts/node-runs";
import { describe, expect, it } from "vitest";
import { describeLlm, describeSaved, shortUse, sumOf } from "../src/builder/node-use.ts";
import { looksOf, withNodeRuns, withoutTurns } from "../src/builder/run-view.ts";

const run = (path: string, state: NodeRun["state"], seconds: readonly [number, number] | null = null): NodeRun => ({
  path,
  nodeId:
    path
      .split("/")
      .at(-1)
      ?.replace(/\[\d+\]$/, "") ?? "",
  kind: "code",
  label: "",
  state,
  startedAt: seconds === null ? null : `2026-01-01T00:00:0${seconds[0]}.000Z`,
  endedAt: seconds === null ? null : `2026-01-01T00:00:0${seconds[1]}.000Z`,
  attempts: 1,
  inputs: null,
  output: null,
  error: null,
  usedFallback: false,
  llm: null,
  reusedFrom: null,
  pinned: false,
  saved: null,
  approval: null,
});

describe("how a run is shown on the canvas", () => {
  const runs = [
    run("a", "succeeded", [0, 2]),
    run("each", "running"),
    run("each[10]/b", "failed", [3, 4]),
    run("each[2]/b", "succeeded", [1, 2]),
    run("each[3]/b", "pending"),
    run("each[2]/b/c", "succeeded"),
  ];

  it("tells of all turns together what needs somebody first", () => {
    const looks = looksOf(runs, ["each"]);
    expect([...looks.keys()]).toEqual(["b"]);
    expect(looks.get("b")).toMatchObject({ state: "failed", note: "1/3 · 2.00 s" });
    expect(looks.get("b")?.turns.map(({ path }) => path)).toEqual(["each[3]/b", "each[2]/b", "each[10]/b"]);
  });

  it("shows of each graph only its own nodes", () => {
    expect([...looksOf(runs, []).entries()].map(([id, { state, note }]) => [id, state, note])).toEqual([
      ["a", "succeeded", "2.00 s"],
      ["each", "running", ""],
    ]);
    expect(looksOf(runs, ["gone"]).size).toBe(0);
    expect(withoutTurns("each[3]/b[12]/c")).toBe("each/b/c");
  });

  it("says that a node was tried several times, and that its fallback stands for its outputs", () => {
    const tried = { ...run("a", "succeeded", [0, 2]), attempts: 3 };
    expect(looksOf([tried], []).get("a")?.note).toBe("3 attempts · 2.00 s");
    expect(looksOf([{ ...tried, usedFallback: true }], []).get("a")?.note).toBe("fallback · 3 attempts");
    expect(looksOf([{ ...tried, attempts: 1, usedFallback: true }], []).get("a")?.note).toBe("fallback · 2.00 s");
    // A branch begins again where its run does.
    expect(looksOf([{ ...tried, kind: "branch" }], []).get("a")?.note).toBe("2.00 s");
  });

  it("adds up what nodes called of models, with what lies within them", () => {
    const llm = { calls: 1, failed: 0, inputTokens: 900, outputTokens: 600, cachedTokens: 0, cost: 0.002, unknownCosts: 0 };
    const called = [run("each", "running"), { ...run("each[0]/b", "succeeded"), llm }, { ...run("each[1]/b", "failed"), llm }];
    const look = looksOf(called, []).get("each");
    expect([shortUse(look?.llm ?? null), look?.within.get("each[1]/b")]).toEqual(["3k tok · $0.0040", llm]);
    expect(looksOf(called, ["each"]).get("b")?.llm?.calls).toBe(2);
    expect(shortUse(looksOf(runs, []).get("a")?.llm ?? null)).toBe("");
    expect(describeLlm({ ...llm, failed: 1, cost: null, unknownCosts: 1 })).toBe(
      "1 model call, 1 failed · 900 tokens in, 600 out · cost unknown",
    );
    const saved = { ms: 1500, calls: 2, inputTokens: 10, outputTokens: 5, cost: 0.01 };
    const reused = [
      { ...run("a", "reused"), saved },
      { ...run("b", "reused"), saved: { ...saved, calls: null, inputTokens: null, outputTokens: null, cost: null } },
    ];
    const sum = sumOf([...called, ...reused]);
    expect([sum.llm?.calls, sum.saved === null ? "" : describeSaved(sum.saved)]).toEqual([2, "3.00 s, 2 model calls, 15 tokens, $0.01"]);
  });

  it("takes what an event tells", () => {
    const changed = withNodeRuns(runs, [run("each", "succeeded")]);
    expect(changed).toHaveLength(runs.length);
    expect(looksOf(changed, []).get("each")?.state).toBe("succeeded");
    expect(withNodeRuns(runs, [run("new", "running")])).toHaveLength(runs.length + 1);
  });
});
