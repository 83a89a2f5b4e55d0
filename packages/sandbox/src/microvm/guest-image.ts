import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What machines boot from: a folder that `build-image.ts` has made, named by what is in it. */

const imageVersion = 2;
const Manifest = z.object({
  version: z.literal(imageVersion),
  /** Of all files of it. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** As `uname -r` says. */
  kernel: z.string().min(1).max(200),
  /** What of it comes from the system's packages. */
  packages: z.array(z.object({ name: z.string(), version: z.string(), sha256: z.string() })),
  /** Of the packages that the machine had when its system was taken; null: it has no list of them. */
  system: z.string().nullable(),
  /** Folders and files below `/etc` that languages need and that it has. */
  shown: z.array(z.string()),
});
type Manifest = z.infer<typeof Manifest>;

/** A guest image. Paths are host paths. */
export interface GuestImage extends Manifest {
  readonly folder: string;
}

/** The files of an image. The first file system is completed by the host: it holds modules and a program that mounts. */
export const imageFiles = {
  kernel: "vmlinuz",
  plainKernel: "vmlinux",
  initrd: "initrd.cpio",
  root: "root.squashfs",
  manifest: "image.json",
} as const;

/** The image in a folder; null: there is none that this version can use. */
export function readGuestImage(folder: string): GuestImage | null {
  try {
    return { ...Manifest.parse(JSON.parse(readFileSync(join(folder, imageFiles.manifest), "utf8"))), folder };
  } catch {
    return null;
  }
}

/** The manifest of an image whose files have these sums. */
export function describeImage(facts: Omit<Manifest, "version" | "sha256">, sums: readonly string[]): Manifest {
  const sha256 = createHash("sha256")
    .update(JSON.stringify([imageVersion, facts, sums]))
    .digest("hex");
  return { version: imageVersion, sha256, ...facts };
}

/** The sum of the list of packages that this machine has; null where it has none. One that has changed means other programs than those of an image. */
export function sumOfSystem(statusFile = "/var/lib/dpkg/status"): string | null {
  try {
    return createHash("sha256").update(readFileSync(statusFile)).digest("hex");
  } catch {
    return null;
  }
}
