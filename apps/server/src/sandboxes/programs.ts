import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { WallPrograms } from "@syla/sandbox/wall";

const folders = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"];

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
