/** More is not shown, only downloaded. */
export const mostShownBytes = 20 * 1024 * 1024;
/** So much can be edited; of what is larger so much is shown. */
export const partBytes = 1024 * 1024;
/** Whether a file of a size can be edited whole: notebooks hold pictures, and are larger than text. */
export function isEditable({ path, size }: { readonly path: string; readonly size: number }): boolean {
  return size <= (/\.ipynb$/i.test(path) ? mostShownBytes : partBytes);
}

/** Of what is no text. */
const hexBytes = 4096;
const bytesOfLine = 16;

/** How a file is looked at, by its name. Pictures are drawn by `<img>`, which runs no script, also not that of an SVG. */
export function kindOf(path: string): "image" | "table" | "text" {
  if (/\.(?:png|jpe?g|gif|webp|avif|bmp|svg)$/i.test(path)) return "image";
  return /\.(?:csv|tsv)$/i.test(path) ? "table" : "text";
}

/** Bytes as text, if they are. At the end of a part a character may be cut. */
export function readBytes(bytes: Uint8Array, isPart: boolean): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isPart });
  } catch {
    return null;
  }
}

/** The first bytes as hex dumps write them: place, bytes, letters. */
export function hexLines(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, hexBytes);
  return Array.from({ length: Math.ceil(shown.length / bytesOfLine) }, (_, index) => {
    const line = [...shown.subarray(index * bytesOfLine, (index + 1) * bytesOfLine)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    return `${(index * bytesOfLine).toString(16).padStart(8, "0")}  ${hex.padEnd(bytesOfLine * 3 - 1)}  ${letters}`;
  }).join("\n");
}
