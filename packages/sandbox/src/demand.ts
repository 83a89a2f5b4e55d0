import { z } from "zod";

/**
 * Predicts how many of something will be wanted at once, from the peaks of past minutes: a moving average of the last ones, and what was
 * usual at this hour of the day and of the week. Times are milliseconds since the epoch.
 */

const minuteMs = 60_000;
const hourMs = 3_600_000;
const hoursPerDay = 24;
const hoursPerWeek = 168;
/** Weight of the newest minute that is over: half of the average is from the last ten minutes. */
const minuteWeight = 0.067;
/** Weight of the newest day or week in what is usual. */
const seasonWeight = 0.3;
/** What is kept ready above the prediction: this share of it, and no more than so many. */
const headroomShare = 0.3;
const mostHeadroom = 64;

function withHeadroom(count: number): number {
  return count + Math.min(count * headroomShare, mostHeadroom);
}

const Season = z.array(z.number().nonnegative().nullable());
const History = z.object({
  average: z.number().nonnegative(),
  day: Season.length(hoursPerDay),
  week: Season.length(hoursPerWeek),
});
/** What is remembered over a restart. */
export type DemandHistory = z.infer<typeof History>;

/** The demand for one thing. */
export class Demand {
  #history: DemandHistory = { average: 0, day: empty(hoursPerDay), week: empty(hoursPerWeek) };
  #minute: number;
  #peak = 0;
  #hourPeak = 0;

  constructor(now: number, history?: unknown) {
    this.#minute = Math.floor(now / minuteMs);
    const known = History.safeParse(history);
    if (known.success) this.#history = known.data;
  }

  get history(): DemandHistory {
    return this.#history;
  }

  /** So many were in use at once. */
  note(now: number, count: number): void {
    this.#closeMinutes(now);
    this.#peak = Math.max(this.#peak, count);
  }

  /** How many to keep ready: the prediction for the coming minutes with its headroom, at least what this minute has seen. */
  wanted(now: number): number {
    return Math.max(0, Math.ceil(Math.max(this.expected(now), withHeadroom(this.#peak)) - 1e-9));
  }

  /** The prediction for the coming minutes with its headroom, from what is over: what this minute has seen has been served. */
  expected(now: number): number {
    this.#closeMinutes(now);
    const coming = now + 10 * minuteMs;
    const usual = [now, coming].map((time) => this.#history.week[hourOfWeek(time)] ?? this.#history.day[hourOfDay(time)] ?? 0);
    return withHeadroom(Math.max(this.#history.average, ...usual));
  }

  #closeMinutes(now: number): void {
    const minute = Math.floor(now / minuteMs);
    // A clock that was set back starts over from there; one that jumped ahead ends no more minutes than matter.
    if (minute < this.#minute) this.#minute = minute;
    for (let left = Math.min(minute - this.#minute, hoursPerDay * 60); left > 0; left -= 1) this.#closeMinute(minute - left);
    this.#minute = minute;
  }

  #closeMinute(minute: number): void {
    const { average, day, week } = this.#history;
    this.#history.average = this.#peak > average ? this.#peak : average + minuteWeight * (this.#peak - average);
    if (this.#history.average < 0.01) this.#history.average = 0;
    this.#hourPeak = Math.max(this.#hourPeak, this.#peak);
    this.#peak = 0;
    if ((minute + 1) % 60 !== 0) return;
    remember(day, hourOfDay(minute * minuteMs), this.#hourPeak);
    remember(week, hourOfWeek(minute * minuteMs), this.#hourPeak);
    this.#hourPeak = 0;
  }
}

function empty(length: number): (number | null)[] {
  return Array.from({ length }, () => null);
}

function remember(season: (number | null)[], index: number, peak: number): void {
  const known = season[index] ?? null;
  season[index] = known === null ? peak : known + seasonWeight * (peak - known);
}

function hourOfDay(time: number): number {
  return Math.floor(time / hourMs) % hoursPerDay;
}

function hourOfWeek(time: number): number {
  return Math.floor(time / hourMs) % hoursPerWeek;
}
