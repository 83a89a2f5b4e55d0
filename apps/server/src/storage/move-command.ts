import { loadConfig } from "../config.ts";
import { AppError } from "@syla/contracts/errors";
import { checkLayout, createDataDirectory, dataDirectoryAt } from "../platform/data-directory.ts";
import { lockDirectory } from "../platform/lock.ts";
import { describeStartFailure } from "../start-failure.ts";
import { copyContent, type MoveReport } from "./move.ts";
import { findStores, noteStore, type StorePlace } from "./open-store.ts";

// Moves the content of an installation to the store that is configured, while no server runs. Started by `syla server storage move`, which
// reads one JSON document a line. Cut off, it goes on where it stopped the next time.

const progressMs = 500;

// Whoever started it holds the other end, and is gone when it ends: a move that nobody follows would only hold the lock.
if (process.argv.includes("--attached")) process.stdin.resume().once("end", () => process.exit(1));

async function main(): Promise<number> {
  const config = loadConfig();
  const directory = dataDirectoryAt(config.dataDir);
  createDataDirectory(directory);
  const lock = lockDirectory(directory.lockFile);
  try {
    checkLayout(directory);
    const { wanted, current, local, remote } = findStores(config, directory);
    const source = [local, remote].find((store) => store?.name === current);
    if (source === undefined || source === null)
      throw new AppError("storage_moved", {
        message: `The content is in ${current}, and there are no settings for it.`,
        hint: "Give the `SYLA_S3_…` settings of the bucket that it is in.",
      });
    if (source.name === wanted.name) return finish({ blobs: 0, bytes: 0, copied: 0, damaged: [] }, source, wanted);
    const report = await copy(source, wanted);
    if (report.damaged.length === 0 || process.argv.includes("--leave-damaged")) noteStore(directory, wanted);
    return finish(report, source, wanted);
  } finally {
    lock.release();
  }
}

async function copy(source: StorePlace, target: StorePlace): Promise<MoveReport> {
  await using opened = new AsyncDisposableStack();
  const from = opened.adopt(await source.open(), (blobs) => blobs.close());
  const to = opened.adopt(await target.open(), (blobs) => blobs.close());
  let told = 0;
  const onProgress = (report: MoveReport) => {
    if (Date.now() - told < progressMs) return;
    told = Date.now();
    say({ ...report, done: false });
  };
  return await copyContent(from, to, { verify: process.argv.includes("--verify"), onProgress });
}

function finish(report: MoveReport, from: StorePlace, to: StorePlace): number {
  const moved = report.damaged.length === 0 || process.argv.includes("--leave-damaged");
  say({ ...report, done: true, moved, from: from.place, to: to.place });
  return moved ? 0 : 65;
}

function say(document: object): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

try {
  process.exit(await main());
} catch (error) {
  const { line, exitCode } = describeStartFailure(error);
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}
