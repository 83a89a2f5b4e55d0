import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readGuestImage, type GuestImage } from "@syla/sandbox/microvm/guest-image";

/**
 * A guest image with a small system, made once and kept in `.build`: a kernel takes a while to be fetched, and a whole system to be packed.
 */

const kept = fileURLToPath(new URL("../../../.build/guest", import.meta.url));
const sources = ["build-image.ts", "cpio.ts", "guest-image.ts", "kernel-modules.ts", "plain-kernel.ts", "squashfs.ts"].map((name) =>
  fileURLToPath(new URL(`../../sandbox/src/microvm/${name}`, import.meta.url)),
);
const programs = "bash cat chmod cp dd dirname env head id ln ls mkdir mount mv python3 rm sh sleep sort stat touch uname wc".split(" ");
const standardLibrary = ["/usr/lib/python3.11", "/usr/lib/python3.12", "/usr/lib/python3.13"];
/** What Java and PHP need of this machine, wherever they are: long-lived sandboxes show all languages. */
const shown = ["/etc/java-*", "/etc/php"].flatMap((pattern) => ["--show", pattern]);
/** Where the programs are that machines are made of. */
export const machinePrograms = {
  qemu: "/usr/bin/qemu-system-x86_64",
  mke2fs: "/usr/sbin/mke2fs",
  mksquashfs: "/usr/bin/mksquashfs",
  bwrap: "/usr/bin/bwrap",
} as const;

/** The folder of guest images, or why there is none. */
export interface TestGuest {
  readonly folder: string;
  readonly image: GuestImage | null;
  readonly reason: string;
}

/** Makes the image if it is not there, or is of older sources. */
export function findTestGuest(): TestGuest {
  const missing = Object.values(machinePrograms).filter((path) => !existsSync(path));
  if (process.arch !== "x64" || missing.length > 0)
    return { folder: kept, image: null, reason: `machines need x86-64 and ${missing.join(", ") || "an x86-64 processor"}` };
  const sum = createHash("sha256");
  for (const path of [...sources, fileURLToPath(import.meta.url)]) sum.update(readFileSync(path));
  const [stamp, wanted] = [join(kept, "sources"), sum.digest("hex")];
  try {
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) makeImage(stamp, wanted);
    const image = readGuestImage(join(kept, "current"));
    return { folder: kept, image, reason: image === null ? "no guest image was made" : "" };
  } catch (error) {
    return {
      folder: kept,
      image: null,
      reason: `no guest image could be made: ${String((error as { stderr?: string }).stderr ?? error).slice(0, 300)}`,
    };
  }
}

function makeImage(stamp: string, sum: string): void {
  mkdirSync(kept, { recursive: true });
  const system = mkdtempSync(join(kept, "new-system-"));
  try {
    copySystem(system);
    const builder = fileURLToPath(new URL("../../sandbox/src/microvm/build-image.ts", import.meta.url));
    execFileSync(process.execPath, [builder, kept, "--root", join(system, "usr"), ...shown], { encoding: "utf8", stdio: "pipe" });
    writeFileSync(stamp, sum);
  } finally {
    rmSync(system, { recursive: true, force: true });
  }
}

/** A few programs with their libraries, Python with its own, and the libraries that Node.js needs, which is shown besides. */
function copySystem(target: string): void {
  const named = programs.map((name) => `/usr/bin/${name}`).filter((path) => existsSync(path));
  const folders = standardLibrary.filter((path) => existsSync(path));
  const modules = execFileSync("find", [...folders, "-name", "*.so"], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
  const listed = execFileSync("ldd", [...named, ...modules, process.execPath], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const libraries = [...listed.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path]) => (path ?? "").replace(/^\/lib/, "/usr/lib"));
  const links = [...new Set([...named, ...libraries])];
  const files = [...links, ...links.map((path) => realpathSync(path)), ...folders];
  const relative = [...new Set(files)].map((path) => path.slice(1));
  execFileSync("sh", ["-c", 'tar -C / -cf - "$@" | tar -C "$0" -xf -', target, ...relative]);
  for (const name of ["test", "idlelib", "ensurepip", "turtledemo"])
    for (const folder of folders) rmSync(join(target, folder, name), { recursive: true, force: true });
}
