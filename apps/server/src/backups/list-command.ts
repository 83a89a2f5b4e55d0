import { parseArgs } from "node:util";
import { loadConfig } from "../config.ts";
import { describeStartFailure } from "../start-failure.ts";
import { listBackups } from "./list.ts";
import { openConfiguredRepository } from "./open.ts";

// Lists the backups of a repository that no server here need know of. Started by `syla backup list --from`, which reads the JSON document.

const { values } = parseArgs({ options: { attached: { type: "boolean" } } });
// Whoever started it holds the other end.
if (values.attached === true) process.stdin.resume().once("end", () => process.exit(1));

try {
  const repository = await openConfiguredRepository(loadConfig(), false);
  process.stdout.write(`${JSON.stringify(await listBackups(repository))}\n`, () => process.exit(0));
} catch (error) {
  const { line, exitCode } = describeStartFailure(error);
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}
