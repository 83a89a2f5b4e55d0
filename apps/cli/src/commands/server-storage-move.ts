import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { CliError, exitCodes, type ExitReason } from "../cli-error.ts";
import { installationRoot } from "../local-server/installation.ts";
import { findRunningServer } from "../local-server/server-file.ts";
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
  if (findRunningServer(dataDir) !== null)
    throw new CliError("The server is running.", { code: "data_dir_in_use", exit: "try_later", hint: "Stop it with `syla down` first." });
  const file = join(installationRoot(), entry);
  if (!existsSync(file))
    throw new CliError("There is no server in this installation.", {
      code: "server_missing",
      exit: "unavailable",
      hint: "Use ./syla from its folder.",
    });
  const words = ["--attached", ...(flags.verify === true ? ["--verify"] : []), ...(flags.leaveDamaged === true ? ["--leave-damaged"] : [])];
  const env = { ...process.env, SYLA_HOME: sylaHome(process.env), SYLA_DATA_DIR: dataDir };
  const child = spawn(process.execPath, [file, ...words], { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const last = await follow(createInterface({ input: child.stdout }));
  const code = await ended;
  if (last?.done !== true) throw failed(complaint, code);
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

async function follow(lines: AsyncIterable<string>): Promise<MoveLine | undefined> {
  const progress = createProgress();
  let last: MoveLine | undefined;
  for await (const line of lines) {
    last = JSON.parse(line) as MoveLine;
    progress.show(`moving: ${last.blobs} blobs, ${formatBytes(last.bytes)} …`);
  }
  progress.clear();
  return last;
}

function describe({ blobs, bytes, copied, from = "", to = "" }: MoveLine): string {
  if (from === to) return `All content is in ${plainLine(to)} already.`;
  return `${blobs} blobs, ${formatBytes(bytes)}, are in ${plainLine(to)} (${copied} copied now). What was in ${plainLine(from)} is still there.`;
}

function failed(complaint: string, code: number | null): CliError {
  const [, name = "storage_move_failed", message = complaint.trim()] = /^syla: ([a-z_]+): (.+)$/m.exec(complaint) ?? [];
  const exit = (Object.keys(exitCodes) as ExitReason[]).find((reason) => exitCodes[reason] === code) ?? "internal";
  return new CliError(message, { code: name, exit, hint: "Nothing was lost. The same command goes on where it stopped." });
}
