import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeFolder } from "../remove-folder.ts";
import type { Machine } from "./machine.ts";
import type { Snapshot } from "./snapshot.ts";

/** So many kinds of machines are kept, each of some hundred megabytes. */
const mostKept = 8;

interface Kept {
  readonly folder: string;
  readonly snapshot: Snapshot;
}

/**
 * Machines as they were when their sandbox was ready and nothing of anybody had come into it. One of a kind is kept when the first of it has
 * booted; later ones go on from there.
 */
export class KeptMachines {
  readonly #folder: string;
  /** The one that was used longest ago first. */
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Set<string>();
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  find(kind: string): Snapshot | null {
    const kept = this.#kept.get(kind);
    if (kept === undefined) return null;
    this.#kept.delete(kind);
    this.#kept.set(kind, kept);
    return kept.snapshot;
  }

  /** Keeps a machine that has just booted. One that cannot be kept is no worse for it: what it is then is told by whoever uses it. */
  async keep(kind: string, machine: Pick<Machine, "keep">): Promise<void> {
    if (this.#kept.has(kind) || this.#making.has(kind)) return;
    const folder = join(this.#folder, `kept-${this.#made++}`);
    this.#making.add(kind);
    try {
      mkdirSync(folder, { mode: 0o700 });
      this.#kept.set(kind, { folder, snapshot: await machine.keep(folder) });
    } catch {
      await removeFolder(folder);
    } finally {
      this.#making.delete(kind);
    }
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) await this.forget(oldest);
  }

  /** Of a kind that no machine goes on from. */
  async forget(kind: string): Promise<void> {
    const kept = this.#kept.get(kind);
    this.#kept.delete(kind);
    if (kept !== undefined) await removeFolder(kept.folder);
  }
}
