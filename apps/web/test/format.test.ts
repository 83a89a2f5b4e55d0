import { describe, expect, it } from "vitest";
import { formatAgo, formatBytes, formatDuration, formatPlural } from "../src/ui/format.ts";
import { readableColors } from "../src/ui/log/readable-color.ts";

describe("figures for people", () => {
  it("writes durations", () => {
    expect([null, 0, 7.42, 820, 3210, 45_600, 245_000, 7_800_000].map(formatDuration)).toEqual([
      "–",
      "0 ms",
      "7.4 ms",
      "820 ms",
      "3.21 s",
      "45.6 s",
      "4 m 05 s",
      "2 h 10 m",
    ]);
  });

  it("writes bytes and plurals", () => {
    expect([0, 512, 1536, 268_435_456, 1024 ** 4 * 3].map(formatBytes)).toEqual(["0 B", "512 B", "1.5 KiB", "256 MiB", "3 TiB"]);
    expect([formatPlural(1, "line"), formatPlural(1234, "line")]).toEqual(["1 line", "1,234 lines"]);
  });

  it("writes how long ago, and forgives a clock that is a little ahead", () => {
    const now = Date.parse("2026-01-05T12:00:00Z");
    expect(formatAgo("2026-01-05T12:00:06Z", now)).toBe("just now");
    expect(formatAgo("2026-01-05T11:57:00Z", now)).toMatch(/3 ?min/);
    expect(formatAgo("2026-01-02T12:00:00Z", now)).toMatch(/3 ?d/);
  });

  it("makes every colour of a program readable, and leaves readable ones alone", () => {
    expect(readableColors("#000000")[0]).toBe("rgb(0 0 0)");
    expect(readableColors("#ffffff")[1]).toBe("rgb(255 255 255)");
    expect(readableColors("#ffff00")[0]).not.toBe("rgb(255 255 0)");
    expect(readableColors("#000080")[1]).not.toBe("rgb(0 0 128)");
  });
});
