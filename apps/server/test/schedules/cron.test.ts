import { AppError } from "@syla/contracts/errors";
import { describe, expect, it } from "vitest";
import { nextTime, timesOf } from "../../src/schedules/cron.ts";

const after = (cron: string, zone: string, from: string, count: number) =>
  timesOf(cron, zone)
    .after(new Date(from), count)
    .map((time) => time.toISOString().slice(0, 16));

describe("the times of a cron expression", () => {
  it("are those of its time zone", () => {
    expect(after("0 6 * * mon-fri", "Asia/Tokyo", "2027-01-01T00:00:00Z", 3)).toEqual([
      "2027-01-03T21:00",
      "2027-01-04T21:00",
      "2027-01-05T21:00",
    ]);
    expect(after("0 0 29 2 *", "UTC", "2027-01-01T00:00:00Z", 2)).toEqual(["2028-02-29T00:00", "2032-02-29T00:00"]);
    expect(after("@daily", "America/New_York", "2027-01-01T12:00:00Z", 1)).toEqual(["2027-01-02T05:00"]);
  });

  it("that do not exist where the clocks go forward are the first moment after, once", () => {
    // Oslo goes from 02:00 to 03:00 on 28 March 2027, at 01:00 UTC.
    expect(after("30 2 * * *", "Europe/Oslo", "2027-03-27T12:00:00Z", 2)).toEqual(["2027-03-28T01:00", "2027-03-29T00:30"]);
    expect(after("0 2,3 * * *", "Europe/Oslo", "2027-03-27T12:00:00Z", 3)).toEqual([
      "2027-03-28T01:00",
      "2027-03-29T00:00",
      "2027-03-29T01:00",
    ]);
  });

  it("that come twice where the clocks go back come once, when they are fixed", () => {
    // Oslo goes from 03:00 to 02:00 on 31 October 2027, at 01:00 UTC.
    expect(after("30 2 * * *", "Europe/Oslo", "2027-10-30T12:00:00Z", 2)).toEqual(["2027-10-31T00:30", "2027-11-01T01:30"]);
  });

  it("go by the hours that pass, when they are not fixed", () => {
    expect(after("30 * * * *", "Europe/Oslo", "2027-10-30T23:50:00Z", 3)).toEqual([
      "2027-10-31T00:30",
      "2027-10-31T01:30",
      "2027-10-31T02:30",
    ]);
    expect(after("*/30 * * * *", "Europe/Oslo", "2027-03-28T00:20:00Z", 3)).toEqual([
      "2027-03-28T00:30",
      "2027-03-28T01:00",
      "2027-03-28T01:30",
    ]);
  });

  it("that are over are the last ones, since another", () => {
    const times = timesOf("0 * * * *", "UTC");
    const over = (since: string, count: number) =>
      times.upTo(new Date("2027-01-01T05:00:00Z"), new Date(since), count).map((time) => time.getUTCHours());
    expect(over("2027-01-01T03:00:00Z", 24)).toEqual([3, 4, 5]);
    expect(over("2026-01-01T00:00:00Z", 2)).toEqual([4, 5]);
    expect(over("2027-01-01T05:00:00.001Z", 24)).toEqual([]);
  });

  it("are refused, with the field, where there are none", () => {
    const refused = [
      "",
      "* * * *",
      "* * * * * *",
      "61 * * * *",
      "a b c d e",
      "? * * * *",
      "0 0 30 2 *",
      "0 0 1 1 * 2020",
      "*/0 * * * *",
      "5-1 * * * *",
    ];
    for (const cron of refused) {
      let thrown: unknown;
      try {
        nextTime(cron, "Europe/Oslo", new Date());
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(AppError);
      expect(thrown).toMatchObject({ code: "cron_invalid", fields: [{ path: "cron" }] });
    }
  });
});
