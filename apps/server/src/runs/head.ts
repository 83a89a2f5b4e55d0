import { Utf8Splitter } from "./utf8-splitter.ts";

const headBytes = 64 * 1024;

/** The first bytes of a stream. */
export class Head {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(limit = headBytes) {
    this.#limit = limit;
  }

  add(data: Buffer): void {
    if (this.isFull) return;
    const part = data.subarray(0, this.#limit - this.#size);
    this.#chunks.push(part);
    this.#size += part.length;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  /** Without the beginning of a character that is cut off. */
  get text(): string {
    const splitter = new Utf8Splitter();
    const bytes = Buffer.concat(this.#chunks);
    const whole = splitter.push(bytes);
    return (this.isFull ? whole : bytes).toString();
  }
}
