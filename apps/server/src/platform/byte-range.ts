/**
 * The part of something of `size` bytes that a `Range` header asks for; null when it is all of it. A range that the file does not reach is
 * empty, and answered with the whole file as the standard allows. Source: RFC 9110, 14.1.2.
 */
export function parseRange(header: string | undefined, size: number): { offset: number; length: number } | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || size === 0) return null;
  const [, first = "", last = ""] = match;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? null : { offset: size - length, length };
  }
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return Number(first) > end ? null : { offset: Number(first), length: end - Number(first) + 1 };
}
