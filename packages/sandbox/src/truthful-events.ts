import { SandboxError, type EndReason, type SandboxEvent, type SandboxExit } from "./spec.ts";

const sigkill = 9;

/** Why a sandbox ended without a word: by what its program did, or for a reason of its own. Null: nobody knows. */
export type UnsaidEnd = EndReason | SandboxError | null;

/**
 * Where the agent itself ends with a container, its events break off, and whoever had the container says why: what the program did is how that ended,
 * everything else is a failure of the sandbox, by its name.
 */
export async function* truthfulEvents(
  events: AsyncIterable<SandboxEvent>,
  explain: () => Promise<UnsaidEnd> | UnsaidEnd,
): AsyncGenerator<SandboxEvent> {
  let began = performance.now();
  const bytes = { stdout: 0, stderr: 0 };
  let dropped = 0;
  try {
    for await (const event of events) {
      if (event.type === "started") began = performance.now() - event.agoMs;
      else if (event.type === "output") bytes[event.stream] += event.data.length;
      else if (event.type === "dropped") dropped = event.bytes;
      yield event;
    }
  } catch (error) {
    if (!(error instanceof SandboxError) || error.code !== "sandbox_failed") throw error;
    const reason = await explain();
    if (reason === null || reason instanceof SandboxError) throw reason ?? error;
    const exit: SandboxExit = {
      type: "exit",
      exitCode: null,
      signal: sigkill,
      reason,
      outOfMemory: reason === "memory",
      runMs: performance.now() - began,
      cpuMs: 0, // gone with whoever counted it
      peakMemoryBytes: null,
      stdoutBytes: bytes.stdout,
      stderrBytes: bytes.stderr,
      droppedBytes: dropped,
      failure: null,
    };
    yield exit;
  }
}
