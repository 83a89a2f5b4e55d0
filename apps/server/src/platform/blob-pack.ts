import { hash as hashOnce } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsync as fsyncCallback,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  write as writeCallback,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { findPlace, listPlaces, mostPlaces, setPlace, tableBytes, type Place } from "./blob-table.ts";

const fsync = promisify(fsyncCallback);
const write = promisify(writeCallback);

/** What the first bytes of a pack are once its table is in it. */
const sealedMark = Buffer.from("syla pack sealed");
const tableStart = 4096;
const recordsStart = tableStart + tableBytes;
/** A record is the hash, the size, and the content. */
const headerBytes = 36;
/** Small enough to be read through in a moment after a server was killed. */
const mostBytes = 32 * 1024 * 1024;
/** Instead of a size: the blob was removed. */
const removed = 0xffff_ffff;

/**
 * A file of many small blobs: records one after the other, and their table in front of them when it is full. Until then the table is in
 * memory; a server that was killed finds it again from the records, up to the last that is whole.
 */
export class BlobPack {
  readonly #path: string;
  readonly #fd: number;
  /** Null: it is sealed, and its table is read from the file. */
  #table: Buffer | null;
  #count = 0;
  #end = recordsStart;
  #dirty = false;
  #syncing: Promise<void> | null = null;
  #following: Promise<void> | null = null;
  #sealing: Promise<void> | null = null;

  /** Opens the pack, or makes one. With `read` it is only read, and what a server that was killed left at its end is passed over. */
  constructor(path: string, access: "read" | "write" = "write") {
    this.#path = path;
    this.#fd = openSync(path, access === "read" ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#table = this.#read(0, sealedMark.length).equals(sealedMark) ? null : Buffer.alloc(tableBytes);
    if (this.#table !== null) this.#recover(this.#table, access);
  }

  get isSealed(): boolean {
    return this.#table === null;
  }

  get isFull(): boolean {
    return this.#count >= mostPlaces || this.#end >= recordsStart + mostBytes;
  }

  find(hash: Buffer): Place | undefined {
    const table = this.#table;
    const place = findPlace(
      table === null ? (start, length) => this.#read(tableStart + start, length) : (start, length) => table.subarray(start, start + length),
      hash,
    );
    return place?.size === removed ? undefined : place;
  }

  read({ offset, size }: Place): Buffer {
    return this.#read(offset, size);
  }

  /** The blobs that are here, and how many bytes of the pack they take. */
  list(): { hash: Buffer; place: Place }[] {
    return listPlaces(this.#table ?? this.#read(tableStart, tableBytes)).filter(({ place }) => place.size !== removed);
  }

  /** How much of the pack is of blobs that were removed, from 0 to 1. */
  wasted(): number {
    const used = this.list().reduce((sum, { place }) => sum + headerBytes + place.size, 0);
    const all = fstatSync(this.#fd).size - recordsStart;
    return all <= 0 ? 0 : 1 - used / all;
  }

  /** Adds a blob to a pack that is not sealed; it can be read when this returns. What fails leaves nothing behind. */
  append(hash: Buffer, bytes: Uint8Array): void {
    this.#append(hash, bytes.length, bytes);
  }

  async remove(hash: Buffer): Promise<void> {
    if (this.find(hash) === undefined) return;
    await this.#sealing;
    if (this.#table !== null) return this.#append(hash, removed, Buffer.alloc(0));
    const table = this.#read(tableStart, tableBytes);
    setPlace(table, hash, { offset: recordsStart, size: removed });
    await write(this.#fd, table, 0, tableBytes, tableStart);
  }

  /** Resolves when all that was added before is on the disk, together with whatever else asks for it meanwhile. */
  sync(): Promise<void> {
    if (this.#following !== null) return this.#following;
    if (!this.#dirty) return this.#syncing ?? Promise.resolve();
    if (this.#syncing === null) return (this.#syncing = this.#sync());
    // The one that is under way may miss what was added since.
    return (this.#following = this.#syncing
      .catch(() => {})
      .then(() => {
        this.#following = null;
        return (this.#syncing = this.#sync());
      }));
  }

  /** Writes the table of a pack that gets no more blobs, so that it need not stay in memory. Cut off or failed, the next start does it. */
  async seal(): Promise<void> {
    await (this.#sealing ??= this.#table === null ? Promise.resolve() : this.#seal(this.#table));
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Removes the file: all of it is elsewhere. @returns its bytes */
  discard(): number {
    const { size } = fstatSync(this.#fd);
    unlinkSync(this.#path);
    this.close();
    return size;
  }

  #append(hash: Buffer, size: number, bytes: Uint8Array): void {
    if (this.#table === null) throw new Error("a sealed pack takes no more blobs");
    const record = Buffer.allocUnsafe(headerBytes + bytes.length);
    hash.copy(record);
    record.writeUInt32LE(size, hash.length);
    record.set(bytes, headerBytes);
    for (let done = 0; done < record.length;) done += writeSync(this.#fd, record, done, record.length - done, this.#end + done);
    setPlace(this.#table, hash, { offset: this.#end + headerBytes, size });
    this.#end += record.length;
    this.#count += 1;
    this.#dirty = true;
  }

  async #seal(table: Buffer): Promise<void> {
    await this.sync();
    await write(this.#fd, table, 0, tableBytes, tableStart);
    await fsync(this.#fd);
    await write(this.#fd, sealedMark, 0, sealedMark.length, 0);
    await fsync(this.#fd);
    this.#table = null;
  }

  async #sync(): Promise<void> {
    this.#dirty = false;
    try {
      await fsync(this.#fd);
    } catch (error) {
      this.#dirty = true;
      throw error;
    } finally {
      this.#syncing = null;
    }
  }

  /** Notes the whole records, and cuts off what follows the last: a server was killed in the middle of it, or the power went. */
  #recover(table: Buffer, access: "read" | "write"): void {
    const { size: fileBytes } = fstatSync(this.#fd);
    const records = this.#read(recordsStart, Math.max(0, fileBytes - recordsStart));
    for (let start = 0; start + headerBytes <= records.length;) {
      const hash = records.subarray(start, start + 32);
      const size = records.readUInt32LE(start + 32);
      const content = records.subarray(start + headerBytes, start + headerBytes + (size === removed ? 0 : size));
      if (size !== removed && content.length < size) break;
      start += headerBytes + content.length;
      if (size !== removed && !hashOf(content).equals(hash)) continue; // damaged: those after it need not be
      setPlace(table, hash, { offset: recordsStart + start - content.length, size });
      this.#end = recordsStart + start;
      this.#count += 1;
    }
    if (access === "write" && fileBytes > this.#end) ftruncateSync(this.#fd, this.#end);
  }

  /** Fewer bytes when the file ends before. */
  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    for (let count = -1; count !== 0 && done < length; done += count)
      count = readSync(this.#fd, bytes, done, length - done, position + done);
    return bytes.subarray(0, done);
  }
}

function hashOf(bytes: Buffer): Buffer {
  return hashOnce("sha256", bytes, "buffer");
}
