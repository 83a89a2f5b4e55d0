import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { ZipFile, type ReadStreamOptions } from "yazl";
import type { BlobRef, Blobs } from "./blobs.ts";

/** A zip archive that is written while it is read; what goes wrong with one of its files cuts it off. */
export function createZip(): { readonly zip: ZipFile; readonly output: Readable } {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on("error", (error) => output.destroy(error as Error));
  return { zip, output };
}

/** Puts content into an archive, opened when its turn comes, and closed with the archive when its reader goes away. */
export function addBlob(zip: ZipFile, blobs: Pick<Blobs, "open">, name: string, blob: BlobRef, options: Partial<ReadStreamOptions>): void {
  zip.addReadStreamLazy(name, { ...options, size: blob.size }, (give) => {
    const open = async () => {
      const content = await blobs.open(blob.sha256);
      if (endWith(zip.outputStream as Readable, content)) give(null, content);
    };
    open().catch((error: unknown) => give(error, Readable.from([])));
  });
}

/** Destroys content when the output closes before it does. False: that is so already. */
function endWith(output: Readable, content: Readable): boolean {
  const end = () => void content.destroy();
  if (output.destroyed) {
    end();
    return false;
  }
  output.once("close", end);
  content.once("close", () => output.off("close", end));
  return true;
}

/** Ends, controls, directions of writing, what divides folders elsewhere, and what Windows keeps for itself. */
const harmful = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\\<>:"|?*]|[. ]$/gu;
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * A path under which a file can be unpacked everywhere, and shows itself as what it is. A part that has to be changed begins with a few digits
 * of its own hash, so that no two become one.
 */
export function safeZipPath(path: string): string {
  return path.split("/").map(safePart).join("/");
}

function safePart(part: string): string {
  const safe = part.replaceAll(harmful, "_");
  if (safe === part && !device.test(part)) return part;
  return `${hash("sha256", part, "hex").slice(0, 8)}-${safe.slice(-60).toWellFormed()}`;
}
