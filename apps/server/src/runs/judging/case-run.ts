import { SandboxError, type EffectiveLimits, type SandboxExit, type SandboxSpec } from "@syla/sandbox/spec";
import type { Sandboxes } from "../../sandboxes/service.ts";
import { awaitSandbox } from "../await-sandbox.ts";

const tailBytes = 8 * 1024;
/** How often a sandbox is asked for that could not do its part: a case has no effect outside, so it may run again. */
const attempts = 3;

/** What one program did in one sandbox, in memory. */
export interface CaseRun {
  readonly exit: SandboxExit;
  readonly limits: EffectiveLimits;
  readonly walls: readonly string[];
  readonly stdout: Buffer;
  /** The middle of its output was left out. */
  readonly cut: boolean;
  readonly stderr: Buffer;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Runs a program to its end and keeps all that it gives. `spec` is asked for each attempt. `onStarted` is told when it first runs. @throws SandboxError, the signal's reason */
export async function runCase(
  sandboxes: Sandboxes,
  tier: string,
  spec: () => SandboxSpec,
  signal: AbortSignal,
  onStarted: (agoMs: number) => void = () => {},
): Promise<CaseRun> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await runOnce(sandboxes, tier, spec, signal, onStarted);
    } catch (error) {
      if (left === 1 || signal.aborted || !(error instanceof SandboxError) || error.code === "tier_unavailable") throw error;
    }
  }
}

async function runOnce(
  sandboxes: Sandboxes,
  tier: string,
  spec: () => SandboxSpec,
  signal: AbortSignal,
  onStarted: (agoMs: number) => void,
): Promise<CaseRun> {
  signal.throwIfAborted();
  const wish = spec();
  let hasBegun = false;
  const begin = async () => {
    signal.throwIfAborted();
    hasBegun = true;
    await wish.begin?.();
  };
  const run = await awaitSandbox(sandboxes.start(tier, { ...wish, begin }), signal, () => hasBegun);
  const cancel = () => run.cancel(0);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  const output = { stdout: [] as Buffer[], stderr: Buffer.alloc(0) };
  const files = new Map<string, Buffer[]>();
  let [current, cut]: [Buffer[], boolean] = [[], false];
  try {
    for await (const event of run.events) {
      if (event.type === "started") onStarted(event.agoMs);
      else if (event.type === "dropped") cut = true;
      else if (event.type === "artifact") files.set(event.path, (current = []));
      else if (event.type === "artifact-data") current.push(event.data);
      else if (event.type === "output" && event.stream === "stdout") output.stdout.push(event.data);
      else if (event.type === "output") output.stderr = Buffer.concat([output.stderr, event.data]).subarray(-tailBytes);
      else if (event.type === "exit") {
        signal.throwIfAborted();
        const contents = new Map([...files].map(([path, parts]) => [path, Buffer.concat(parts)]));
        return {
          exit: event,
          limits: run.limits,
          walls: run.walls,
          stdout: Buffer.concat(output.stdout),
          cut,
          stderr: output.stderr,
          files: contents,
        };
      }
    }
    throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
