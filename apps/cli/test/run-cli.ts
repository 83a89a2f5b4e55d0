import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** How a command of the CLI ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; without it stdin is /dev/null. */
  readonly stdin?: string | Buffer;
  readonly cwd?: string;
  /** Called with the process and what it has printed so far, each time it prints. */
  readonly onOutput?: (kill: (signal: NodeJS.Signals) => void, stdout: string, stderr: string) => void;
}

const entry = new URL("../src/main.ts", import.meta.url).pathname;

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "syla-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the CLI as a process of its own, from its sources. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, SYLA_HOME: "/nonexistent/syla", ...options.env };
  const child = spawn(process.execPath, [entry, ...args], {
    env,
    cwd: options.cwd,
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
  const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
    chunks.push(chunk);
    options.onOutput?.((signal) => void child.kill(signal), text(stdout), text(stderr));
  };
  child.stdout?.on("data", collect(stdout));
  child.stderr?.on("data", collect(stderr));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: text(stdout), stderr: text(stderr), stdoutBytes: Buffer.concat(stdout) }));
  });
}
