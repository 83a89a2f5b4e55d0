import { monotonicFactory } from "ulid";

const next = monotonicFactory();

/** A new id: the prefix names the kind, the rest sorts by time (`run_01kbm0q3…`, a ULID in lower case). */
export function newId(prefix: string): string {
  return `${prefix}_${next().toLowerCase()}`;
}
