import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createServer } from "node:net";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** Whether the tests with Redis can run here; `npm test` says how to get it. */
export const hasRedis: boolean = spawnSync("redis-server", ["--version"]).status === 0;

/** A Redis server of the test's own, on loopback, with nothing in it. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Kills it. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
}

/** Starts the system's `redis-server`. */
export async function startTestRedis(): Promise<TestRedis> {
  const directory = createTemporaryDirectory();
  const port = await findFreePort();
  const start = async () => {
    const words = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory.path];
    const child = spawn("redis-server", words, { stdio: "ignore" });
    const failed = new Promise<never>((_resolve, reject) => child.once("error", reject));
    failed.catch(() => {});
    await Promise.race([failed, untilListening(port)]);
    return child;
  };
  let child = await start();
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      directory[Symbol.dispose]();
    },
  };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 200; tries > 0; tries -= 1) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      setTimeout(() => socket.destroy(), 50);
    });
    if (answered) return;
    await sleep(25);
  }
  throw new Error("redis-server does not listen");
}
