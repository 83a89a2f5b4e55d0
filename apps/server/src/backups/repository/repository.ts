import { hash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { AppError } from "@syla/contracts/errors";
import type { Secret } from "../../platform/secret.ts";
import { cut } from "./cutter.ts";
import { makeKeys, openKeys, type RepositoryKeys } from "./keys.ts";
import type { ObjectStore } from "./objects.ts";

/** A part of what is backed up: the SHA-256 of its bytes, and how many bytes the object takes that it is in. */
export interface Piece {
  readonly sha256: string;
  readonly sealed: number;
}

/**
 * Where backups are kept, sealed: `data/ab/<name>` holds pieces, `backups/<id>` what a backup is made of, `wal/…` the log of a database. The name of
 * a piece follows from what is in it, so what is there already is not written again.
 */
export interface Repository {
  readonly id: string;
  readonly place: string;
  /** Whether it is still in its place: its disk may have been taken away. */
  isThere(): Promise<boolean>;
  /** What pieces there are by name, with the sizes of their objects. */
  listPieces(signal?: AbortSignal): Promise<Map<string, number>>;
  pieceName(identity: string): string;
  /** By the name of its identity. @returns the size of its object */
  putPiece(name: string, bytes: Uint8Array): Promise<number>;
  /** @throws AppError `backup_damaged` when it is missing or not what it was */
  getPiece(identity: string): Promise<Buffer>;
  deletePiece(name: string): Promise<void>;
  /** Moves what is damaged out of the way, to `damaged/<name>`: the next backup writes it again. */
  setPieceAside(name: string): Promise<void>;
  /** Something by its own name, like a manifest. */
  putNamed(name: string, bytes: Uint8Array): Promise<number>;
  /** Undefined: there is none. @throws AppError `backup_damaged` */
  getNamed(name: string): Promise<Buffer | undefined>;
  listNamed(folder: string): Promise<{ readonly name: string; readonly size: number }[]>;
  deleteNamed(name: string): Promise<void>;
  close(): void;
}

const keyFile = "repository.json";
/** What {@link Repository.setPieceAside} has moved. */
export const asideFolder = "damaged";
const folderOf = (name: string) => `data/${name.slice(0, 2)}/${name}`;
const [compress, expand] = [promisify<Uint8Array, { level: number }, Buffer>(gzip), promisify<Uint8Array, Buffer>(gunzip)];
const plain = 0;
const gzipped = 1;
/** Smaller by less than this is not worth unpacking. */
const worthwhile = 0.95;
const level = 4;

/**
 * Opens the repository in a store; makes one in an empty store when it may.
 *
 * @throws AppError `backup_passphrase_wrong`, `backup_repository_missing`, `backup_repository_unavailable`, `backup_damaged`
 */
export async function openRepository(store: ObjectStore, passphrase: Secret, mayMake: boolean): Promise<Repository> {
  const text = await store.get(keyFile);
  if (text !== undefined) return repositoryOf(store, await openKeys(text.toString(), passphrase));
  if (!mayMake) throw new AppError("backup_repository_missing", { message: `There is no repository in ${store.place}.` });
  for await (const { name } of store.list("data"))
    throw new AppError("backup_damaged", {
      message: `${store.place} holds ${name}, and no key file.`,
      hint: "Bring `repository.json` back: nothing can be read without it.",
    });
  const made = await makeKeys(passphrase);
  await store.put(keyFile, Buffer.from(made.text));
  // Of two that make it at once the last one has it.
  const kept = (await store.get(keyFile))?.toString() ?? "";
  return repositoryOf(store, kept === made.text ? made.keys : await openKeys(kept, passphrase));
}

function repositoryOf(store: ObjectStore, keys: RepositoryKeys): Repository {
  const put = async (name: string, bytes: Uint8Array): Promise<number> => {
    const packed = await compress(bytes, { level });
    const isSmaller = packed.length < bytes.length * worthwhile;
    const sealed = keys.seal(name, Buffer.concat([Buffer.from([isSmaller ? gzipped : plain]), isSmaller ? packed : bytes]));
    await store.put(name, sealed);
    return sealed.length;
  };
  const get = async (name: string): Promise<Buffer | undefined> => {
    const sealed = await store.get(name);
    if (sealed === undefined) return undefined;
    try {
      const opened = keys.unseal(name, sealed);
      return opened[0] === gzipped ? await expand(opened.subarray(1)) : opened.subarray(1);
    } catch (cause) {
      throw new AppError("backup_damaged", { message: `${name} in ${store.place} is damaged, or was changed.`, cause });
    }
  };
  return {
    id: keys.id,
    place: store.place,
    isThere: async () => (await store.get(keyFile)) !== undefined,
    async listPieces(signal) {
      const pieces = new Map<string, number>();
      for await (const { name, size } of store.list("data")) {
        signal?.throwIfAborted();
        pieces.set(name.slice(name.lastIndexOf("/") + 1), size);
      }
      return pieces;
    },
    pieceName: keys.nameOf,
    putPiece: (name, bytes) => put(folderOf(name), bytes),
    async getPiece(identity) {
      const name = folderOf(keys.nameOf(identity));
      const bytes = await get(name);
      if (bytes === undefined) throw new AppError("backup_damaged", { message: `${name} is missing in ${store.place}.` });
      return bytes;
    },
    deletePiece: (name) => store.delete(folderOf(name)),
    async setPieceAside(name) {
      const bytes = await store.get(folderOf(name));
      if (bytes !== undefined) await store.put(`${asideFolder}/${name}`, bytes);
      await store.delete(folderOf(name));
    },
    putNamed: put,
    getNamed: get,
    listNamed: async (folder) => await Array.fromAsync(store.list(folder)),
    deleteNamed: (name) => store.delete(name),
    close: () => store.close(),
  };
}

/** Writes pieces that are not there yet, and counts. */
export class PieceWriter {
  readonly repository: Repository;
  readonly #there: Map<string, number>;
  readonly #onPiece: (bytes: number, isNew: boolean) => void;

  private constructor(repository: Repository, there: Map<string, number>, onPiece: (bytes: number, isNew: boolean) => void) {
    this.repository = repository;
    this.#there = there;
    this.#onPiece = onPiece;
  }

  /** `onPiece` is told of each piece: the size of its object, and whether it was written now. */
  static async open(repository: Repository, onPiece: (bytes: number, isNew: boolean) => void, signal?: AbortSignal): Promise<PieceWriter> {
    return new PieceWriter(repository, await repository.listPieces(signal), onPiece);
  }

  /** The size of the object that holds a piece; undefined when it has to be written. */
  sizeOf(identity: string): number | undefined {
    return this.#there.get(this.repository.pieceName(identity));
  }

  /** @returns the size of its object */
  async put(identity: string, bytes: Uint8Array): Promise<number> {
    const name = this.repository.pieceName(identity);
    const there = this.#there.get(name);
    const size = there ?? (await this.repository.putPiece(name, bytes));
    this.#there.set(name, size);
    this.#onPiece(size, there === undefined);
    return size;
  }

  /** Cuts a stream and keeps it. */
  async putStream(source: AsyncIterable<Uint8Array>): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for await (const bytes of cut(source)) {
      const sha256 = hash("sha256", bytes);
      pieces.push({ sha256, sealed: await this.put(sha256, bytes) });
    }
    return pieces;
  }
}

/** What {@link PieceWriter.putStream} has kept. @throws AppError `backup_damaged` */
export async function* readPieces(repository: Repository, pieces: readonly Piece[]): AsyncGenerator<Buffer> {
  for (const { sha256 } of pieces) {
    const bytes = await repository.getPiece(sha256);
    if (hash("sha256", bytes) !== sha256) throw new AppError("backup_damaged", { message: `A piece of the backup is not what it was.` });
    yield bytes;
  }
}
