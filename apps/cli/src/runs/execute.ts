import { type Run, type Syla, SylaConnectionError } from "@syla/sdk";
import type { Target } from "../connection.ts";
import type { Progress } from "../output/progress.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { type PreparedRun, sendFiles } from "./build-input.ts";
import type { Cancellation } from "./cancel-on-signals.ts";
import { followRun } from "./follow-run.ts";
import { LostRunError } from "./lost-run-error.ts";
import type { OutputWriter } from "./output-writer.ts";
import { openWritableMounts } from "./writable-mounts.ts";

/** Where a run happens, and what is told of it. */
export interface ExecuteOptions {
  readonly server: Target;
  readonly workspace?: string | undefined;
  readonly writeBack: boolean;
  readonly cancel: Cancellation;
  readonly progress: Progress;
  readonly print: boolean;
  readonly writers?: Readonly<Record<"stdout" | "stderr", OutputWriter>>;
  /** Called when there is a run. */
  readonly onRun?: (id: string) => void;
}

/** Sends a program and sees it through to its end, with its output as it comes. @throws LostRunError when the connection stays away */
export async function execute(syla: Syla, prepared: PreparedRun, options: ExecuteOptions): Promise<Run> {
  const { cancel } = options;
  const mounts = prepared.writable.length === 0 ? null : await openWritableMounts(syla, prepared.writable);
  try {
    const place = mounts === null ? {} : { workspaceId: mounts.workspaceId, writeBack: true };
    const where = mounts === null ? options : { ...options, workspace: undefined };
    const run = await submit(syla, { ...prepared, input: { ...prepared.input, ...place } }, where);
    cancel.watch(run.id);
    options.onRun?.(run.id);
    const ended = await follow(syla, run.id, options);
    await mounts?.bringBack(ended);
    return { ...ended, cached: run.cached, cachedFrom: run.cachedFrom };
  } finally {
    await mounts?.close();
  }
}

/** Sends a program, and does not wait for it. */
export async function submit(
  syla: Syla,
  { input, files }: PreparedRun,
  { server, workspace, writeBack, cancel: { signal } }: Pick<ExecuteOptions, "server" | "workspace" | "writeBack" | "cancel">,
): Promise<Run> {
  const place = workspace === undefined ? {} : { workspaceId: (await findWorkspaceOrCurrent(syla, server.url, workspace)).id };
  const returns = workspace === undefined || writeBack ? {} : { writeBack: false };
  return syla.executions.run({ ...input, ...place, ...returns, files: await sendFiles(syla, files, signal) }, { wait: false, signal });
}

async function follow(syla: Syla, id: string, { server, cancel, progress, print, writers }: ExecuteOptions): Promise<Run> {
  const how = { signal: cancel.signal, progress, print, maxReconnects: server.source === "local" ? 5 : 8 };
  return await followRun(syla, id, { ...how, ...(writers !== undefined && { writers }) }).catch((error: unknown) => {
    throw error instanceof SylaConnectionError ? new LostRunError(id, error) : error;
  });
}
