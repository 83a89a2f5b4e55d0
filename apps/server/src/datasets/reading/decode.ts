import { readingProblem } from "./problem.ts";

/** What text may be written in. `latin1` is read as Windows does, whose additions nearly every such file means. */
export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "latin1";

const labels: Readonly<Record<TextEncoding, string>> = {
  "utf-8": "utf-8",
  "utf-16le": "utf-16le",
  "utf-16be": "utf-16be",
  latin1: "windows-1252",
};
const detectBytes = 512;

/** The encoding of a file by its first bytes: its byte order mark, or that every other byte is 0 as in ASCII written as UTF-16. */
export function detectEncoding(head: Buffer): TextEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const part = head.subarray(0, detectBytes);
  const zeros = (from: number) => part.filter((byte, index) => index % 2 === from && byte === 0).length;
  const [even, odd] = [zeros(0), zeros(1)];
  if (part.length >= 4 && odd * 4 > part.length && even * 20 < part.length) return "utf-16le";
  if (part.length >= 4 && even * 4 > part.length && odd * 20 < part.length) return "utf-16be";
  return "utf-8";
}

/**
 * Bytes as text, without a byte order mark.
 *
 * @throws AppError `dataset_encoding`, with the line and the character of it that is wrong
 */
export async function* decodeText(source: AsyncIterable<Buffer>, encoding: TextEncoding): AsyncGenerator<string> {
  const decoder = new TextDecoder(labels[encoding], { fatal: true });
  let line = 1;
  let lineLength = 0;
  let before: Buffer = Buffer.alloc(0);
  const count = (text: string) => {
    for (let at = text.indexOf("\n"), start = 0; ; at = text.indexOf("\n", start)) {
      if (at < 0) return void (lineLength += text.length - start);
      line += 1;
      lineLength = 0;
      start = at + 1;
    }
  };
  const locate = (bytes: Buffer) => {
    count(validStart(bytes, encoding));
    const hint =
      encoding === "utf-8"
        ? "If the file is in Latin-1 (as old spreadsheets save it), say `encoding=latin1`; else save it as UTF-8."
        : undefined;
    return readingProblem("dataset_encoding", `this is not valid ${encoding.toUpperCase()}`, { line, column: lineLength + 1 }, hint);
  };
  for await (const chunk of source) {
    const bytes = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
    // Whole characters only: what is left over begins the next chunk, so that a mistake is found where it is.
    const whole = bytes.length - incompleteBytes(bytes, encoding);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(0, whole), { stream: true });
    } catch {
      throw locate(bytes);
    }
    before = Buffer.from(bytes.subarray(whole));
    count(text);
    if (text !== "") yield text;
  }
  if (before.length > 0) throw locate(before);
}

/** How many bytes at the end may belong to a character that goes on. */
function incompleteBytes(bytes: Buffer, encoding: TextEncoding): number {
  if (encoding === "latin1") return 0;
  if (encoding !== "utf-8") {
    const odd = bytes.length % 2;
    const high = bytes[bytes.length - odd - (encoding === "utf-16le" ? 1 : 2)] ?? 0;
    return high >= 0xd8 && high <= 0xdb ? odd + 2 : odd;
  }
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

/** The text before the first mistake. */
function validStart(bytes: Buffer, encoding: TextEncoding): string {
  const decode = (length: number): string | null => {
    try {
      return new TextDecoder(labels[encoding], { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return null;
    }
  };
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decode(middle) === null) bad = middle;
    else good = middle;
  }
  return decode(good) ?? "";
}
