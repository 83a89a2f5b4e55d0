import { parseArgs } from "node:util";
import { loadConfig } from "../config.ts";
import { createLogger } from "../platform/logger.ts";
import { describeStartFailure } from "../start-failure.ts";
import { restoreInstallation, type RestoreReport } from "./restore.ts";

// Restores a backup while no server runs. Started by `syla backup restore`, which reads one JSON document a line.

const progressMs = 500;

const { values } = parseArgs({
  options: {
    attached: { type: "boolean" },
    id: { type: "string" },
    "to-time": { type: "string" },
    replace: { type: "boolean" },
    "content-from": { type: "string" },
    "leave-damaged": { type: "boolean" },
  },
});
// Whoever started it holds the other end, and is gone when it ends: a restore that nobody follows would only hold the lock.
if (values.attached === true) process.stdin.resume().once("end", () => process.exit(1));

let told = 0;
const say = (report: RestoreReport) => process.stdout.write(`${JSON.stringify(report)}\n`);

try {
  const toTime = values["to-time"];
  const wish = {
    id: values.id,
    toTime: toTime === undefined ? undefined : toTime === "latest" ? ("latest" as const) : new Date(toTime),
    replace: values.replace === true,
    contentFrom: values["content-from"],
    leaveDamaged: values["leave-damaged"] === true,
  };
  say(
    await restoreInstallation(loadConfig(), wish, createLogger("silent"), (report) => {
      if (Date.now() - told < progressMs) return;
      told = Date.now();
      say(report);
    }),
  );
  process.exit(0);
} catch (error) {
  const { line, exitCode } = describeStartFailure(error);
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}
