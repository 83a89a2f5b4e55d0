import { randomFillSync } from "node:crypto";
import { monotonicFactory } from "ulid";

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
