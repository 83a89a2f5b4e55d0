import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";

/** The layout that this version writes. Raise it when an older version could not read the directory any more. */
const layout = 3;

/** Paths in a data directory. Everything that the server writes is below it. */
export interface DataDirectory {
  readonly root: string;
  readonly postgres: string;
  readonly blobs: string;
  readonly spool: string;
  readonly sandboxes: string;
  readonly machines: string;
  readonly containers: string;
  readonly environments: string;
  readonly trees: string;
  readonly lockFile: string;
  readonly serverFile: string;
  readonly localKeyFile: string;
  readonly secretFile: string;
  readonly demandFile: string;
  readonly credentialKeysFile: string;
  readonly restoringFile: string;
}

/** The paths below `root`; creates nothing. */
export function dataDirectoryAt(root: string): DataDirectory {
  const at = (name: string) => join(root, name);
  return {
    root,
    postgres: at("postgres"),
    blobs: at("blobs"),
    spool: at("spool"),
    sandboxes: at("sandboxes"),
    machines: at("machines"),
    containers: at("containers"),
    environments: at("environments"),
    trees: at("trees"),
    lockFile: at("server.lock"),
    serverFile: at("server.json"),
    localKeyFile: at("cli.key"),
    secretFile: at("secret"),
    demandFile: at("sandbox-demand.json"),
    credentialKeysFile: at("credential-keys.json"),
    restoringFile: at("restoring.json"),
  };
}

/**
 * Creates the directory, readable by its owner only.
 *
 * @throws AppError `data_dir_unusable`
 */
export function createDataDirectory(directory: DataDirectory): void {
  try {
    mkdirSync(directory.root, { recursive: true, mode: 0o700 });
    chmodSync(directory.root, 0o700);
    for (const path of [directory.postgres, directory.blobs, directory.spool, directory.sandboxes, directory.environments, directory.trees])
      mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError("data_dir_unusable", {
      message: `The data directory ${directory.root} cannot be used: ${(cause as Error).message}.`,
      cause,
    });
  }
}

/**
 * Refuses a directory of a newer version, brings one of an older version up to date, and marks a new one. Call it with the lock held.
 *
 * @throws AppError `data_dir_newer`, `data_dir_unusable`
 */
export function checkLayout(directory: DataDirectory): void {
  const file = join(directory.root, "layout.json");
  const text = readIfPresent(file);
  if (text === undefined) return writePrivateFile(file, `${JSON.stringify({ layout })}\n`);
  const found = parseLayout(text);
  if (found === undefined)
    throw new AppError("data_dir_unusable", { message: `${file} is damaged.`, hint: `It should read {"layout":${layout}}.` });
  if (found < 2) flattenBlobs(directory.blobs);
  if (found < layout) writePrivateFile(file, `${JSON.stringify({ layout })}\n`);
  if (found > layout) {
    throw new AppError("data_dir_newer", {
      message: `The data directory ${directory.root} has layout ${found}; this version knows layouts up to ${layout}.`,
    });
  }
}

/** What a restore that was cut off has left is no installation. @throws AppError `restore_unfinished` */
export function refuseUnfinishedRestore({ restoringFile }: DataDirectory): void {
  if (existsSync(restoringFile)) throw new AppError("restore_unfinished");
}

/** Layout 1 had two levels of folders, `sha256/ab/cd/<hash>`. May be cut off and done again. */
function flattenBlobs(blobs: string): void {
  const root = join(blobs, "sha256");
  for (const first of readdirIfPresent(root)) {
    for (const second of readdirIfPresent(join(root, first)).filter((name) => name.length === 2)) {
      for (const name of readdirSync(join(root, first, second))) renameSync(join(root, first, second, name), join(root, first, name));
      rmdirSync(join(root, first, second));
    }
  }
}

function readdirIfPresent(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function parseLayout(text: string): number | undefined {
  try {
    const value = (JSON.parse(text) as { layout?: unknown }).layout;
    return typeof value === "number" && Number.isInteger(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a file, or undefined when there is none. */
export function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file that only its owner can read. A reader sees the old content or the new, never a part. */
export function writePrivateFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A random secret that is made once and kept in a private file. */
export function readOrCreateSecret(file: string): string {
  const existing = readIfPresent(file)?.trim();
  if (existing) return existing;
  const secret = randomBytes(32).toString("base64url");
  writePrivateFile(file, `${secret}\n`);
  return secret;
}
