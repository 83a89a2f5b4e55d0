import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { addLinks, inspectLayer, unpackLayer, type LayerFacts, type LayerLimits } from "./layer-archive.ts";

const run = promisify(execFile);
/** To go into it, and not to list it: not even for a sandbox whose user is the server's own. */
const unlisted = 0o311;

/** A layer that has just been put onto the disk. */
export interface NewLayer extends LayerFacts {
  readonly name: string;
}

/**
 * The folders of layers in a data directory. One gets its name when all of it is on the disk, and is never changed afterwards. Names are
 * random, and the folder around them cannot be listed: who knows a layer's name may read it.
 */
export class LayerStore {
  /** Tells this data directory from others of the same database. */
  readonly id: string;
  /** What sandboxes see as `/layers`. */
  readonly folder: string;
  readonly #unfinished: string;
  readonly #limits: LayerLimits;
  readonly #held = new Map<string, number>();
  readonly #condemned = new Set<string>();

  constructor(root: string, limits: LayerLimits) {
    this.folder = join(root, "layers");
    this.#unfinished = join(root, "unfinished");
    this.#limits = limits;
    mkdirSync(this.folder, { recursive: true, mode: 0o711 });
    chmodSync(this.folder, unlisted);
    rmSync(this.#unfinished, { recursive: true, force: true }); // what a killed server left; the data directory's lock keeps others out
    mkdirSync(this.#unfinished, { recursive: true, mode: 0o711 });
    this.id = readOrCreateId(join(root, "store-id"));
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** Removes what no row speaks of. Only while no sandbox is up. */
  keepOnly(names: ReadonlySet<string>): void {
    chmodSync(this.folder, 0o700);
    try {
      for (const name of readdirSync(this.folder)) if (!names.has(name)) rmSync(join(this.folder, name), { recursive: true, force: true });
    } finally {
      chmodSync(this.folder, unlisted);
    }
  }

  /** Unpacks a new layer, and adds `links`, which may lead out of it. What fails leaves nothing. @throws LayerArchiveError */
  async add(archive: Readable, links: Readonly<Record<string, string>>): Promise<NewLayer> {
    const name = randomBytes(20).toString("hex");
    const folder = join(this.#unfinished, randomUUID());
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    try {
      const unpacked = await unpackLayer(archive, folder, this.#limits);
      const facts = Object.keys(links).length === 0 ? unpacked : await addLinks(folder, links);
      await run("sync", ["--file-system", folder]);
      renameSync(folder, join(this.folder, name));
      return { name, ...facts };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether it is what it was. */
  async isIntact(name: string, digest: string): Promise<boolean> {
    try {
      return (await inspectLayer(join(this.folder, name))).digest === digest;
    } catch {
      return false;
    }
  }

  /** A run has it, until the answered function is called: it is not removed meanwhile. Null when it is not there. */
  hold(name: string): (() => void) | null {
    if (this.#condemned.has(name) || !this.has(name)) return null;
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#held.get(name) ?? 1) - 1;
      if (left > 0) this.#held.set(name, left);
      else this.#held.delete(name);
    };
  }

  get held(): ReadonlySet<string> {
    return new Set(this.#held.keys());
  }

  /** Nobody can take hold of it from now on. False: somebody has it. */
  condemn(name: string): boolean {
    if (this.#held.has(name)) return false;
    this.#condemned.add(name);
    return true;
  }

  /** It stays after all. */
  pardon(name: string): void {
    this.#condemned.delete(name);
  }

  /** Takes its name away first, so that nobody finds half of it. */
  async remove(name: string): Promise<void> {
    if (!this.has(name)) return;
    const dying = join(this.#unfinished, randomUUID());
    renameSync(join(this.folder, name), dying);
    await rm(dying, { recursive: true, force: true });
  }
}

function readOrCreateId(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomUUID(), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
