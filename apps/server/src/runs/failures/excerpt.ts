import type { SourceExcerpt } from "@syla/contracts/runs";
import type { Blobs } from "../../platform/blobs.ts";

/** A line further down than this, or in a larger file, is not looked for. */
const mostBytes = 2 * 1024 * 1024;
const linesAround = 3;
const mostCharacters = 300;

/** The lines around one of a file; null when the file is not text, or has no such line. */
export async function readExcerpt(
  blobs: Pick<Blobs, "open">,
  file: { readonly path: string; readonly sha256: string; readonly size: number },
  line: number,
): Promise<SourceExcerpt | null> {
  if (line < 1) return null;
  const text = await readText(blobs, file);
  const lines = text?.split("\n") ?? [];
  if (text === null || line > lines.length) return null;
  const firstLine = Math.max(1, line - linesAround);
  const shown = lines.slice(firstLine - 1, line + linesAround).map((content) => content.replace(/\r$/, "").slice(0, mostCharacters));
  if (shown.length + firstLine - 1 === lines.length && shown.at(-1) === "" && firstLine + shown.length - 1 > line) shown.pop();
  return { path: file.path, firstLine, lines: shown, line };
}

/** The text of a small file; null when it is large, or no text. */
export async function readText(
  blobs: Pick<Blobs, "open">,
  { sha256, size }: { readonly sha256: string; readonly size: number },
): Promise<string | null> {
  if (size > mostBytes) return null;
  const parts: Buffer[] = [];
  for await (const part of await blobs.open(sha256)) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  return bytes.includes(0) ? null : bytes.toString();
}
