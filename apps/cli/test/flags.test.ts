import { expect, test } from "vitest";
import { didYouMean } from "../src/did-you-mean.ts";
import { parseDuration, parseResources, parseSize } from "../src/runs/parse-flags.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  ["10", 10_000],
])("%s is %i ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  ["1024", 1024],
  ["512M", 512 * 1024 ** 2],
  ["4G", 4 * 1024 ** 3],
  ["1.5GiB", 1.5 * 1024 ** 3],
  ["10kb", 10_240],
  ["7B", 7],
])("%s is %i bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "-1s", "1 s", "s", "1e3", "NaN", "1w"])("%j is no duration", (text) =>
  expect(() => parseDuration(text)).toThrow("not a duration"),
);
test.each(["", "-1", "G", "1X", "0x10"])("%j is no size", (text) => expect(() => parseSize(text)).toThrow("not a size"));

test("resources are joined, the last one counts", () => {
  expect(parseResources(["cpu=1, memory=1G", "cpu=0.5,files=10"])).toEqual({ cpus: 0.5, memoryBytes: 1024 ** 3, openFiles: 10 });
  expect(() => parseResources(["cpu"])).toThrow("not a number");
  expect(() => parseResources(["constructor=1"])).toThrow("no resource");
});

test("a near word is offered, a far one is not", () => {
  expect(didYouMean("mian.py", ["main.py", "other.py"])).toBe(' Did you mean "main.py"?');
  expect(didYouMean("statsu", ["status", "start"])).toBe(' Did you mean "status"?');
  expect(didYouMean("xyz", ["main.py"])).toBe("");
});
