import { resolve } from "node:path";
import type { Command } from "commander";
import { findRunningServer } from "../local-server/server-file.ts";
import { stopServer } from "../local-server/stop-server.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { parseDuration } from "../runs/parse-flags.ts";
import { defaultDataDir } from "../settings/home.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly dataDir?: string;
  readonly force?: boolean;
  readonly timeout: string;
}

export const downCommand: Command = defineCommand("down", "stop the server of this machine; it ends what it is doing first")
  .option("--data-dir <folder>", "the one that works on this folder ($SYLA_HOME/data)")
  .option("--force", "end it at once; runs in progress are lost")
  .option("-t, --timeout <duration>", "how long to wait for it", "60s")
  .action(async (flags: Flags) => {
    const timeoutMs = parseDuration(flags.timeout);
    const server = findRunningServer(flags.dataDir === undefined ? defaultDataDir(process.env) : resolve(flags.dataDir));
    if (server !== null) {
      const progress = createProgress();
      progress.show("stopping the server …");
      await stopServer(server, { force: flags.force === true, timeoutMs }).finally(progress.clear);
    }
    if (flags.json === true) printJson({ stopped: server !== null, pid: server?.pid ?? null });
    else printLine(server === null ? "No local server was running." : `Stopped (pid ${server.pid}).`);
  });
