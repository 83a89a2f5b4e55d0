import type { TierReport } from "@syla/sandbox/spec";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepReports } from "../../src/sandboxes/kept-reports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits = {} as TierReport["limits"];
const good: TierReport = { tier: "namespace", available: true, reason: null, walls: [], limits, files: null };
const late: TierReport = { ...good, available: false, reason: "no sandbox became free" };
const refused: TierReport = { ...late, refusal: { wall: "outer", said: "no permissions", fix: "allow it" } };

/** Reports that are found one after the other; `last` says whether the tier is there, and `tries` how often that was tried. */
function keep(found: readonly TierReport[]) {
  let tries = 0;
  const kept = keepReports(async () => [found[tries++] ?? good]);
  const last = async () => (await kept.last())[0]?.available;
  return { kept, last, tries: () => tries };
}

test("the first report is waited for; an old one is told at once while the next is made", async () => {
  const { last, tries } = keep([good, refused]);
  expect([await last(), await last(), tries()]).toEqual([true, true, 1]);
  vi.advanceTimersByTime(600_001);
  expect([await last(), tries()]).toEqual([true, 2]);
  await vi.advanceTimersByTimeAsync(0);
  expect([await last(), tries()]).toEqual([false, 2]);
});

test("one trial that fails is not believed, a second one is; it is tried again soon", async () => {
  const { kept, last } = keep([good, late, late, good]);
  expect(await last()).toBe(true);
  expect((await kept.tryAll())[0]?.available, "as it was found").toBe(false);
  expect(await last()).toBe(true);
  for (const expected of [false, true]) {
    vi.advanceTimersByTime(10_001);
    await last();
    await vi.advanceTimersByTimeAsync(0);
    expect(await last()).toBe(expected);
  }
});
