import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address, Target } from "./load.ts";

/** The servers that are measured: ours with data of its own, and the throw-away one. */

const root = join(import.meta.dirname, "..");
/** Away from folders where files come and go: ext4 is slow where many were just deleted. */
const folder = join(root, ".build");

export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** Where a browser makes the first person. */
  readonly setupUrl: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A program whose like was not there before. */
export function programFor(text: string): string {
  return `print(${JSON.stringify(text)})`;
}

/** Starts our server with an empty data directory. */
export async function startOurs(variables: Readonly<Record<string, string>> = {}): Promise<Server> {
  const data = mkdtempSync(join(folder, "bench-"));
  const env = { ...process.env, SYLA_DATA_DIR: data, SYLA_PORT: "0", SYLA_LOG_LEVEL: "warn", ...variables };
  const child = spawn(process.execPath, [join(root, "apps/server/src/main.ts")], { env, stdio: ["ignore", "inherit", "inherit"] });
  const state = await waitFor(
    () => JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string; pid: number; setupUrl: string },
  ).catch((error: unknown) => {
    child.kill("SIGTERM");
    throw error;
  });
  return {
    pid: state.pid,
    setupUrl: state.setupUrl,
    port: Number(new URL(state.url).port),
    headers: { authorization: `Bearer ${readFileSync(join(data, "cli.key"), "utf8").trim()}` },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Fresh executions of our server: no two programs are the same. */
export function freshTarget({ port, headers }: Server): Target {
  const body = (text: string) => JSON.stringify({ language: "python", code: programFor(text) });
  return { name: "syla", port, path: "/api/v1/executions?wait=true", headers, body };
}

/** The throw-away HTTP server in front of two agents in bubblewrap jails. */
export async function startReference(): Promise<Target & Disposable> {
  const { child, port } = await startScript("server.ts");
  const body = (text: string) => JSON.stringify({ code: programFor(text) });
  return { name: "reference", port, path: "/", headers: {}, body, [Symbol.dispose]: () => void child.kill() };
}

/** A route that reads and validates what a submission is, and does nothing. */
export async function startEmptyRoute(): Promise<Address & Disposable> {
  const { child, port } = await startScript("empty-route.ts", "key");
  const headers = { authorization: "Bearer key" };
  return { port, path: "/api/v1/empty?wait=true", headers, [Symbol.dispose]: () => void child.kill() };
}

/** Sends events to whoever asks, once it is told to begin. */
export async function startEventSource(): Promise<
  Address & Disposable & { readonly pid: number; begin(linesPerSecond: number, seconds: number): void }
> {
  const { child, port } = await startScript("event-source.ts");
  return {
    port,
    path: "/",
    headers: {},
    pid: child.pid ?? 0,
    begin: (linesPerSecond, seconds) => void child.stdin?.write(`${linesPerSecond} ${seconds}\n`),
    [Symbol.dispose]: () => void child.kill(),
  };
}

/** Starts a program of `reference/` that prints its port. */
async function startScript(name: string, ...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(root, "bench/reference", name), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  return { child, port: await new Promise<number>((resolve) => lines.once("line", (line) => resolve(Number(line)))) };
}

async function waitFor<T>(probe: () => T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return probe();
    } catch (error) {
      if (tries > 1200) throw error;
      await sleep(100);
    }
  }
}
