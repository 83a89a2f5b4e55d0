/** A span of time that something is counted in. */
export interface Period {
  /** `2026-03-01` for a day, `2026-03` for a month. */
  readonly name: string;
  readonly start: Date;
  readonly end: Date;
}

/** The day of UTC that a time is in. */
export function dayOf(time: Date): Period {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  const start = new Date(Date.UTC(year, month, day));
  return { name: start.toISOString().slice(0, 10), start, end: new Date(Date.UTC(year, month, day + 1)) };
}

/** The month of UTC that a time is in. */
export function monthOf(time: Date): Period {
  const [year, month] = [time.getUTCFullYear(), time.getUTCMonth()];
  const start = new Date(Date.UTC(year, month, 1));
  return { name: start.toISOString().slice(0, 7), start, end: new Date(Date.UTC(year, month + 1, 1)) };
}
