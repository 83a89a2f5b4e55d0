import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareExact, compareTolerant, compareTrimmed } from "../../../src/runs/judging/compare.ts";

const bytes = (text: string) => Buffer.from(text);

describe("exact", () => {
  it("accepts the same bytes only", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), async (a, b) => {
        const [one, other] = [Buffer.from(a), Buffer.from(b)];
        expect(await compareExact(one, Buffer.from(one))).toBeNull();
        expect((await compareExact(one, other)) === null).toBe(one.equals(other));
      }),
    );
  });
  it.each([
    ["a\n", "a", /line 2 is missing/],
    ["a", "a\n", /line 2 is too many/],
    ["a\nb\n", "a\nc\n", /line 2: "c" instead of "b"/],
    ["é", "e", /line 1: "e" instead of "é"/],
    ["x".repeat(500), "", /line 1: "" instead of "x{80}…"/],
  ])("says where %j and %j differ", async (expected, actual, message) =>
    expect(await compareExact(bytes(expected), bytes(actual))).toMatch(message),
  );
});

describe("trimmed", () => {
  it.each([
    ["1 2\n3\n", "1 2  \r\n3"],
    ["", "\n\n \n"],
    ["a\n", "a"],
  ])("takes %j for %j", async (expected, actual) => expect(await compareTrimmed(bytes(expected), bytes(actual))).toBeNull());
  it.each([
    ["1 2", "1  2"],
    [" a", "a"],
    ["a\n\nb", "a\nb"],
    ["a", ""],
  ])("does not take %j for %j", async (expected, actual) => expect(await compareTrimmed(bytes(expected), bytes(actual))).not.toBeNull());
});

describe("tolerant", () => {
  it.each([
    ["0.1", "0.1000001", 1e-6],
    ["1000000", "1000000.5", 1e-6],
    ["1e3 -2", "1000\n-2.0", 0],
    ["nan inf -inf", "NaN Infinity -INF", 1e-6],
    ["x 1", "x\t1.0\n", 0],
    [".5", "5e-1", 0],
  ])("takes %j for %j within %d", async (expected, actual, tolerance) =>
    expect(await compareTolerant(bytes(expected), bytes(actual), tolerance)).toBeNull(),
  );
  it.each([
    ["0.1", "0.11", 1e-6, /word 1/],
    ["1 2", "1", 1, /word 2 is missing: "2"/],
    ["1", "1 2", 1, /word 2 is too many: "2"/],
    ["a", "b", 1e9, /word 1: "b" instead of "a"/],
    ["1", "0x1", 1, /word 1/],
    ["1", "1e", 1, /word 1/],
    ["inf", "1e308", 1e9, /word 1/],
    ["1", "nan", 1e9, /word 1/],
  ])("does not take %j for %j within %d", async (expected, actual, tolerance, message) =>
    expect(await compareTolerant(bytes(expected), bytes(actual), tolerance)).toMatch(message),
  );
});

describe("hostile output", () => {
  const many: Readonly<Record<string, string>> = {
    spaces: `${" ".repeat(5_000_000)}x`,
    "empty lines": `${"\n".repeat(3_000_000)}x`,
    digits: `${"1".repeat(5_000_000)}x`,
    numbers: `${"1e5 ".repeat(1_000_000)}x`,
  };
  it.each(Object.keys(many))("of %s is compared in linear time", { timeout: 20_000 }, async (name) => {
    const text = many[name] ?? "";
    for (const compare of [compareExact, compareTrimmed, (x: Buffer, y: Buffer) => compareTolerant(x, y, 1e-6)]) {
      expect(await compare(bytes(text), bytes(text))).toBeNull();
      expect(await compare(bytes(text), bytes(`${text}y`))).not.toBeNull();
    }
  });

  it("of many lines lets others go on meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await compareTrimmed(bytes(many["empty lines"] ?? ""), bytes(many["empty lines"] ?? ""));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
