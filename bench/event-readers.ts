import { fork } from "node:child_process";
import { join } from "node:path";
import type { Address } from "./load.ts";

/**
 * How readers of a stream behave: `steady` ones take what comes; `slow` ones take a piece now and then until it has ended; `leaving` ones go
 * away again and again, and come back for what is after the last event that they have; `silent` ones never read.
 */
export const behaviours = ["steady", "slow", "leaving", "silent"] as const;
export type Behaviour = (typeof behaviours)[number];

/** What a process with readers is to do. */
export interface ReadersPlan extends Address {
  readonly readers: Readonly<Record<Behaviour, number>>;
}

/** What it has seen. */
export interface ReadersReport {
  /** How many readers have read the same, by behaviour and by the number of lines and the hash of all that was read. */
  readonly read: Readonly<Record<string, number>>;
  /** Events that did not have the number after the one before. */
  readonly misplaced: number;
  /** How many events reached a steady reader so many milliseconds after the time that they carry; the last one stands for all that took longer. */
  readonly lagMs: readonly number[];
}

export interface Readers extends Disposable {
  /** All of them have an answer. */
  readonly connected: Promise<void>;
  /** All that read have come to the end. */
  readonly report: Promise<ReadersReport>;
}

/** Starts readers in a process of their own. */
export function startReaders(plan: ReadersPlan): Readers {
  const child = fork(join(import.meta.dirname, "event-readers-process.ts"), [JSON.stringify(plan)]);
  const connected = Promise.withResolvers<void>();
  const report = Promise.withResolvers<ReadersReport>();
  child.on("message", (message: "connected" | ReadersReport) => (message === "connected" ? connected.resolve() : report.resolve(message)));
  child.once("exit", (code, signal) => {
    const error = new Error(`readers ended with ${code ?? signal}`);
    connected.reject(error);
    report.reject(error);
  });
  report.promise.catch(() => {});
  return { connected: connected.promise, report: report.promise, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}
