import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { AppError } from "@syla/contracts/errors";

/** The right to write into a data directory, held until `release` or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the one-writer lock. The kernel ties it to the open file, so a killed server leaves no stale lock: `flock(1)` locks the
 * descriptor that it inherits from us, and ours keeps the lock after it has exited.
 *
 * @throws AppError `data_dir_in_use`, naming the process that holds it
 */
export function lockDirectory(lockFile: string): DirectoryLock {
  const fd = openSync(lockFile, "a+", 0o600);
  const result = spawnSync("flock", ["--nonblock", "3"], { stdio: ["ignore", "ignore", "pipe", fd] });
  if (result.error !== undefined) {
    closeSync(fd);
    throw new AppError("data_dir_unusable", {
      message: "The program `flock` is missing.",
      hint: "Install the package `util-linux`.",
      cause: result.error,
    });
  }
  if (result.status !== 0) {
    closeSync(fd);
    const pid = readFileSync(lockFile, "utf8").trim() || "unknown";
    throw new AppError("data_dir_in_use", {
      message: `Another server (pid ${pid}) uses the data directory of ${lockFile}.`,
      details: { pid },
    });
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return { release: () => closeSync(fd) };
}
