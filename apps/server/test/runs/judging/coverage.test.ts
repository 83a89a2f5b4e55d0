import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addCoverage, toFileCoverage, type Lines } from "../../../src/runs/judging/coverage.ts";

const sources = new Map([["main.py", "a = 1\nif a:\n    b = 2\nelse:\n    c = 3\n"]]);

describe("coverage of several runs", () => {
  it("is put together", () => {
    const lines: Lines = new Map();
    addCoverage(lines, "lines", JSON.stringify({ "main.py": { lines: [1, 2, 3, 5], executed: [1, 2, 3] } }), sources);
    expect(toFileCoverage(lines)).toEqual([{ path: "main.py", covered: 3, total: 4, missed: [5] }]);
    addCoverage(lines, "lines", JSON.stringify({ "main.py": { lines: [1, 2, 3, 5], executed: [5] } }), sources);
    expect(toFileCoverage(lines)).toEqual([{ path: "main.py", covered: 4, total: 4, missed: [] }]);
  });

  it("believes nothing about other files, or lines that there are not", () => {
    const lines: Lines = new Map();
    const report = { "../../etc/passwd": { lines: [1], executed: [1] }, "main.py": { lines: [1, 99999], executed: [2, 99999] } };
    addCoverage(lines, "lines", JSON.stringify(report), sources);
    expect(toFileCoverage(lines)).toEqual([{ path: "main.py", covered: 0, total: 1, missed: [1] }]);
  });

  it("does not fail on addresses that are none, nor take long over ranges without end", () => {
    const ranges = Array.from({ length: 100_000 }, () => ({ startOffset: 0, endOffset: 1_000_000, count: 0 }));
    const result = [
      { url: "file:///workspace/%", functions: [] },
      { url: "file:///workspace/main.py", functions: [{ ranges }] },
    ];
    const began = performance.now();
    addCoverage(new Map(), "v8", JSON.stringify({ result }), new Map([["main.py", "x\n".repeat(500_000)]]));
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it("counts garbage for nothing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom("lines" as const, "v8" as const), (report, format) => {
        const lines: Lines = new Map();
        addCoverage(lines, format, report, sources);
        for (const { covered, total } of toFileCoverage(lines)) expect(covered).toBeLessThanOrEqual(total);
      }),
    );
  });
});
