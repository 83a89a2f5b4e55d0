import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Check } from "@syla/contracts/system";
import { findUv } from "./install-uv.ts";
import { formatBytes } from "../output/units.ts";

const run = promisify(execFile);
const lowDiskBytes = 1024 ** 3;

/** What can be seen without a server. */
export async function checkMachine(dataDir: string): Promise<Check[]> {
  return [
    checkNode(),
    await checkProgram("bubblewrap", "bwrap", ["--version"], "apt-get install bubblewrap, or the same with your package manager"),
    await checkProgram(
      "python3",
      existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "/usr/local/bin/python3",
      ["--version"],
      "apt-get install python3, or the same with your package manager",
    ),
    await checkProgram("flock", "flock", ["--version"], "apt-get install util-linux, or the same with your package manager"),
    checkUv(),
    checkDataDir(dataDir),
  ];
}

/** Under the name that the server has for it. */
function checkUv(): Check {
  const uv = findUv(process.env);
  const name = "packages of Python";
  return uv === undefined
    ? { name, status: "warning", detail: "uv, which installs them, is missing", fix: "syla runtimes install uv" }
    : { name, status: "ok", detail: `installed with ${uv}`, fix: null };
}

function checkNode(): Check {
  const fits = Number.parseInt(process.versions.node, 10) >= 24;
  return {
    name: "node",
    status: fits ? "ok" : "error",
    detail: `${process.versions.node} (${process.execPath})`,
    fix: fits ? null : "start with ./syla, which installs Node 24",
  };
}

async function checkProgram(name: string, file: string, args: string[], fix: string): Promise<Check> {
  try {
    const { stdout } = await run(file, args, { timeout: 5000 });
    return { name, status: "ok", detail: stdout.split("\n")[0] ?? "", fix: null };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { name, status: "error", detail: missing ? "not installed" : `does not start: ${(error as Error).message}`, fix };
  }
}

function checkDataDir(dataDir: string): Check {
  const name = "data directory";
  let existing = dataDir;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return {
      name,
      status: "error",
      detail: `${existing} cannot be written`,
      fix: "choose another with --data-dir, SYLA_DATA_DIR or SYLA_HOME",
    };
  }
  const disk = statfsSync(existing);
  const free = disk.bavail * disk.bsize;
  const detail = `${dataDir}, ${formatBytes(free)} free`;
  return free < lowDiskBytes
    ? { name, status: "warning", detail, fix: "make room: below 1 GiB runs soon fail" }
    : { name, status: "ok", detail, fix: null };
}
