import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { FileInput } from "@syla/contracts/runs";
import type { InputFile } from "@syla/sandbox/spec";
import type { Blobs } from "../platform/blobs.ts";
import type { Queries } from "../platform/database.ts";
import { checkPaths } from "../platform/paths.ts";
import { readUploads } from "./submission.ts";

const mode = 0o644;

/** Files as a sandbox takes them, uploads among them as streams. Nothing is stored. @throws AppError `invalid_path`, `blob_unknown` */
export async function readInputFiles(
  queries: Queries,
  blobs: Blobs,
  ownerId: string,
  files: readonly FileInput[],
): Promise<AsyncGenerator<InputFile>> {
  checkPaths(files.map((file) => file.path));
  const fields: FieldProblem[] = files.flatMap((file, index) =>
    "content" in file && !file.content.isWellFormed()
      ? [{ path: `files.${index}.content`, message: "is not valid Unicode: send such bytes in base64" }]
      : [],
  );
  if (fields.length > 0) throw new AppError("invalid_request", { fields });
  const uploads = await readUploads(queries, ownerId, files);
  files.forEach((file, index) => {
    if ("blob" in file && !uploads.has(file.blob))
      throw new AppError("blob_unknown", { fields: [{ path: `files.${index}.blob`, message: "not uploaded by you" }] });
  });
  return uploadedFiles(blobs, files);
}

async function* uploadedFiles(blobs: Blobs, files: readonly FileInput[]): AsyncGenerator<InputFile> {
  for (const file of files) {
    if ("content" in file) yield { path: file.path, mode, content: Buffer.from(file.content) };
    else if ("contentBase64" in file) yield { path: file.path, mode, content: Buffer.from(file.contentBase64, "base64") };
    else yield { path: file.path, mode, content: await blobs.open(file.blob) };
  }
}
