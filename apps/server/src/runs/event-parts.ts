import { encodeEvent } from "../platform/event-stream.ts";
import { toEvent, type LogRecord } from "./log-records.ts";

/** Events are sent in parts of about this size: a reader that is slow holds no more. */
export const partBytes = 64 * 1024;

/** Some events of a run, one after another, as its readers are sent them: the same bytes for all. */
export interface EventPart {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: Buffer;
}

/** A record, and how it is sent once somebody wants it. */
export interface Sendable {
  readonly record: LogRecord;
  event: Buffer | null;
}

/** @param some one or more, in order */
export function toPart(some: readonly Sendable[]): EventPart {
  const events = some.map((one) => (one.event ??= Buffer.from(encodeEvent(toEvent(one.record)))));
  return { firstSeq: some[0]?.record.seq ?? 0, lastSeq: some.at(-1)?.record.seq ?? 0, bytes: Buffer.concat(events) };
}

/** Records that are read from somewhere, as parts of at least so many bytes but for the last; 1: each as it comes. */
export async function* toParts(records: AsyncIterable<LogRecord>, leastBytes = partBytes): AsyncGenerator<EventPart> {
  let some: Sendable[] = [];
  let size = 0;
  for await (const record of records) {
    const event = Buffer.from(encodeEvent(toEvent(record)));
    some.push({ record, event });
    if ((size += event.length) < leastBytes) continue;
    yield toPart(some);
    some = [];
    size = 0;
  }
  if (some.length > 0) yield toPart(some);
}
