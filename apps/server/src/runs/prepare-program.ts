import type { RunError } from "@syla/contracts/runs";
import { SandboxError, type RuntimeSpec, type SandboxLimits } from "@syla/sandbox/spec";
import type { Attempt } from "./execution.ts";
import type { Compilation, Compilations } from "./compilations/service.ts";
import { defaultLimits, type RunConfig } from "./config.ts";
import { resolveCommand } from "./program-command.ts";

/** A program that can be put into a sandbox: compiled, where its language wants that. */
export interface PreparedProgram {
  /** Why it cannot be run; null when it can. */
  readonly error: RunError | null;
  readonly compilation: Compilation | null;
  /** Its own files, and what was compiled. */
  readonly files: RunConfig["files"];
  /** The runtime with the command for a run under these limits. */
  readonly runtime: (limits: SandboxLimits) => RuntimeSpec;
}

/**
 * Makes of the source what is to be run. What the compiler says belongs to the run's log.
 *
 * @throws SandboxError, AppError `storage_full`, the signal's reason
 */
export async function prepareProgram(attempt: Attempt, compilations: Compilations, signal: AbortSignal): Promise<PreparedProgram> {
  const { runtime, ownerId, entrypoint, config, live, number, onCompiling } = attempt;
  const { spec } = runtime;
  if (spec === null) throw new SandboxError("tier_unavailable", `the runtime ${runtime.definition.name} is not installed`);
  const onStart = () => {
    onCompiling();
    live.status("starting", "compiling", number);
  };
  const request = { ownerId, runtime, entrypoint, files: config.files, tier: config.tier };
  const compilation = await compilations.compile(request, signal, onStart);
  if (compilation !== null) {
    if (compilation.messages !== "") live.output("stderr", Buffer.from(compilation.messages));
    live.forgetTail();
  }
  const compiled = compilation?.files ?? [];
  const paths = compiled.map(({ path }) => path);
  return {
    error: compilation?.error ?? null,
    compilation,
    files: [...config.files, ...compiled],
    runtime: (limits) => resolveCommand(compilation?.spec ?? spec, entrypoint, paths, limits),
  };
}

/** The limits of a run: what it asked for, and the defaults. */
export function limitsOf(wished: RunConfig["limits"]): SandboxLimits {
  const given = Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined));
  return { ...defaultLimits, ...given };
}
