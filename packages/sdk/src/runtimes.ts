import type { RunOptions, Runtime } from "@syla/contracts/runtimes";
import type { CallOptions, Transport } from "./transport.ts";

/** The languages of a server. */
export interface Runtimes {
  list(options?: CallOptions): Promise<readonly Runtime[]>;
  /** What else runs and sandboxes may ask for: tiers, and sizes. */
  options(options?: CallOptions): Promise<RunOptions>;
}

export function createRuntimes(transport: Transport): Runtimes {
  return {
    list: async (options = {}) => (await transport.json("listRuntimes", options)).items,
    options: (options = {}) => transport.json("getRunOptions", options),
  };
}
