import type { SandboxRun } from "@syla/sandbox/spec";

/**
 * The sandbox that is being started, or the reason for which it is not wanted any more: one that comes after that must refuse to begin, and is given back
 * by that. `hasBegun`: the program may be running, so there is something to wait for.
 */
export async function awaitSandbox(starting: Promise<SandboxRun>, signal: AbortSignal, hasBegun: () => boolean): Promise<SandboxRun> {
  const unwanted = Promise.withResolvers<never>();
  const giveUp = () => (hasBegun() ? undefined : unwanted.reject(signal.reason));
  signal.addEventListener("abort", giveUp);
  try {
    if (signal.aborted) giveUp();
    return await Promise.race([starting, unwanted.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
    starting.catch(() => {}); // told here, where anybody waits for it
  }
}
