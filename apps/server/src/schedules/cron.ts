import { AppError } from "@syla/contracts/errors";
import { Cron } from "croner";

/** The times of a cron expression in a time zone. */
export interface Times {
  /** The first ones after a time. */
  after(time: Date, count: number): Date[];
  /** The last ones not after a time, and not before `since`: the first first. */
  upTo(time: Date, since: Date, count: number): Date[];
}

/**
 * Five fields, or a name like `@daily`. Where the clocks go forward, a fixed time that does not exist is the first moment after; where they go back, a
 * fixed time comes once, the first of the two. A time with a star or a step in hours or minutes goes by the hours that pass: it neither leaves an hour
 * out nor stops for one.
 *
 * @throws AppError `cron_invalid`
 */
export function timesOf(expression: string, timeZone: string): Times {
  // `?` would be the minute at which it is read.
  if (expression.includes("?")) throw invalid("`?` says nothing here");
  let cron: Cron;
  try {
    cron = new Cron(expression, { timezone: timeZone, mode: "5-part", paused: true });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "is not valid");
  }
  return {
    after: (time, count) => cron.nextRuns(count, time),
    upTo: (time, since, count) =>
      cron
        .previousRuns(count, new Date(time.getTime() + 1))
        .filter((at) => at >= since)
        .toReversed(),
  };
}

/** The first time after another. @throws AppError `cron_invalid` when there is none */
export function nextTime(expression: string, timeZone: string, after: Date): Date {
  const [next] = timesOf(expression, timeZone).after(after, 1);
  if (next === undefined) throw invalid("its time never comes");
  return next;
}

function invalid(message: string): AppError {
  return new AppError("cron_invalid", { message: `This is no cron expression: ${message}.`, fields: [{ path: "cron", message }] });
}
