import type { TestCheck } from "@syla/contracts/tests";
import type { SandboxLimits, SandboxSpec } from "@syla/sandbox/spec";
import type { Blobs } from "../../platform/blobs.ts";
import type { InstalledRuntime, Runtimes } from "../../runtimes/service.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import type { Compilations } from "../compilations/service.ts";
import { defaultLimits, type RunConfig } from "../config.ts";
import { readFailure } from "../failures/read-failure.ts";
import { inputFiles } from "../input-files.ts";
import { resolveCommand } from "../program-command.ts";
import { runError } from "../verdict.ts";
import type { RunError } from "@syla/contracts/runs";
import { runCase } from "./case-run.ts";

/** What a checker gets to see. */
export interface CheckedOutput {
  readonly input: Buffer;
  readonly output: Buffer;
  readonly expected: Buffer;
}

/** Says why an output is not accepted; null when it is. @throws CheckerError */
export type Checker = (checked: CheckedOutput, signal: AbortSignal) => Promise<string | null>;

/** The checker itself is at fault: no verdict can be given. */
export class CheckerError extends Error {
  override readonly name = "CheckerError";
  readonly error: RunError;

  constructor(message: string, said: string | null = null) {
    super(message);
    this.error = runError("user_code", "checker_failed", { message: said === null ? `${message}.` : `${message}: ${said}` });
  }
}

/** What checkers are made with. */
export interface CheckersContext {
  readonly blobs: Blobs;
  readonly sandboxes: Sandboxes;
  readonly compilations: Compilations;
  readonly runtimes: Runtimes;
}

const limits: SandboxLimits = { ...defaultLimits, wallMs: 20_000, outputBytes: 64 * 1024 };
const messageCharacters = 500;
const paths = { input: "input.txt", output: "output.txt", expected: "expected.txt" };
type Program = Extract<TestCheck, { program: unknown }>["program"];

/** Makes a checker of somebody's program: compiled once, and for each output run in a sandbox of its own. */
export async function openChecker(
  context: CheckersContext,
  { language, code }: Program,
  owner: { readonly ownerId: string; readonly tier: RunConfig["tier"] },
  signal: AbortSignal,
): Promise<Checker> {
  const runtime = context.runtimes.get(language);
  if (runtime.spec === null) throw new CheckerError(`${runtime.definition.title}, the checker's language, is not installed on this server`);
  const entrypoint = runtime.definition.entrypoint;
  const stored = await context.blobs.writeSoon(Buffer.from(code));
  await stored.written;
  const source = [{ path: entrypoint, size: stored.size, sha256: stored.sha256, mode: 0o644 }];
  const compilation = await context.compilations.compile({ ...owner, runtime, entrypoint, files: source, layer: null }, signal);
  if (compilation?.error) throw new CheckerError("The checker could not be compiled", compilation.error.message);
  const files = [...source, ...(compilation?.files ?? [])];
  const command = resolveCommand(compilation?.spec ?? runtime.spec, entrypoint, compilation?.files.map(({ path }) => path) ?? [], limits);
  return async (checked, ended) => {
    const spec = (): SandboxSpec => ({
      tenant: owner.ownerId,
      runtime: command,
      entrypoint,
      args: [paths.input, paths.output, paths.expected],
      env: {},
      stdin: null,
      files: withChecked(context.blobs, files, checked),
      limits,
      artifacts: { maxBytes: 0, maxFiles: 0 },
    });
    const { exit, stdout, stderr } = await runCase(context.sandboxes, owner.tier, spec, ended);
    if (exit.exitCode === 0) return null;
    const said = firstLine(stdout) ?? firstLine(stderr);
    if (exit.exitCode === 1 && stderrIsClean(runtime, stderr)) return said ?? "the checker does not accept it";
    throw new CheckerError(describeFailure(exit.reason, exit.exitCode), lastLine(stderr) ?? said);
  };
}

async function* withChecked(blobs: Blobs, files: RunConfig["files"], checked: CheckedOutput) {
  yield* inputFiles(blobs, files);
  for (const name of ["input", "output", "expected"] as const) yield { path: paths[name], mode: 0o644, content: checked[name] };
}

/** An interpreter that met an error ends with 1 as well, and says so on its error output. */
function stderrIsClean({ definition }: InstalledRuntime, stderr: Buffer): boolean {
  return readFailure(definition, stderr.toString(), undefined) === null;
}

function describeFailure(reason: string | null, exitCode: number | null): string {
  const how = reason === "timeout" ? "ran out of time" : exitCode === null ? "was killed" : `ended with exit code ${exitCode}`;
  return `The checker ${how}`;
}

function firstLine(bytes: Buffer): string | null {
  return linesOf(bytes)[0] ?? null;
}

function lastLine(bytes: Buffer): string | null {
  return linesOf(bytes).at(-1) ?? null;
}

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString()
    .split("\n")
    .map((line) => line.trim().slice(0, messageCharacters))
    .filter((line) => line !== "");
}
