import { createWriteStream, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CliError } from "../cli-error.ts";

interface NewFileOptions {
  /** Whoever may read it. */
  readonly mode?: number;
  /** What to do when it is there already. */
  readonly hint?: string;
}

/** Writes an answer into a file that must not be there yet. Of one that breaks off nothing stays. @throws CliError `file_exists` */
export async function writeNewFile(
  path: string,
  body: Response["body"],
  { mode, hint = "Name another." }: NewFileOptions = {},
): Promise<void> {
  const file = createWriteStream(path, { flags: "wx", ...(mode !== undefined && { mode }) });
  let made = false;
  file.once("open", () => (made = true));
  try {
    await pipeline(body === null ? [] : Readable.fromWeb(body), file);
  } catch (cause) {
    if (made) rmSync(path, { force: true });
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!made && code !== "EEXIST")
      throw new CliError(`${path} cannot be written: ${message}`, { code: "cannot_write", exit: "cannot_create", hint, cause });
    if (code !== "EEXIST") throw cause;
    throw new CliError(`The file ${path} is there already.`, { code: "file_exists", exit: "cannot_create", hint, cause });
  }
}
