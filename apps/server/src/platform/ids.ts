import { randomFillSync } from "node:crypto";
import { encodeTime, monotonicFactory } from "ulid";

/** Random bytes in stock: asking the system for each character of an id costs more than all the rest of it. */
const stock = new Uint8Array(4096);
let used = stock.length;

/** A random number in [0, 1), in steps of 1/256. */
function random(): number {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  return (stock[used++] as number) / 256;
}

const next = monotonicFactory(random);

/** A new id: the prefix names the kind, the rest sorts by time (`run_01kbm0q3…`, a ULID in lower case). */
export function newId(prefix: string): string {
  return `${prefix}_${next().toLowerCase()}`;
}

/** No id of this kind that was made at this time (milliseconds since the epoch) or later sorts before it. */
export function firstIdAt(prefix: string, time: number): string {
  return `${prefix}_${encodeTime(time, timeCharacters).toLowerCase()}`;
}

/** The time at the beginning of a ULID. */
const timeCharacters = 10;
