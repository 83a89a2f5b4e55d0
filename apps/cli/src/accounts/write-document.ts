import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { writeNewFile } from "../output/new-file.ts";
import { note } from "../output/progress.ts";

/** Writes what is known of a person into a new file that is readable by its owner only, or to stdout. @throws CliError `file_exists` */
export async function writeDocument({ body }: Response, path: string | undefined): Promise<void> {
  if (path === undefined) return body === null ? undefined : await pipeline(Readable.fromWeb(body), process.stdout, { end: false });
  await writeNewFile(path, body, { mode: 0o600 });
  note(`written to ${path}`);
}
