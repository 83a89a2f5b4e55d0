import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { workOffline } from "../local-server/offline-work.ts";
import { printJson, printLine } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { defaultDataDir, sylaHome } from "../settings/home.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly dataDir?: string;
  readonly verify?: boolean;
  readonly leaveDamaged?: boolean;
}

interface MoveLine {
  readonly done: boolean;
  readonly blobs: number;
  readonly bytes: number;
  readonly copied: number;
  readonly damaged: readonly string[];
  readonly moved?: boolean;
  readonly from?: string;
  readonly to?: string;
}

const entry = "apps/server/src/storage/move-command.ts";

export const storageMoveCommand: Command = defineCommand(
  "move",
  "move all content to the store that SYLA_STORAGE names; while the server is stopped. Cut off, it goes on where it stopped",
)
  .option("--verify", "read every copy back")
  .option("--leave-damaged", "change over although some content is damaged, and stays where it is")
  .option("--data-dir <folder>", "of the server that works on this folder ($SYLA_HOME/data)")
  .action(move);

async function move(flags: Flags): Promise<void> {
  const dataDir = flags.dataDir === undefined ? defaultDataDir(process.env) : resolve(flags.dataDir);
  const words = [...(flags.verify === true ? ["--verify"] : []), ...(flags.leaveDamaged === true ? ["--leave-damaged"] : [])];
  const env = { ...process.env, SYLA_HOME: sylaHome(process.env), SYLA_DATA_DIR: dataDir };
  const failure = { code: "storage_move_failed", hint: "Nothing was lost. The same command goes on where it stopped." };
  const progress = createProgress();
  const { last } = await workOffline<MoveLine>({ entry, words, env, dataDir, failure }, ({ blobs, bytes }) =>
    progress.show(`moving: ${blobs} blobs, ${formatBytes(bytes)} …`),
  ).finally(() => progress.clear());
  if (!last.done) throw new CliError("The move was cut off.", { ...failure, exit: "internal" });
  if (flags.json === true) printJson(last);
  else printLine(describe(last));
  if (last.moved === true) return;
  const hint = "`syla server storage repair` may restore it; --leave-damaged changes over without it.";
  throw new CliError(
    `${last.damaged.length} blobs are damaged: ${last.damaged.slice(0, 5).join(", ")}. The server goes on with the old store.`,
    {
      code: "storage_damaged",
      exit: "invalid_request",
      hint,
    },
  );
}

function describe({ blobs, bytes, copied, from = "", to = "" }: MoveLine): string {
  if (from === to) return `All content is in ${plainLine(to)} already.`;
  return `${blobs} blobs, ${formatBytes(bytes)}, are in ${plainLine(to)} (${copied} copied now). What was in ${plainLine(from)} is still there.`;
}
