import { hash } from "node:crypto";

/** How a stream is cut: bytes of a piece at least and at most, and how many on average between. */
export interface Cut {
  readonly least: number;
  readonly most: number;
  /** A power of two. */
  readonly between: number;
}

const usualCut: Cut = { least: 256 * 1024, most: 4 * 1024 * 1024, between: 1024 * 1024 };

/** For each byte a number that has nothing to do with it; the same in every version, or nothing would be found again. */
const gear = Int32Array.from({ length: 256 }, (_, byte) => Buffer.from(hash("sha256", `syla cut ${byte}`), "hex").readInt32LE(0));

/**
 * Cuts a stream where its content says so (a gear hash, as in FastCDC): what is put in or left out changes the pieces around it, and the others are
 * found again in the next backup.
 *
 * @see Xia et al., FastCDC, USENIX ATC 2016
 */
export async function* cut(source: AsyncIterable<Uint8Array>, { least, most, between }: Cut = usualCut): AsyncGenerator<Buffer> {
  // The upper bits: they depend on the last 32 bytes, the lower ones only on the last few.
  const mask = ~((2 ** 32 / between - 1) | 0);
  let piece = Buffer.allocUnsafe(most);
  let length = 0;
  let hashed = 0;
  for await (const chunk of source) {
    for (const byte of chunk) {
      piece[length++] = byte;
      hashed = ((hashed << 1) + (gear[byte] ?? 0)) | 0;
      if ((length < least || (hashed & mask) !== 0) && length < most) continue;
      yield piece.subarray(0, length);
      piece = Buffer.allocUnsafe(most);
      [length, hashed] = [0, 0];
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}
