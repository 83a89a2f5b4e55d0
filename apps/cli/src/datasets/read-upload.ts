import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import type { RawContent } from "@syla/sdk";
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";

const formats = ["csv", "tsv", "json", "jsonl", "parquet"] as const;
const encodings = ["utf-8", "utf-16le", "utf-16be", "latin1"] as const;

/** Flags of what uploads a file. */
export interface UploadFlags {
  readonly format?: (typeof formats)[number];
  readonly encoding?: (typeof encodings)[number];
}

export function addUploadFlags(command: Command): Command {
  return command
    .addOption(new Option("-f, --format <name>", "what the file is; told by its name and its first bytes when left out").choices(formats))
    .addOption(new Option("--encoding <name>", "of text; UTF-8 or UTF-16 are told apart when left out").choices(encodings));
}

/** A file as it is sent: as a stream, whatever its size. `-` is standard input. */
export async function readUpload(
  path: string,
  { format, encoding }: UploadFlags,
): Promise<{ content: RawContent; query: UploadFlags & { filename?: string } }> {
  const wish = { ...(format !== undefined && { format }), ...(encoding !== undefined && { encoding }) };
  if (path === "-") return { content: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>, query: wish };
  try {
    if (!(await stat(path)).isFile()) throw new Error("it is no file");
    return { content: await openAsBlob(path), query: { ...wish, filename: basename(path).slice(0, 255) } };
  } catch (cause) {
    throw new CliError(`${path} cannot be read: ${(cause as Error).message}`, {
      code: "file_unreadable",
      exit: "no_input",
      hint: "Name a file, or `-` for what is piped in.",
      cause,
    });
  }
}
