import { execFile } from "node:child_process";
import { createWriteStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { listenInFolder } from "../listen-in-folder.ts";
import { SandboxError } from "../spec.ts";
import type { Qmp } from "./qmp.ts";

const run = promisify(execFile);
/** The disk that a machine may write to, in its folder. */
export const scratchName = "scratch";
const socketName = "state.sock";
const pollMs = 20;
/** More than any bus moves in a second: nobody else needs it meanwhile. */
const bytesPerSecond = 2 ** 40;
const Progress = z.object({ status: z.string().optional(), "error-desc": z.string().optional() });

/** A machine as it was before anything of a run came into it. */
export interface Snapshot {
  /** What a monitor goes on from. */
  readonly state: string;
  /** Of the guest, where it is a file of its own. */
  readonly memory?: string;
  readonly scratch: string;
}

/**
 * Takes a snapshot of a machine into `target`, and lets it go on. `folder` is the machine's, and `uid` its user's. What is written there is never
 * written to again: each machine that goes on from it has its own copy.
 *
 * @throws SandboxError
 */
export async function takeSnapshot(monitor: Qmp, folder: string, uid: number | null, target: string): Promise<Snapshot> {
  const snapshot = { state: join(target, "state"), scratch: join(target, scratchName) };
  const written = Promise.withResolvers<void>();
  written.promise.catch(() => {});
  const server = listenInFolder(folder, socketName, uid, (socket) => {
    server.close();
    pipeline(socket, createWriteStream(snapshot.state, { mode: 0o600 })).then(written.resolve, written.reject);
  });
  try {
    await monitor.execute("migrate-set-parameters", { "max-bandwidth": bytesPerSecond });
    await monitor.execute("migrate", { uri: `unix:/machine/${socketName}` });
    await isDone(monitor);
    await written.promise;
    await copySparse(join(folder, scratchName), snapshot.scratch);
    return snapshot;
  } finally {
    await monitor.execute("cont").catch(() => {}); // one that does not go on is found out by whoever wants it to do something
    server.close();
    rmSync(join(folder, socketName), { force: true });
  }
}

/** Of a file that is mostly empty. */
export async function copySparse(source: string, target: string): Promise<void> {
  await run("cp", ["--sparse=always", "--reflink=auto", "--", source, target]);
}

async function isDone(monitor: Qmp): Promise<void> {
  for (;;) {
    const { status, "error-desc": error } = Progress.parse(await monitor.execute("query-migrate"));
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled")
      throw new SandboxError("sandbox_failed", `QEMU took no snapshot: ${error ?? status}`);
    await sleep(pollMs);
  }
}
