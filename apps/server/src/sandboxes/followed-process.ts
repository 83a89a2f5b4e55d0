import { constants } from "node:os";
import type { SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
import type { ProcessExit, SessionProcess } from "@syla/sandbox/session";
import { Feed } from "./feed.ts";

/** What is kept of a process's output for those who come later, bytes. */
const keptBytes = 256 * 1024;
const signals: Readonly<Record<string, number>> = constants.signals;
const signalNames = new Map(Object.entries(signals).map(([name, number]) => [number, name]));

export function signalNumber(name: string): number {
  return signals[name] ?? 15;
}

export function toExit(exit: ProcessExit): { exitCode: number | null; signal: string | null; timedOut: boolean } {
  return { ...exit, signal: exit.signal === null ? null : (signalNames.get(exit.signal) ?? `SIG${exit.signal}`) };
}

/** A process that goes on whoever listens: its output is read, and the last of it kept. */
export class FollowedProcess {
  readonly process: SessionProcess;
  readonly terminal: boolean;
  readonly ended: Promise<void>;
  readonly #feed = new Feed<SandboxProcessEvent>(keptBytes, (event) => (event.type === "output" ? event.data.length : 0));

  constructor(process: SessionProcess, terminal: boolean) {
    this.process = process;
    this.terminal = terminal;
    this.ended = this.#pump();
  }

  follow(signal: AbortSignal): AsyncGenerator<SandboxProcessEvent, void, void> {
    return this.#feed.follow(signal);
  }

  async #pump(): Promise<void> {
    try {
      for await (const { stream, data } of this.process.output)
        await this.#feed.push({ type: "output", stream, data: data.toString("base64") });
      void this.#feed.push({ type: "exit", ...toExit(await this.process.exit) });
    } catch {
      // the sandbox has ended; whoever follows sees the stream end without an exit
    } finally {
      this.#feed.end();
    }
  }
}
