import type { SpendPeriod } from "@syla/contracts/models";

/** The period that a moment is in. A total has no end. */
export function periodAt(period: SpendPeriod, now: Date): { start: Date; end: Date | null } {
  if (period === "total") return { start: new Date(0), end: null };
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  return period === "day"
    ? { start: new Date(Date.UTC(year, month, day)), end: new Date(Date.UTC(year, month, day + 1)) }
    : { start: new Date(Date.UTC(year, month, 1)), end: new Date(Date.UTC(year, month + 1, 1)) };
}
