import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../cli-error.ts";
import { isServerProcess, type ServerFile } from "./server-file.ts";

/** Asks a server to end what it is doing and to stop; waits until it has. With `force`, ends it at once. */
export async function stopServer(server: ServerFile, options: { force: boolean; timeoutMs: number }): Promise<void> {
  signal(server.pid, options.force ? "SIGKILL" : "SIGTERM");
  const deadline = performance.now() + options.timeoutMs;
  while (isServerProcess(server.pid)) {
    if (performance.now() > deadline) {
      const hint = "Wait and look at `syla server logs`, or end it at once with `syla down --force` (runs in progress are lost).";
      throw new CliError(`The server (pid ${server.pid}) has not stopped within ${options.timeoutMs / 1000} s.`, {
        code: "server_stop_timeout",
        exit: "try_later",
        hint,
      });
    }
    await sleep(20);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return;
    const hint = "Use the account that started it.";
    throw new CliError(`The server (pid ${pid}) cannot be stopped: ${(error as Error).message}.`, {
      code: "server_stop_failed",
      exit: "no_permission",
      hint,
      cause: error,
    });
  }
}
