import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCache } from "@syla/testkit/compile-cache";
import { inject, onTestFinished } from "vitest";

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

/** The CLI as people run it, in one file: its sources take twice as long to start. The first test of a test run that needs it makes it. */
export const cliEntry = bundle(join(inject("runFolder"), "syla.mjs"));

function bundle(target: string): string {
  const build = join(import.meta.dirname, "../../../tools/build-cli.mjs");
  if (!existsSync(target)) execFileSync(process.execPath, [build, target]);
  return target;
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "syla-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Named, so that no test fetches one; the tests that do leave it out. */
const uv = join(import.meta.dirname, "../../../.build/runtimes/uv/uv");

/** Runs the CLI as a process of its own. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...compileCache, SYLA_HOME: "/nonexistent/syla", SYLA_UV: uv, ...options.env };
  const child = spawn(process.execPath, ["--", cliEntry, ...args], {
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
