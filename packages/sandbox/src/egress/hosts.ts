import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Target } from "./target.ts";

/** A plain HTTP request that a program sent to a name of the host's own. The program is hostile. */
export interface HostCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** With the query. */
  readonly path: string;
  /**
   * Connects to somewhere else on the run's account: it is in the run's log and ends with the run. `isNamed`: the operator named the target, so it
   * may be a private one. Rejects with RefusedError or UnreachableError.
   */
  readonly connect: (target: Target, isNamed: boolean) => Promise<Socket>;
}

/** Names that the host itself answers for, to one run, on port 80. Nothing of them goes out by itself. */
export type HostNames = Readonly<Record<string, (call: HostCall) => void>>;
