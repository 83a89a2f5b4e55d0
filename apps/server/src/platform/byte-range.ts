/** A part of some content. */
interface Part {
  readonly offset: number;
  readonly length: number;
}

/**
 * The part of something of `size` bytes that a `Range` header asks for: null when it is all of it, also where the header says nothing that is
 * understood, or asks for several parts, as the standard allows; "none" when there is no such part. Source: RFC 9110, 14.1.2 and 14.2.
 */
export function readRange(header: string | undefined, size: number): Part | "none" | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || size === 0) return null;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return null;
    const length = Math.min(Number(last), size);
    return length === 0 ? "none" : { offset: size - length, length };
  }
  if (last !== "" && Number(last) < Number(first)) return null;
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return Number(first) > end ? "none" : { offset: Number(first), length: end - Number(first) + 1 };
}

/** The same for what answers with the whole where there is no such part. */
export function parseRange(header: string | undefined, size: number): Part | null {
  const range = readRange(header, size);
  return range === "none" ? null : range;
}
