import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DiskGuard } from "../src/disk-guard.ts";

const mebibyte = 1024 ** 2;
const limitBytes = 1024 * mebibyte;

let freeBytes: number;
let guard: DiskGuard;
beforeEach(() => {
  vi.useFakeTimers();
  freeBytes = 100 * limitBytes;
  guard = new DiskGuard("", () => ({ freeBytes, freeFiles: 1_000_000 }));
});
afterEach(() => void vi.useRealTimers());

/** Counts how often each of so many is told to look. */
function watchMany(count: number) {
  const told = Array.from({ length: count }, () => 0);
  const watches = told.map((_, index) => guard.watch(limitBytes, () => void (told[index] = (told[index] ?? 0) + 1)));
  return { watches, looks: () => told.reduce((sum, looks) => sum + looks, 0) };
}

test("while one is awake, not more than four of those that sleep are woken up in 200 ms; each has its turn", () => {
  const awake = watchMany(1);
  const asleep = watchMany(100);
  for (const watch of asleep.watches) watch.sleeps(limitBytes - mebibyte);
  freeBytes -= 2 * mebibyte;
  const woken: number[] = [];
  for (let count = 0; count < 30; count += 1) {
    const before = asleep.looks();
    vi.advanceTimersByTime(200);
    woken.push(asleep.looks() - before);
  }
  expect(Math.max(...woken)).toBe(4);
  expect([asleep.looks(), awake.looks()]).toEqual([100, 0]);
});

test("what may be written unseen grows with how many are awake, up to a share of the limit", () => {
  const many = watchMany(128);
  freeBytes -= 40 * mebibyte;
  vi.advanceTimersByTime(100);
  expect(many.looks(), "64 MiB for 128").toBe(0);
  freeBytes -= 40 * mebibyte;
  vi.advanceTimersByTime(100);
  expect(many.looks()).toBe(128);
  for (const watch of many.watches.slice(1)) watch.stop();
  freeBytes -= 40 * mebibyte;
  vi.advanceTimersByTime(100);
  expect(many.looks(), "32 MiB for one").toBe(129);
});

test("one that does something after it slept is watched closely again", () => {
  const one = watchMany(1);
  one.watches[0]?.sleeps(0);
  vi.advanceTimersByTime(1000);
  one.watches[0]?.wakes();
  freeBytes -= 40 * mebibyte;
  vi.advanceTimersByTime(20);
  expect(one.looks()).toBe(1);
  one.watches[0]?.sleeps(0);
  one.watches[0]?.stop();
  one.watches[0]?.wakes();
  expect(vi.getTimerCount()).toBe(0);
});
