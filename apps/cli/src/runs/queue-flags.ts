import { Option } from "commander";
import { usageError } from "../cli-error.ts";
import { parseDuration } from "./parse-flags.ts";

/** The flags that say when a run begins. */
export interface QueueFlags {
  readonly priority?: string;
  readonly startAt?: string;
}

export function priorityOption(): Option {
  return new Option("--priority <step>", "0 to 9, 5 when left out: each step is worth a minute of waiting in the queue");
}

export function startAtOption(): Option {
  return new Option("--start-at <time>", "not before then: a time like 2027-01-31T18:00:00+01:00, or in 30m, 2h, 1d");
}

/** What they ask for. */
export function readQueueFlags({ priority, startAt }: QueueFlags): { readonly priority?: number; readonly startAt?: string } {
  if (priority !== undefined && !/^[0-9]$/.test(priority)) throw usageError(`"${priority}" is no priority.`, "Write a number from 0 to 9.");
  return {
    ...(priority !== undefined && { priority: Number(priority) }),
    ...(startAt !== undefined && { startAt: readTime(startAt).toISOString() }),
  };
}

function readTime(text: string): Date {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return new Date(Date.now() + parseDuration(text));
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime()))
    throw usageError(`"${text}" is no time.`, "Write it like 2027-01-31T18:00:00+01:00, or 30m for half an hour from now.");
  return time;
}
