import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { get, percentile, post } from "./load.ts";
import { startOurs } from "./servers.ts";

/**
 * The first run of a language, over HTTP from request to answer, against a bare jail with the interpreter. Each round has a server of its
 * own, which is up and at rest and whose languages nobody has used; the bare jail is measured right before and after each run.
 */

interface Language {
  readonly name: string;
  readonly what: string;
  readonly code: string;
  readonly bare: readonly string[];
}

const languages: readonly Language[] = [
  { name: "bash", what: "first run of a server, nothing served before (bash)", code: "echo hello", bare: ["bash", "-c"] },
  { name: "lua", what: "first run of a runtime, nothing of it warm (lua)", code: 'print("hello")', bare: ["lua", "-e"] },
  { name: "php", what: "the same, with a toolchain that is mounted (php)", code: '<?php echo "hello\\n";', bare: ["php", "-r"] },
  { name: "python", what: "first run of a tenant (python)", code: 'print("hello")', bare: ["python3", "-c"] },
];
const restMs = 3000;

/** Medians in milliseconds, of the languages that are installed. */
export interface FirstRun {
  readonly what: string;
  readonly ours: number;
  readonly bare: number;
}

export async function measureFirstRuns(rounds: number): Promise<FirstRun[]> {
  const installed = languages.filter((language) => spawnSync(language.bare[0] ?? "", ["--version"]).error === undefined);
  const samples = installed.map(({ what }) => ({ what, ours: [] as number[], bare: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    await using server = await startOurs();
    // The sockets of both sides, and who asks.
    for (let count = 0; count < 20; count += 1) await get({ ...server, path: "/api/v1/server" });
    for (const [index, language] of installed.entries()) {
      await sleep(restMs);
      const sample = samples[index];
      sample?.bare.push(runBare(language));
      sample?.ours.push(await runOurs(server, language));
      sample?.bare.push(runBare(language));
    }
  }
  return samples.map(({ what, ours, bare }) => ({ what, ours: percentile(ours, 0.5), bare: percentile(bare, 0.5) }));
}

async function runOurs(server: { port: number; headers: Readonly<Record<string, string>> }, { name, code }: Language): Promise<number> {
  const began = performance.now();
  const { status, body } = await post({ ...server, path: "/api/v1/executions?wait=true" }, JSON.stringify({ language: name, code }));
  if (status !== 200 || !body.includes('"hello\\n"')) throw new Error(`the first run of ${name} answered ${status}: ${body.slice(0, 500)}`);
  return performance.now() - began;
}

/** Standard input is no socket: Bash would take itself for a remote shell and read its start-up files. */
function runBare({ name, code, bare }: Language): number {
  const words = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", ...bare, code.replace(/^<\?php /, "")];
  const began = performance.now();
  const { status } = spawnSync("bwrap", words, { cwd: "/", env: { PATH: "/usr/bin:/bin" }, stdio: ["ignore", "pipe", "pipe"] });
  if (status !== 0) throw new Error(`a bare jail with ${name} ended with ${status}`);
  return performance.now() - began;
}
