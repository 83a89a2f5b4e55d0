import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { type Repository, readPieces } from "./repository/repository.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Pieces = z.array(z.object({ sha256, sealed: z.int() }));

/** The rows of a table as `COPY` writes them, in the order of its key. */
const Table = z.object({ name: z.string(), columns: z.array(z.string()), rows: z.int(), bytes: z.int(), pieces: Pieces });

const Dump = z.object({
  migrations: z.array(z.object({ name: z.string(), sha256 })).describe("that had run, in order"),
  tables: z.array(Table),
  sequences: z.array(z.object({ name: z.string(), value: z.int().nullable().describe("null: never used") })),
});
export type Dump = z.infer<typeof Dump>;

/** Content by its hash: lines of {@link ./content.ts}, in order. */
const Content = z.object({
  blobs: z.int(),
  bytes: z.int(),
  missing: z.array(sha256).describe("what the database refers to and the store did not have whole; the first 1,000"),
  missingCount: z.int(),
  pieces: Pieces,
});
export type Content = z.infer<typeof Content>;

/** A file of the data directory, small and secret. */
const KeptFile = z.object({ name: z.string(), pieces: Pieces });

/** Inside the folder that it is put into. */
const innerPath = z.string().refine((path) => /^[^/\0][^\0]*$/.test(path) && !path.split("/").includes(".."));
const segment = z.string().regex(/^[0-9A-F]{24}$/);

/** The files of a database cluster as they were read while it ran: the log makes them consistent. */
const Physical = z.object({
  systemId: z.string().regex(/^\d+$/),
  major: z.string(),
  label: z.string(),
  firstSegment: segment.describe("of the log that makes it consistent"),
  startedAt: z.iso.datetime(),
  consistentAt: z.iso.datetime().describe("it can be taken to any time from here on"),
  files: z.array(z.object({ path: innerPath, pieces: Pieces })),
  folders: z.array(innerPath),
});
export type Physical = z.infer<typeof Physical>;

const Workspace = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  kind: z.string(),
  ownerId: z.string(),
  keepOnExit: z.boolean(),
  tree: sha256,
  versions: z.array(
    z.object({
      number: z.int(),
      tree: sha256,
      message: z.string(),
      cause: z.string(),
      createdBy: z.string().nullable(),
      createdAt: z.iso.datetime(),
    }),
  ),
  trees: z.array(sha256),
});

/** What a backup is made of. It is written last: what has no manifest is no backup. */
export const Manifest = z.object({
  format: z.literal(1),
  id: z.string(),
  scope: z.enum(["installation", "workspace"]),
  isAutomatic: z.boolean(),
  note: z.string(),
  version: z.string().describe("of Syla"),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  newBytes: z.int().describe("that it has added to the repository"),
  dump: Dump.nullable(),
  files: z.array(KeptFile),
  physical: Physical.nullable(),
  workspace: Workspace.nullable(),
  content: Content,
});
export type Manifest = z.infer<typeof Manifest>;

const folder = "backups";
const idPattern = /^bkp_[0-9a-z]{26}$/;

/** The backup is there from now on. */
export async function writeManifest(repository: Repository, manifest: Manifest): Promise<void> {
  await repository.putNamed(`${folder}/${manifest.id}`, Buffer.from(JSON.stringify(manifest)));
}

/** @throws AppError `backup_not_found`, `backup_damaged` */
export async function readManifest(repository: Repository, id: string): Promise<Manifest> {
  const bytes = idPattern.test(id) ? await repository.getNamed(`${folder}/${id}`) : undefined;
  if (bytes === undefined) throw new AppError("backup_not_found", { message: `There is no backup ${JSON.stringify(id.slice(0, 64))}.` });
  const manifest = Manifest.safeParse(parseJson(bytes)).data;
  if (manifest?.id !== id)
    throw new AppError("backup_damaged", { message: `The backup ${id} was made by a version of Syla that this one does not know.` });
  return manifest;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** The ids of all backups, the newest first. */
export async function listIds(repository: Repository): Promise<string[]> {
  const found = (await repository.listNamed(folder)).map(({ name }) => name.slice(folder.length + 1));
  return found.filter((id) => idPattern.test(id)).toSorted((a, b) => (a < b ? 1 : -1));
}

export async function deleteManifest(repository: Repository, id: string): Promise<void> {
  await repository.deleteNamed(`${folder}/${id}`);
}

/** Every piece that is not of content: tables, files, and the list of the content. */
export function ownPieces({ dump, files, physical, content }: Manifest): { sha256: string; sealed: number }[] {
  return [
    ...(dump?.tables ?? []).flatMap((table) => table.pieces),
    ...files.flatMap((file) => file.pieces),
    ...(physical?.files ?? []).flatMap((file) => file.pieces),
    ...content.pieces,
  ];
}

/** The bytes of a kept file. */
export async function readWhole(repository: Repository, pieces: z.infer<typeof Pieces>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readPieces(repository, pieces)));
}
