import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLevelReader, isAtLeast, levelOf } from "@syla/contracts/log-levels";
import { createLineFinisher, createLineReader, type LogLine, maxLineLength } from "@syla/contracts/log-lines";
import { createMatcher, isWanted } from "@syla/contracts/log-search";
import type { RunEvent } from "@syla/contracts/runs";

const time = "2026-01-05T09:30:00.000Z";

function linesOf(events: readonly { readonly stream: "stdout" | "stderr"; readonly text: string }[]): LogLine[] {
  const lines: LogLine[] = [];
  const finish = createLineFinisher();
  const reader = createLineReader(
    (line) => line,
    (line) => void lines.push(finish(line)),
  );
  events.forEach(({ stream, text }, index) => reader.take({ type: "log", seq: index + 1, time, stream, text } satisfies RunEvent));
  reader.end();
  return lines;
}

describe("the level of a line", () => {
  it.each([
    ["ERROR:root:it broke", "error"],
    ["WARNING:app.db:slow", "warn"],
    ["CRITICAL:root:gone", "fatal"],
    ["2026-01-05 10:00:00,123 - app - ERROR - it broke", "error"],
    ["2026-01-05 10:00:00 DEBUG app.py:3 here", "debug"],
    ["2026-01-05 10:00:00.123 | WARNING  | app:main:3 - slow", "warn"],
    ['{"level":50,"time":1,"msg":"it broke"}', "error"],
    ['{"time":"2026","level":"INFO","msg":"level: error"}', "info"],
    ['{"severity":"WARNING","message":"slow"}', "warn"],
    ['{"level":10}', "trace"],
    ['{"level":60}', "fatal"],
    ["time=2026-01-05T10:00:00Z level=WARN msg=slow", "warn"],
    ["2026/01/05 10:00:00 INFO started port=80", "info"],
    ["2026/01/05 10:00:00 ERROR it broke err=x", "error"],
    ["E0105 10:00:00.123456  1 main.go:3] it broke", "error"],
    ["I0105 10:00:00.123456  1 main.go:3] started", "info"],
    ["[info] started", "info"],
    ["[2026-01-05T10:00:00Z WARN  app] slow", "warn"],
    ["2026-01-05T10:00:00Z  INFO app: started", "info"],
    ["[worker-3] [ERROR] it broke", "error"],
    ["error: cannot find value `x`", "error"],
    ["warning[E0001]: unused", "warn"],
    ["npm ERR! code 1", "error"],
    ["panic: runtime error: index out of range", "fatal"],
    ["Traceback (most recent call last):", "error"],
    ["ValueError: bad", "error"],
    ["pkg.module.CustomError", "error"],
    ["Uncaught TypeError: x is not a function", "error"],
    ["Exception in thread main", "error"],
    ["INFO  server started", "info"],
  ])("%s", (line, level) => {
    expect(levelOf(line)).toBe(level);
  });

  it.each([
    "",
    "hello",
    "no error here",
    "the information",
    "warned",
    "errors: 0 found",
    "10:00 all fine",
    '{"message":"error"}',
    "{",
    "Terror",
    "0 warnings",
  ])("is none: %j", (line) => {
    expect(levelOf(line)).toBeNull();
  });

  it("goes on over what is indented, and to the end of a traceback", () => {
    const read = createLevelReader();
    const lines = [
      "INFO:a:start",
      "  more",
      "Traceback (most recent call last):",
      '  File "a.py", line 1',
      "    boom()",
      "app.Oops: it broke",
      "after",
    ];
    expect(lines.map((line) => read(line)())).toEqual(["info", "info", "error", "error", "error", "error", null]);
  });

  it("is found in little time, whatever a line is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("[", "]", "error", " ", "2026-01-01", "-", '"level":', "\u001b", "é", "{"), { maxLength: 400 }),
        (parts) => {
          levelOf(parts.join(""));
        },
      ),
    );
    expect(levelOf(`2026-01-01 ${"[ ".repeat(100_000)}`)).toBeNull();
  });

  it("is compared", () => {
    expect([isAtLeast("error", "warn"), isAtLeast("warn", "warn"), isAtLeast("info", "warn"), isAtLeast(null, "trace")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("the lines of a log", () => {
  it("are the same however the output is cut", () => {
    const part = fc.array(fc.constantFrom("a", "ERROR: b", "\n", "\r\n", "\u001b[31m", "\u001b]6277;node=n1\u0007", "é"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(part, fc.array(fc.nat(9), { maxLength: 20 }), (pieces, cuts) => {
        const text = pieces.join("");
        const parts: string[] = [];
        let rest = text;
        for (const size of cuts) {
          parts.push(rest.slice(0, size));
          rest = rest.slice(size);
        }
        const facts = (lines: LogLine[]) =>
          lines.map(({ number, stream, level, nodeId, text: shown }) => ({ number, stream, level, nodeId, shown }));
        const cut = linesOf([...parts, rest].map((piece) => ({ stream: "stdout", text: piece })));
        expect(facts(cut)).toEqual(facts(linesOf([{ stream: "stdout", text }])));
      }),
    );
  });

  it("are numbered as they begin, with the event in which they do", () => {
    const lines = linesOf([
      { stream: "stdout", text: "half " },
      { stream: "stderr", text: "whole\n" },
      { stream: "stdout", text: "line\nlast" },
    ]);
    expect(lines.map(({ number, seq, stream, text }) => [number, seq, stream, text])).toEqual([
      [2, 2, "stderr", "whole"],
      [1, 1, "stdout", "half line"],
      [3, 3, "stdout", "last"],
    ]);
  });

  it("name the node whose tag they begin with, and nothing else", () => {
    const tag = (id: string, end = "\u0007") => `\u001b]6277;node=${id}${end}`;
    const text = [
      `${tag("n-1")}one`,
      "two",
      `${tag("a.b:c", "\u001b\\")}three`,
      `x${tag("n-1")}four`,
      `${tag("no good")}five`,
      `${tag("n")}${tag("m")}six`,
    ].join("\n");
    expect(linesOf([{ stream: "stdout", text }]).map(({ nodeId, text: shown }) => [nodeId, shown])).toEqual([
      ["n-1", "one"],
      [null, "two"],
      ["a.b:c", "three"],
      [null, "xfour"],
      [null, "five"],
      ["n", "six"],
    ]);
  });

  it("are as long as they may be", () => {
    const lines = linesOf([{ stream: "stdout", text: "x".repeat(10 * maxLineLength) }]);
    expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(2 * maxLineLength);
    expect(lines.map(({ text }) => text).join("")).toHaveLength(10 * maxLineLength);
  });

  it("say when an attempt was lost", () => {
    const lines: LogLine[] = [];
    const finish = createLineFinisher();
    const reader = createLineReader(
      (line) => line,
      (line) => void lines.push(finish(line)),
    );
    const status = (attempt: number) => reader.take({ type: "status", seq: attempt, time, status: "starting", phase: null, attempt });
    for (const attempt of [1, 2, 2, 1, 3]) status(attempt);
    expect(lines.map(({ text }) => text.slice(0, 9))).toEqual(["Attempt 2", "Attempt 3"]);
  });
});

describe("what is looked for", () => {
  it("is plain text, whatever it is made of, with places in the text itself", async () => {
    const spans = async (q: string, text: string, matchCase = false) => (await createMatcher({ q, regex: false, matchCase }))?.(text);
    expect(await spans("a+b(", "xA+B(a+b(")).toEqual([
      [1, 5],
      [5, 9],
    ]);
    expect(await spans("a", "Aa", true)).toEqual([[1, 2]]);
    expect(await spans("i", "İi")).toEqual([[1, 2]]);
    expect(await spans("", "x")).toBeUndefined();
    expect(await spans("🙂", "a🙂")).toEqual([[1, 3]]);
  });

  it("is a pattern that takes linear time", async () => {
    const match = await createMatcher({ q: "(a+)+$", regex: true, matchCase: true });
    expect(match?.(`${"a".repeat(5000)}b`)).toEqual([]);
    expect((await createMatcher({ q: String.raw`id=(\d+)`, regex: true, matchCase: false }))?.("ID=12 id=3")).toEqual([
      [0, 5],
      [6, 10],
    ]);
    for (const q of ["(", "(?=a)", String.raw`(a)\1`, "[z-a]"])
      await expect(createMatcher({ q, regex: true, matchCase: false })).rejects.toThrow(/./);
  });

  it("is narrowed by output, level and node", () => {
    const line = { stream: "stderr", level: "warn", nodeId: "n1" } as const;
    expect(isWanted(line, { stream: "all" })).toBe(true);
    expect(isWanted(line, { stream: "stdout" })).toBe(false);
    expect(isWanted(line, { stream: "stderr", level: "error" })).toBe(false);
    expect(isWanted(line, { stream: "all", level: "warn", node: "n1" })).toBe(true);
    expect(isWanted(line, { stream: "all", node: "n2" })).toBe(false);
  });
});
