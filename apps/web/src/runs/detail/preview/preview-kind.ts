import type { Artifact } from "@syla/sdk";

/** How an artifact can be looked at here. */
export type PreviewKind = "image" | "table" | "json" | "markdown" | "page" | "text" | "none";

const mebibyte = 1024 * 1024;
const mostImageBytes = 20 * mebibyte;
const mostPageBytes = 20 * mebibyte;
/** Of a text so much is read; the rest is for whoever downloads it. */
export const mostTextBytes = 512 * 1024;
/** A tree is made of the whole document or not at all. */
const mostJsonBytes = 4 * mebibyte;

/** Images are drawn by `<img>`, which runs no script, also not that of an SVG. */
const image = /^image\/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const text = /^text\/|[/+](?:json|xml|yaml|javascript|x-ndjson|x-sh|sql|toml)$/;

export function previewKind({ mimeType, size, path }: Pick<Artifact, "mimeType" | "size" | "path">): PreviewKind {
  if (image.test(mimeType)) return size <= mostImageBytes ? "image" : "none";
  if (mimeType === "text/html") return size <= mostPageBytes ? "page" : "text";
  if (mimeType === "text/csv" || mimeType === "text/tab-separated-values") return "table";
  if (mimeType === "text/markdown") return size <= mostTextBytes ? "markdown" : "text";
  if (/[/+]json$/.test(mimeType) && !/\.(?:jsonl|ndjson)$/i.test(path)) return size <= mostJsonBytes ? "json" : "text";
  return text.test(mimeType) || /\.(?:log|jsonl|ndjson|py|go|rs|ts|toml|ini|cfg)$/i.test(path) ? "text" : "none";
}

/** How many bytes of it are read to look at it; null: all. */
export function bytesToRead(kind: PreviewKind, size: number): number | null {
  const isCut = (kind === "table" || kind === "text") && size > mostTextBytes;
  return isCut ? mostTextBytes : null;
}
