import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";

/**
 * Runs `action` while no other process starts a server on this data directory; waits for its turn. The kernel ties the lock to
 * our open file, so that a killed process leaves none behind: `flock(1)` locks the descriptor that it inherits.
 */
export async function withStartLock<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const fd = openSync(join(dataDir, "start.lock"), "a", 0o600);
  try {
    await lockDescriptor(fd);
    return await action();
  } finally {
    closeSync(fd);
  }
}

function lockDescriptor(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["--timeout", "120", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    const fail = (why: string, cause?: unknown) =>
      reject(
        new CliError(`The local server could not be started: ${why}.`, {
          code: "server_start_failed",
          exit: "unavailable",
          hint: "`syla server logs` shows its log.",
          cause,
        }),
      );
    child.on("error", (cause) => fail("the program `flock` (package util-linux) is missing", cause));
    child.on("exit", (code) => (code === 0 ? resolve() : fail("another start of it has not ended within two minutes")));
  });
}
