import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";

/** Host users for jails, one each: far above those of people and services, or the top of a small map (a container's). */
export function hostUsers(): { base: number; count: number; start: number } {
  const size = readFileSync("/proc/self/uid_map", "utf8")
    .trim()
    .split("\n")
    .map((line) => Number(line.trim().split(/\s+/)[2]));
  const last = Math.max(...size);
  const range = last > 2_000_000_000 ? { base: 1_900_000_000, count: 100_000_000 } : { base: Math.max(last - 1500, 1), count: 1000 };
  return { ...range, start: randomInt(range.count) };
}
