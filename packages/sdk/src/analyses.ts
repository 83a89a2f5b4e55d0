import type { Analysis } from "@syla/contracts/analysis";
import type { FileInput } from "@syla/contracts/runs";
import type { CallOptions, Transport } from "./transport.ts";

/** What a tree of files is, told without running any of it. */
export interface Analyses {
  /**
   * Entrypoints, dependencies, slots, uses of mellea, and what is wrong. Waits for the result; an equal tree is answered at once. Files
   * of more than a few hundred kilobytes are better uploaded first (`blobs.upload`) and named by their hash.
   */
  create(files: readonly FileInput[], options?: CallOptions): Promise<Analysis>;
  /** What an analysis told, by the id of its run. */
  get(runId: string, options?: CallOptions): Promise<Analysis>;
}

export function createAnalyses(transport: Transport): Analyses {
  return {
    create: (files, options = {}) =>
      transport.json("createAnalysis", { timeoutMs: 0, ...options, body: { files: [...files] }, repeatable: true }),
    get: (id, options = {}) => transport.json("getAnalysis", { ...options, params: { id } }),
  };
}
