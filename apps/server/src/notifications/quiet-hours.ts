import type { Digest, QuietHours } from "@syla/contracts/notifications";
import { DateTime } from "luxon";

/** The hour of the day at which digests are sent, by the person's clock. */
const digestHour = 8;

/** When quiet hours that hold now are over; null when none hold. A time that the clock leaves out is the first one after it. */
export function quietUntil(now: Date, hours: QuietHours | null, timeZone: string): Date | null {
  if (hours === null || hours.from === hours.to) return null;
  const local = DateTime.fromJSDate(now, { zone: timeZone });
  const minute = local.hour * 60 + local.minute;
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  const overnight = from > to;
  const holds = overnight ? minute >= from || minute < to : minute >= from && minute < to;
  if (!holds) return null;
  const day = overnight && minute >= from ? local.plus({ days: 1 }) : local;
  const end = day.set({ hour: Math.floor(to / 60), minute: to % 60, second: 0, millisecond: 0 });
  // Where the clock is set back, the end may be the first of two equal times, which is over.
  return end <= local ? now : end.toJSDate();
}

/** When the next digest is due: at eight, tomorrow or next Monday, by the person's clock. Null when there is none. */
export function nextDigest(now: Date, digest: Digest, timeZone: string): Date | null {
  if (digest === "immediate" || digest === "never") return null;
  const local = DateTime.fromJSDate(now, { zone: timeZone });
  const next = (day: DateTime) => day.set({ hour: digestHour, minute: 0, second: 0, millisecond: 0 });
  if (digest === "daily") return (next(local) > local ? next(local) : next(local.plus({ days: 1 }))).toJSDate();
  const monday = next(local.startOf("week"));
  return (monday > local ? monday : next(local.startOf("week").plus({ weeks: 1 }))).toJSDate();
}

function minuteOf(clock: string): number {
  const [hour = 0, minute = 0] = clock.split(":").map(Number);
  return hour * 60 + minute;
}
