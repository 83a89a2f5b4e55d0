import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { readGuestImage } from "@syla/sandbox/microvm/guest-image";
import type { MicrovmTierOptions } from "@syla/sandbox/microvm/microvm-tier";
import type { WallPrograms } from "@syla/sandbox/wall";

const folders = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin", "/usr/sbin", "/sbin"];

/** Where a system program is; null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      continue;
    }
  }
  return null;
}

/** The programs that the namespace tier is made of. @throws AppError `tier_unavailable` naming what is missing */
export function requireWallPrograms(): WallPrograms {
  const bwrap = findProgram("bwrap");
  const python = findProgram("python3");
  if (bwrap !== null && python !== null) return { bwrap, python };
  const missing = [...(bwrap === null ? ["bubblewrap"] : []), ...(python === null ? ["python3"] : [])];
  throw new AppError("tier_unavailable", {
    message: `Not installed: ${missing.join(", ")}.`,
    hint: `Install ${missing.join(" and ")} with the system's package manager.`,
  });
}

/** What containers of gVisor's are made of. @throws AppError `tier_unavailable` naming what is missing */
export function requireGvisor(): WallPrograms & { readonly runsc: string } {
  const walls = requireWallPrograms();
  const runsc = findProgram("runsc");
  if (runsc !== null) return { ...walls, runsc };
  const hint = "As root: apt-get install runsc; then start the server again.";
  throw new AppError("tier_unavailable", { message: "Not installed: runsc, which is gVisor.", hint });
}

/** The packages that have the programs of the microvm tier. */
const machinePrograms = { "qemu-system-x86_64": "qemu-system-x86", mke2fs: "e2fsprogs", mksquashfs: "squashfs-tools" } as const;
/** How an image is made that virtual machines boot from. */
export const installGuest = "./syla runtimes install guest";

/** The newest of the images in a folder. */
export function currentGuest(guests: string): string {
  return join(guests, "current");
}

/**
 * What virtual machines are made of. `guests`: where guest images are.
 *
 * @throws AppError `tier_unavailable` naming what is missing
 */
export function requireMachineParts(guests: string): Pick<MicrovmTierOptions, "programs" | "image"> {
  if (process.arch !== "x64")
    throw new AppError("tier_unavailable", { message: "Virtual machines are made on x86-64 only.", hint: "Choose another tier." });
  const walls = requireWallPrograms();
  const missing = Object.entries(machinePrograms).filter(([name]) => findProgram(name) === null);
  if (missing.length > 0) {
    const packages = missing.map(([, name]) => name);
    const hint = `As root: apt-get install --no-install-recommends ${packages.join(" ")}; then ${installGuest}, and start the server again.`;
    throw new AppError("tier_unavailable", { message: `Not installed: ${packages.join(", ")}.`, hint });
  }
  const image = readGuestImage(currentGuest(guests));
  if (image === null)
    throw new AppError("tier_unavailable", {
      message: "There is no image that virtual machines boot from.",
      hint: `${installGuest} makes one; then start the server again.`,
    });
  const find = (name: keyof typeof machinePrograms) => findProgram(name) ?? "";
  return { programs: { ...walls, qemu: find("qemu-system-x86_64"), mke2fs: find("mke2fs"), mksquashfs: find("mksquashfs") }, image };
}
