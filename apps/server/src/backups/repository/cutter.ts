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

/** So many bytes the hash depends on. */
const windowBytes = 32;

/** The piece that is being gathered. */
interface Piece {
  readonly bytes: Buffer;
  length: number;
  hashed: number;
}

/**
 * Cuts a stream where its content says so (a gear hash, as in FastCDC): what is put in or left out changes the pieces around it, and the others are
 * found again in the next backup.
 *
 * @see Xia et al., FastCDC, USENIX ATC 2016
 */
export async function* cut(source: AsyncIterable<Uint8Array>, sizes: Cut = usualCut): AsyncGenerator<Buffer> {
  let piece = newPiece(sizes);
  for await (const chunk of source) {
    for (let rest = chunk; rest.length > 0;) {
      const taken = take(piece, rest, sizes);
      rest = rest.subarray(taken.count);
      if (!taken.isWhole) continue;
      yield piece.bytes.subarray(0, piece.length);
      piece = newPiece(sizes);
    }
  }
  if (piece.length > 0) yield piece.bytes.subarray(0, piece.length);
}

function newPiece({ most }: Cut): Piece {
  return { bytes: Buffer.allocUnsafe(most), length: 0, hashed: 0 };
}

/** Takes as much as belongs to the piece. A plain loop: each byte of a database goes through it. */
function take(piece: Piece, chunk: Uint8Array, { least, most, between }: Cut): { readonly count: number; readonly isWhole: boolean } {
  // The upper bits: they depend on the whole window, the lower ones only on the last few bytes.
  const mask = ~((2 ** 32 / between - 1) | 0);
  const room = Math.min(chunk.length, most - piece.length);
  // Before that nothing can end, and nothing that comes then depends on it.
  let at = Math.min(room, Math.max(0, least - windowBytes - piece.length));
  let { hashed } = piece;
  let isFound = false;
  while (at < room && !isFound) {
    hashed = ((hashed << 1) + (gear[chunk[at] ?? 0] ?? 0)) | 0;
    at += 1;
    isFound = (hashed & mask) === 0 && piece.length + at >= least;
  }
  piece.bytes.set(chunk.subarray(0, at), piece.length);
  piece.length += at;
  piece.hashed = hashed;
  return { count: at, isWhole: isFound || piece.length === most };
}
