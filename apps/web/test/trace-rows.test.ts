import type { Span } from "@syla/sdk";
import { describe, expect, it } from "vitest";
import { aroundSpan, barOf, moved, rowsOf, zoomed } from "../src/runs/detail/trace/rows.ts";

const span = (id: string, parentId: string | null, startMs: number, durationMs: number | null): Span => {
  return { id, parentId, startMs, durationMs, kind: "llm", name: id, status: "ok", attempt: null, note: null, llm: null, node: null };
};
const spans = [span("run", null, 0, 100), span("b", "run", 50, 50), span("a", "run", 10, 20), span("deep", "b", 60, null)];
const whole = { from: 0, to: 100 };

describe("the rows of a trace", () => {
  it("are in the order of the tree, the earlier first, without what is folded", () => {
    expect(rowsOf(spans, new Set()).map((row) => [row.span.id, row.level, row.hasParts])).toEqual([
      ["run", 1, true],
      ["a", 2, false],
      ["b", 2, true],
      ["deep", 3, false],
    ]);
    expect(rowsOf(spans, new Set(["b"])).map((row) => row.span.id)).toEqual(["run", "a", "b"]);
  });

  it("are zoomed and moved within the whole", () => {
    expect(zoomed(whole, whole, 2, 0)).toEqual({ from: 0, to: 50 });
    expect(zoomed({ from: 40, to: 60 }, whole, 0.1, 50)).toEqual(whole);
    expect(moved({ from: 0, to: 50 }, whole, 4)).toEqual({ from: 50, to: 100 });
    expect(aroundSpan(span("a", null, 10, 20), whole)).toEqual({ from: 9, to: 31 });
  });

  it("have bars to scale, cut where the range ends, and none outside of it", () => {
    const range = { from: 50, to: 100 };
    expect(barOf(span("a", null, 10, 20), range, whole)).toBeNull();
    expect(barOf(span("b", null, 40, 35), range, whole)).toEqual({ left: 0, width: 50 });
    expect(barOf(span("live", null, 75, null), range, whole)).toEqual({ left: 50, width: 50 });
  });
});
