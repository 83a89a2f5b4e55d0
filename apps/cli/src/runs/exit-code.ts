import { constants } from "node:os";
import type { Run } from "@syla/sdk";
import { exitCodes } from "../cli-error.ts";

/**
 * What `syla exec` exits with once the run has ended: the program's own code, 124 for a timeout (as timeout(1)), 128+n for a
 * signal (as shells), and the codes of docs/cli.md for what was not the program's doing.
 */
export function exitCodeOfRun(run: Pick<Run, "status" | "exitCode" | "signal" | "error">): number {
  if (run.status === "timed_out") return 124;
  if (run.status === "cancelled") return 130;
  if (run.error?.class === "infrastructure") return run.error.code === "no_capacity" ? exitCodes.try_later : exitCodes.internal;
  if (run.error?.class === "denied") return exitCodes.no_permission;
  if (run.signal !== null) return 128 + signalNumber(run.signal);
  if (run.exitCode !== null) return run.exitCode;
  return run.status === "succeeded" ? 0 : run.error?.code === "out_of_memory" ? 137 : 1;
}

function signalNumber(name: string): number {
  const numbers = new Map(Object.entries(constants.signals));
  return numbers.get(name) ?? numbers.get(`SIG${name}`) ?? (/^\d{1,2}$/.test(name) ? Number(name) : 0);
}
