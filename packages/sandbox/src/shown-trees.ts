import { randomBytes } from "node:crypto";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { SandboxConnection } from "./connection.ts";
import type { InputEntry, InputFile, InputTree, SandboxSpec, TierReport } from "./spec.ts";

/** A machine that has refused to show a tree is asked again after so long. */
const againMs = 60_000;
const nameBytes = 20;

/** What sandboxes begin with: trees that lie ready are shown to them, and where the machine refuses that, their files are put in one by one. */
export class ShownTrees {
  readonly #folder: string | undefined;
  /** Why this machine shows none, and since when, milliseconds; null as long as it is not known to refuse it. */
  #refused: { readonly reason: string; readonly since: number } | null = null;

  /** `folder` holds the trees, a folder each; undefined: there are none. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Tries it, with a tree of no files. The sandbox ends with that. */
  async try(connection: SandboxConnection): Promise<void> {
    if (this.#folder === undefined) return;
    const name = randomBytes(nameBytes).toString("hex");
    mkdirSync(join(this.#folder, name), { mode: 0o755 });
    try {
      await this.#mount(connection, { layers: [name], gone: [] });
    } finally {
      connection.close();
      rmdirSync(join(this.#folder, name));
    }
  }

  report(): TierReport["files"] {
    const reason = this.#folder === undefined ? "there is no folder for trees" : (this.#refused?.reason ?? null);
    return { by: reason === null ? "overlay" : "copies", reason };
  }

  /** Everything that a sandbox begins with. */
  async putFiles(connection: SandboxConnection, { tree, files }: Pick<SandboxSpec, "tree" | "files">): Promise<void> {
    if (tree === undefined || (await this.#show(connection, tree))) return await connection.sendFiles(files);
    const own = await Array.fromAsync(files as AsyncIterable<InputEntry>); // in place of those of the tree
    const paths = new Set(own.map(({ path }) => path));
    await connection.sendFiles(except(tree.files(), paths));
    await connection.sendFiles(own);
  }

  async #show(connection: SandboxConnection, tree: InputTree): Promise<boolean> {
    const isRefused = this.#refused !== null && performance.now() - this.#refused.since < againMs;
    return this.#folder !== undefined && !isRefused && (await this.#mount(connection, tree));
  }

  async #mount(connection: SandboxConnection, tree: Pick<InputTree, "layers" | "gone">): Promise<boolean> {
    const reason = await connection.mount(tree);
    this.#refused = reason === null ? null : { reason, since: performance.now() };
    return reason === null;
  }
}

async function* except(files: AsyncIterable<InputFile>, paths: ReadonlySet<string>): AsyncGenerator<InputFile> {
  for await (const file of files) if (!paths.has(file.path)) yield file;
}
