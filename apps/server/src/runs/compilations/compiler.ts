import { SandboxError, type SandboxExit, type SandboxSpec } from "@syla/sandbox/spec";
import type { Sandboxes } from "../../sandboxes/service.ts";

/** What the compiler may print; of more the middle is left out. */
const messageBytes = 64 * 1024;

/** One compilation for a sandbox. */
export interface CompilerJob extends Pick<SandboxSpec, "tenant" | "runtime" | "entrypoint" | "files" | "layers" | "limits" | "artifacts"> {
  readonly tier: string;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/** Takes what a compiler leaves in /output. The agent is not believed: paths are checked. */
export interface OutputCollector {
  begin(path: string): Promise<void>;
  data(chunk: Buffer): Promise<void>;
  skip(path: string, reason: string): void;
  end(): Promise<void>;
  abandon(): Promise<void>;
}

/** What the compiler did. */
export interface CompilerResult {
  readonly exit: SandboxExit;
  readonly messages: string;
}

/** Runs a compiler in a sandbox of its own. @throws SandboxError, AppError `storage_full` */
export async function runCompiler(job: CompilerJob, collector: OutputCollector, sandboxes: Sandboxes): Promise<CompilerResult> {
  const { tier, signal, ...spec } = job;
  const limits = { ...job.limits, outputBytes: messageBytes };
  const run = await sandboxes.start(tier, { ...spec, limits, args: [], env: {}, stdin: null });
  const stop = () => run.cancel(0);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const printed: Buffer[] = [];
  try {
    for await (const event of run.events) {
      if (event.type === "output") printed.push(event.data);
      else if (event.type === "dropped") printed.push(Buffer.from(`\n[${event.bytes} bytes were left out here]\n`));
      else if (event.type === "artifact") await collector.begin(event.path);
      else if (event.type === "artifact-data") await collector.data(event.data);
      else if (event.type === "skipped") collector.skip(event.path, event.reason);
      else if (event.type === "exit") {
        await collector.end();
        return { exit: event, messages: Buffer.concat(printed).toString() };
      }
    }
    throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
  } catch (error) {
    await collector.abandon();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
