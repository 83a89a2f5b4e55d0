import type { Runtime } from "@syla/contracts/runtimes";
import type { CallOptions, Transport } from "./transport.ts";

/** The languages of a server. */
export interface Runtimes {
  list(options?: CallOptions): Promise<readonly Runtime[]>;
}

export function createRuntimes(transport: Transport): Runtimes {
  return { list: async (options = {}) => (await transport.json("listRuntimes", options)).items };
}
