import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compileCache } from "./compile-cache.ts";
import { findProcesses } from "./processes.ts";

const main = join(import.meta.dirname, "../../../apps/server/src/main.ts");

/** A server as a process of its own, for tests that kill it. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** Everything written so far. */
  output(): string;
  /** The address, as soon as the server answers. Rejects when the process ends before. */
  ready(): Promise<string>;
  /** Exit code, or null after a signal. */
  exited(): Promise<number | null>;
  /** SIGKILLs the process unless it has ended, and waits for what it leaves. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the server with the given variables and nothing else of this process's environment but PATH; as root, also as another user. */
export function spawnServer(
  dataDir: string,
  variables: Readonly<Record<string, string>> = {},
  user: { uid?: number; gid?: number } = {},
): ServerProcess {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"], ...compileCache, SYLA_DATA_DIR: dataDir, SYLA_PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    output: () => text,
    exited: () => exit,
    async ready() {
      const file = join(dataDir, "server.json");
      for (;;) {
        if (hasEnded()) throw new Error(`the server ended: ${text}`);
        const state = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { pid: number; url: string }) : undefined;
        if (state?.pid === child.pid && state !== undefined) return state.url;
        await sleep(20);
      }
    },
    async [Symbol.asyncDispose]() {
      if (hasEnded()) return;
      child.kill("SIGKILL");
      await exit;
      // Its PostgreSQL ends a moment later, and still writes into the directory that the test removes next.
      if (dataDir === "") return;
      while (findProcesses(dataDir).length > 0) await sleep(20);
    },
  };
}
