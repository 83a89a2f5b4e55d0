import { SandboxError, type SandboxEvent, type SandboxExit } from "../spec.ts";
import { errorOfEnd, type Pod } from "./pod.ts";

/**
 * Where the events of a run break off, its pod says why: what its program did is how that ended, everything else is a failure of the sandbox, by its name.
 */
export async function* truthfulEvents(events: AsyncIterable<SandboxEvent>, pod: Pick<Pod, "explainEnd">): AsyncGenerator<SandboxEvent> {
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
    const end = await pod.explainEnd();
    const reason = end === null ? undefined : programsDoing[end.cause];
    if (end === null) throw error;
    if (reason === undefined) throw errorOfEnd(end.cause, end.message);
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

const sigkill = 9;
const programsDoing: Readonly<Record<string, SandboxExit["reason"] | undefined>> = { memory: "memory", disk: "disk", deadline: "timeout" };
