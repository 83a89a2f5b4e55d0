import { hash } from "node:crypto";
import { z } from "zod";

/** Where a run belongs in the trace of who asked for it, as it is stored with the run. */
export const TraceOrigin = z.object({
  /** Of the request's `traceparent`; null: the run has a trace of its own. */
  traceId: z.string().nullable(),
  /** The caller's span. */
  parentId: z.string().nullable(),
  /** From the request's arrival until the run was made of it. */
  requestMs: z.number().nullable(),
});
export type TraceOrigin = z.infer<typeof TraceOrigin>;

/** Ids follow from the run's: nothing has to be kept, and every process knows the same ones. */
export function traceIdOfRun(runId: string, origin: TraceOrigin | null): string {
  return origin?.traceId ?? hash("sha256", `trace ${runId}`).slice(0, 32);
}

/** `part`: what tells a span of the run from its other ones. */
export function spanIdOf(runId: string, part: string): string {
  return hash("sha256", `span ${runId} ${part}`).slice(0, 16);
}

export function executionPart(attempt: number): string {
  return `execution ${attempt}`;
}

/** What tells the program in which span it runs. Source: W3C Trace Context. */
export function traceEnvironment(runId: string, origin: TraceOrigin | null, attempt: number): Record<string, string> {
  return { TRACEPARENT: `00-${traceIdOfRun(runId, origin)}-${spanIdOf(runId, executionPart(attempt))}-01` };
}
