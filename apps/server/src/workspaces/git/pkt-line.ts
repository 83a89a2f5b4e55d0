import { AppError } from "@syla/contracts/errors";
import type { ByteReader } from "./byte-reader.ts";

/** The lines that git's protocol is made of: four hexadecimal digits of length, then so many bytes, themselves counted. Source: gitprotocol-common(5). */

const mostLineBytes = 65_520;
/** The length that parts of a request are told apart by, and how many of those may follow each other. */
const delimiter = 1;
const mostDelimiters = 10;
const sideBandBytes = mostLineBytes - 5;

export const flush: Buffer = Buffer.from("0000");

/** A line; text gets a line feed when it says so itself. */
export function line(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as Uint8Array);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** Bytes for one of the bands of an answer: 1 is for git, 2 is shown to people, 3 ends it. */
export function onBand(band: 1 | 2 | 3, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as Uint8Array);
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += sideBandBytes)
    lines.push(line(Buffer.concat([Buffer.from([band]), bytes.subarray(start, start + sideBandBytes)])));
  return Buffer.concat(lines);
}

/** The next line, past any delimiter; null for a flush, undefined when the body has ended before one began. @throws AppError `git_protocol` */
export async function readLine(reader: ByteReader): Promise<Buffer | null | undefined> {
  let length = delimiter;
  for (let count = 0; length === delimiter; count += 1) {
    if (await reader.isAtEnd()) return undefined;
    const text = (await reader.take(4))?.toString("latin1") ?? "";
    if (!/^[0-9a-f]{4}$/i.test(text) || count > mostDelimiters) throw new AppError("git_protocol");
    length = Number.parseInt(text, 16);
  }
  if (length === 0) return null;
  if (length < 4 || length > mostLineBytes) throw new AppError("git_protocol");
  const content = await reader.take(length - 4);
  if (content === undefined) throw new AppError("git_protocol");
  return content;
}
