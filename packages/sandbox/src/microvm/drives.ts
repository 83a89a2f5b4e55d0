import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { SandboxError, type RuntimeSpec } from "../spec.ts";
import { makeSquashfs, type SquashfsPrograms } from "./squashfs.ts";

/**
 * Of each drive, whatever is on it: the kernel of a machine asks for a drive's size when it boots, and a machine that goes on from one that was kept has
 * other files on its drives. What is not used takes no room on the host.
 */
const driveBytes = 64 * 1024 ** 3;
/** So many files are kept; one that a machine has open stays until that lets go of it. */
const mostFiles = 64;
/** Where a guest shows what a runtime needs besides the system. */
export const toolchainFolder = "/opt";
/** What is on a drive of which nothing is shown. */
export const emptyDrive = "empty";

/** What machines are shown on drives besides their system: read-only file systems, made of a host folder when somebody wants it for the first time. */
export class Drives {
  /** Seen by each machine; whoever knows the name of a file in it may read that, and nobody can list it. */
  readonly folder: string;
  readonly #programs: SquashfsPrograms;
  readonly #layers: string | undefined;
  /** By what is in them, the one that was used longest ago first. */
  readonly #files = new Map<string, Promise<string>>();

  /** `layers`: the host folder of built dependencies. */
  constructor(folder: string, programs: SquashfsPrograms, layers: string | undefined) {
    this.folder = folder;
    this.#programs = programs;
    this.#layers = layers;
    mkdirSync(folder, { mode: 0o711 });
    chmodSync(folder, 0o711);
    writeFileSync(join(folder, emptyDrive), "", { mode: 0o644 });
    truncateSync(join(folder, emptyDrive), driveBytes);
  }

  /** The file with what a runtime needs besides the system; null: nothing. Rejects with a {@link SandboxError}. */
  async toolchain({ mounts }: Pick<RuntimeSpec, "mounts">): Promise<string | null> {
    const shown = mounts.filter(({ target }) => target.startsWith(`${toolchainFolder}/`));
    if (shown.length === 0) return null;
    const key = JSON.stringify(shown.map(({ source, target }) => [source, target, statSync(source, { throwIfNoEntry: false })?.mtimeMs]));
    const words = (root: string) =>
      shown.flatMap(({ source, target }) => ["--ro-bind-try", source, root + target.slice(toolchainFolder.length)]);
    return await this.#file(key, words, "what the language needs");
  }

  /** The file with built dependencies. Rejects with a {@link SandboxError}. */
  async layer(name: string): Promise<string> {
    const source = this.#layers === undefined ? null : join(this.#layers, basename(name));
    if (source === null || basename(name) !== name || name.startsWith("."))
      throw new SandboxError("tier_unavailable", "the microvm tier has no such built packages");
    return await this.#file(`layer ${name}`, (root) => ["--ro-bind", source, root], "the packages of the program");
  }

  /** Ends what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#files.values());
  }

  async #file(key: string, words: (root: string) => readonly string[], what: string): Promise<string> {
    const known = this.#files.get(key) ?? this.#make(words);
    this.#files.delete(key);
    this.#files.set(key, known);
    this.#makeRoom();
    return await known.catch((error: unknown) => {
      if (this.#files.get(key) === known) this.#files.delete(key);
      throw new SandboxError("sandbox_failed", `${what} could not be shown to a machine`, error);
    });
  }

  async #make(words: (root: string) => readonly string[]): Promise<string> {
    const name = randomBytes(20).toString("hex");
    const file = join(this.folder, name);
    try {
      await makeSquashfs(this.#programs, file, words);
      if (statSync(file).size > driveBytes) throw new Error("it is larger than a drive");
      truncateSync(file, driveBytes);
      chmodSync(file, 0o644); // machines are other users
      return name;
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
  }

  #makeRoom(): void {
    const [oldest] = this.#files;
    if (this.#files.size <= mostFiles || oldest === undefined) return;
    this.#files.delete(oldest[0]);
    oldest[1].then(
      (name) => rmSync(join(this.folder, name), { force: true }),
      () => {},
    );
  }
}
