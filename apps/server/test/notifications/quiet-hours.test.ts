import { nextDigest, quietUntil } from "@syla/server/notifications/quiet-hours";
import { describe, expect, it } from "vitest";

const night = { from: "22:00", to: "07:00" };
const until = (now: string, hours = night, zone = "Europe/Oslo") => quietUntil(new Date(now), hours, zone)?.toISOString() ?? null;

describe("quiet hours", () => {
  it.each([
    ["2026-01-10T20:59:59Z", null], // 21:59 in Oslo
    ["2026-01-10T21:00:00Z", "2026-01-11T06:00:00.000Z"],
    ["2026-01-11T05:59:00Z", "2026-01-11T06:00:00.000Z"],
    ["2026-01-11T06:00:00Z", null],
    ["2026-07-10T20:00:00Z", "2026-07-11T05:00:00.000Z"], // summer: an hour earlier by UTC
  ])("that go over midnight: at %s until %s", (now, end) => expect(until(now)).toBe(end));

  it.each([
    // The clock is set forward from 2 to 3 on 29 March 2026, and back from 3 to 2 on 25 October 2026.
    ["2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z"],
    ["2026-10-24T21:00:00Z", "2026-10-25T06:00:00.000Z"],
  ])("end by the person's clock when it is changed meanwhile: at %s until %s", (now, end) => expect(until(now)).toBe(end));

  it("that end at a time which the clock leaves out end just after it", () => {
    expect(until("2026-03-29T00:30:00Z", { from: "01:00", to: "02:30" })).toBe("2026-03-29T01:30:00.000Z");
  });

  it("within a day, empty, and none", () => {
    expect(until("2026-01-10T12:00:00Z", { from: "12:30", to: "14:00" })).toBe("2026-01-10T13:00:00.000Z");
    expect(until("2026-01-10T13:00:00Z", { from: "12:30", to: "14:00" })).toBeNull();
    expect(until("2026-01-10T12:00:00Z", { from: "13:00", to: "13:00" })).toBeNull();
    expect(quietUntil(new Date(), null, "UTC")).toBeNull();
  });
});

describe("digests", () => {
  const next = (now: string, digest: "daily" | "weekly" | "never" | "immediate") =>
    nextDigest(new Date(now), digest, "America/New_York")?.toISOString() ?? null;

  it("are due at eight by the person's clock", () => {
    expect(next("2026-01-10T12:59:00Z", "daily")).toBe("2026-01-10T13:00:00.000Z");
    expect(next("2026-01-10T13:00:00Z", "daily")).toBe("2026-01-11T13:00:00.000Z");
    expect(next("2026-03-07T14:00:00Z", "daily")).toBe("2026-03-08T12:00:00.000Z"); // the clock was set forward
    expect(next("2026-01-10T12:00:00Z", "weekly")).toBe("2026-01-12T13:00:00.000Z"); // a Saturday
    expect(next("2026-01-12T13:00:00Z", "weekly")).toBe("2026-01-19T13:00:00.000Z");
    expect(next("2026-01-10T12:00:00Z", "never")).toBeNull();
    expect(next("2026-01-10T12:00:00Z", "immediate")).toBeNull();
  });
});
