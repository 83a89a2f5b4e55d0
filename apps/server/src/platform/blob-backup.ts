import { readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createHash, hash as hashOnce } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { readRegularFile } from "./blob-files.ts";
import { BlobPack } from "./blob-pack.ts";
import type { Blobs } from "./blobs.ts";

/** A copy of the folder of a store, which is read and never written. */
export interface BlobBackup extends Pick<Blobs, "has" | "verify" | "open"> {
  close(): void;
}

const hexHash = /^[0-9a-f]{64}$/;

/** Opens the `blobs` of a backup. Throws when it is not there. */
export function openBackup(root: string): BlobBackup {
  const packs = readdirSync(join(root, "packs"))
    .filter((name) => name.endsWith(".pack"))
    .map((name) => new BlobPack(join(root, "packs", name), "read"));
  const path = (sha256: string) => {
    if (!hexHash.test(sha256)) throw new AppError("not_found");
    return join(root, "sha256", sha256.slice(0, 2), sha256);
  };
  const readPacked = (sha256: string): Buffer | undefined => {
    const hash = Buffer.from(sha256, "hex");
    const found = packs.flatMap((pack) => {
      const place = pack.find(hash);
      return place === undefined ? [] : [pack.read(place)];
    });
    return found.find((bytes) => hashOnce("sha256", bytes) === sha256) ?? found[0];
  };
  const isFile = async (sha256: string) => (await stat(path(sha256)).catch(() => undefined))?.isFile() === true;
  return {
    has: async (sha256) => (await isFile(sha256)) || readPacked(sha256) !== undefined,
    verify: async (sha256) => {
      const packed = readPacked(sha256);
      if (packed !== undefined && hashOnce("sha256", packed) === sha256) return true;
      if (!(await isFile(sha256))) return false;
      const hash = createHash("sha256");
      for await (const chunk of readRegularFile(path(sha256))) hash.update(chunk);
      return hash.digest("hex") === sha256;
    },
    open: async (sha256) => {
      const packed = readPacked(sha256);
      const isWhole = packed !== undefined && hashOnce("sha256", packed) === sha256;
      return Readable.from(isWhole ? [packed] : readRegularFile(path(sha256)));
    },
    close: () => packs.forEach((pack) => pack.close()),
  };
}
