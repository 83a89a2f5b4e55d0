/** Reads a stream by counts of bytes. Larger parts are passed on as they come. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes; undefined when fewer are left. */
  async take(count: number): Promise<Buffer | undefined> {
    const parts = [this.#held];
    let length = this.#held.length;
    while (length < count) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      parts.push(Buffer.from(next.value));
      length += next.value.length;
    }
    const all = parts.length === 1 ? this.#held : Buffer.concat(parts);
    const isEnough = all.length >= count;
    this.#held = isEnough ? all.subarray(count) : all;
    return isEnough ? all.subarray(0, count) : undefined;
  }

  /** Up to the next line feed, which is left away; undefined when there is none within so many bytes. */
  async takeLine(most: number): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#held.indexOf(10);
      if (end >= 0) {
        const line = this.#held.subarray(0, end);
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > most) return undefined;
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#held = Buffer.concat([this.#held, next.value]);
    }
  }

  /** Whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return true;
      this.#held = Buffer.from(next.value);
    }
    return false;
  }

  /** The next `count` bytes, or as many as there are, part by part. */
  async *pass(count: number = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0 && !(await this.isAtEnd());) {
      const part = this.#held.subarray(0, Math.min(left, this.#held.length));
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
}
