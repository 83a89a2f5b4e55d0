/**
 * Where each blob of a pack is: a hash table of fixed size, the same bytes in memory and in the pack. A slot is the SHA-256, the offset and
 * the size; an empty one has the offset 0. Hashes are even already, so their first bits name the slot, and what collides takes the next.
 */

/** Where a blob is in its pack. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

const hashBytes = 32;
const slotBytes = hashBytes + 8;
const slotBits = 17;
const slots = 2 ** slotBits;
export const tableBytes = slots * slotBytes;
/** Half of the slots: the way to an empty one stays short. */
export const mostPlaces = slots / 2;
/** As many slots as hold nearly every way. */
const windowSlots = 8;

/** Reads a part of a table. */
export type ReadTable = (start: number, length: number) => Buffer;

/** Finds a blob by its hash. */
export function findPlace(read: ReadTable, hash: Buffer): Place | undefined {
  for (let slot = firstSlot(hash); ; slot = (slot + windowSlots) % slots) {
    const count = Math.min(windowSlots, slots - slot);
    const window = read(slot * slotBytes, count * slotBytes);
    for (let start = 0; start < count * slotBytes; start += slotBytes) {
      const offset = window.readUInt32LE(start + hashBytes);
      if (offset === 0) return undefined;
      if (hash.compare(window, start, start + hashBytes) === 0) return { offset, size: window.readUInt32LE(start + hashBytes + 4) };
    }
    if (count < windowSlots) slot = -windowSlots;
  }
}

/** Notes where a blob is, instead of where it was. The table is in memory. */
export function setPlace(table: Buffer, hash: Buffer, { offset, size }: Place): void {
  let start = firstSlot(hash) * slotBytes;
  while (table.readUInt32LE(start + hashBytes) !== 0 && hash.compare(table, start, start + hashBytes) !== 0)
    start = (start + slotBytes) % tableBytes;
  hash.copy(table, start);
  table.writeUInt32LE(offset, start + hashBytes);
  table.writeUInt32LE(size, start + hashBytes + 4);
}

/** Every place of a table, those of what was removed too. */
export function listPlaces(table: Buffer): { hash: Buffer; place: Place }[] {
  const places: { hash: Buffer; place: Place }[] = [];
  for (let start = 0; start + slotBytes <= table.length; start += slotBytes) {
    const offset = table.readUInt32LE(start + hashBytes);
    if (offset === 0) continue;
    places.push({ hash: table.subarray(start, start + hashBytes), place: { offset, size: table.readUInt32LE(start + hashBytes + 4) } });
  }
  return places;
}

function firstSlot(hash: Buffer): number {
  return hash.readUInt32BE(0) >>> (32 - slotBits);
}
