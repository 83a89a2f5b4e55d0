import { describe, expect, test } from "vitest";
import { Demand } from "../src/demand.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 0, 5); // a Monday, midnight

/** Uses `count(time)` at the start of every minute from `from` to `to`. */
function use(demand: Demand, from: number, to: number, count: (time: number) => number): void {
  for (let time = from; time < to; time += minute) demand.note(time, count(time));
}

describe("demand", () => {
  test("nothing seen, nothing wanted", () => expect(new Demand(start).wanted(start)).toBe(0));

  test("a rise counts at once, with headroom", () => {
    const demand = new Demand(start);
    demand.note(start, 10);
    expect(demand.wanted(start)).toBe(13);
    expect(demand.wanted(start + minute)).toBe(13);
  });

  test("a fall counts slowly: half after about ten minutes, next to nothing after two hours", () => {
    const demand = new Demand(start);
    use(demand, start, start + 10 * minute, () => 100);
    const after = (minutes: number) => demand.wanted(start + (10 + minutes) * minute);
    expect(after(1)).toBeGreaterThan(110);
    expect(after(10)).toBeGreaterThan(55);
    expect(after(11)).toBeLessThan(75);
    expect(after(130)).toBeLessThan(2);
  });

  test("what was usual at this hour yesterday is ready ten minutes before", () => {
    const demand = new Demand(start);
    const busyAtNine = (time: number) => (Math.floor(time / hour) % 24 === 9 ? 40 : 0);
    use(demand, start, start + 24 * hour, busyAtNine);
    const tomorrow = start + 24 * hour;
    expect(demand.wanted(tomorrow + 5 * hour)).toBeLessThan(5);
    expect(demand.wanted(tomorrow + 8 * hour + 51 * minute)).toBe(52);
  });

  test("a quiet Sunday does not inherit the weekdays", () => {
    const demand = new Demand(start);
    const workdays = (time: number) => (Math.floor((time - start) / (24 * hour)) % 7 < 5 && Math.floor(time / hour) % 24 === 9 ? 40 : 0);
    use(demand, start, start + 14 * 24 * hour, workdays);
    const week = start + 14 * 24 * hour;
    expect(demand.wanted(week + 9 * hour)).toBe(52);
    expect(demand.wanted(week + 6 * 24 * hour + 9 * hour)).toBe(0);
  });

  test("a history outlives a restart; one that cannot be read is forgotten", () => {
    const demand = new Demand(start);
    use(demand, start, start + 2 * minute, () => 10);
    demand.note(start + 3 * minute, 0);
    const history = JSON.parse(JSON.stringify(demand.history)) as unknown;
    expect(new Demand(start + 3 * minute, history).wanted(start + 3 * minute)).toBeGreaterThan(11);
    for (const bad of [null, 3, {}, { average: -1, day: [], week: [] }, { ...demand.history, day: ["x"] }])
      expect(new Demand(start, bad).wanted(start)).toBe(0);
  });

  test("a clock that jumps does no harm", () => {
    const demand = new Demand(start);
    demand.note(start, 10);
    expect(demand.wanted(start - 5 * hour)).toBeGreaterThanOrEqual(10);
    expect(demand.wanted(start + 5 * 365 * 24 * hour)).toBeLessThanOrEqual(13);
    demand.note(start, 3);
    expect(demand.wanted(start)).toBeGreaterThanOrEqual(3);
  });
});
