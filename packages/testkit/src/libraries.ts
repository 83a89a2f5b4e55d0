import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

const lent = () => join(inject("runFolder"), "libraries");

/** Gives a server that has not started the standard libraries that others of this test run have compiled. */
export function borrowLibraries(dataDir: string): void {
  const folder = join(dataDir, "libraries");
  if (!existsSync(lent()) || existsSync(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(lent())) if (!name.startsWith("unfinished-")) symlinkSync(join(lent(), name), join(folder, name));
}

/** Keeps what a server has compiled of them for the next ones. */
export function lendLibraries(dataDir: string): void {
  const folder = join(dataDir, "libraries");
  if (!existsSync(folder)) return;
  mkdirSync(lent(), { recursive: true });
  for (const name of readdirSync(folder)) {
    if (name.startsWith("unfinished-") || existsSync(join(lent(), name))) continue;
    const unfinished = join(lent(), `unfinished-${randomBytes(4).toString("hex")}`);
    cpSync(join(folder, name), unfinished, { recursive: true });
    try {
      renameSync(unfinished, join(lent(), name));
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error; // another file was as quick
    }
  }
}
