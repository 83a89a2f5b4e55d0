import type { Run, RunEvent, Syla } from "@syla/sdk";
import { note, type Progress } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { createOutputWriter, type OutputWriter } from "./output-writer.ts";

interface FollowOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Without it only the end is waited for. */
  readonly print: boolean;
  /** Where its output goes; ours when left out. */
  readonly writers?: Readonly<Record<"stdout" | "stderr", OutputWriter>>;
  /** A server elsewhere may be starting again behind its proxy; the local one comes back soon or on another port. */
  readonly maxReconnects?: number;
}

/** Prints a run's output as it arrives, each stream to its own, and returns the run when it has ended. */
export async function followRun(
  syla: Syla,
  id: string,
  { signal, progress, print, writers = writersOfOurs(), maxReconnects = 8 }: FollowOptions,
): Promise<Run> {
  const onReconnect = () => progress.show("connection lost, trying again …");
  for await (const event of syla.runs.events(id, { signal, maxReconnects, onReconnect })) {
    progress.clear();
    if (event.type === "end") {
      if (print) await finish(syla, event.run, writers, signal);
      return event.run;
    }
    if (event.type === "status") showStatus(event, progress, print);
    else if (event.type === "log" && print)
      await (event.stream === "system" ? note(plainLine(event.text.trim())) : writers[event.stream].write(event.text));
  }
  return syla.runs.get(id, { signal });
}

function writersOfOurs() {
  return { stdout: createOutputWriter(process.stdout), stderr: createOutputWriter(process.stderr) };
}

async function finish(
  syla: Syla,
  run: Run,
  writers: Readonly<Record<"stdout" | "stderr", OutputWriter>>,
  signal: AbortSignal,
): Promise<void> {
  for (const stream of ["stdout", "stderr"] as const)
    await writers[stream].finish(async () => (await syla.runs.log(run.id, { stream }, { signal })).bytes());
}

function showStatus(event: Extract<RunEvent, { type: "status" }>, progress: Progress, print: boolean): void {
  if (event.attempt > 1 && event.status === "starting" && print) note(`the run was lost and starts again (attempt ${event.attempt})`);
  if (event.status === "queued" || event.status === "starting" || event.status === "waiting")
    progress.show(`${(event.phase ?? event.status).replaceAll("_", " ")} …`);
}
