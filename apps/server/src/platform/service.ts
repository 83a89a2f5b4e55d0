/**
 * A long-lived part of the server.
 *
 * `run` resolves when the part has ended after `stop` or `drain`; when it rejects, the server goes down with that error.
 * `drain` takes no new work and resolves when the work in hand is done. `stop` ends at once; it may follow `drain`.
 */
export interface Service {
  readonly name: string;
  run(): Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}
