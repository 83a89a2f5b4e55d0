import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { type Environment, runtimesDir } from "../settings/home.ts";
import { installationRoot } from "./installation.ts";

/** Takes the binary out of the wheel; nothing of the package is run. */
const unpack = `
import glob, shutil, sys, zipfile
archive = zipfile.ZipFile(glob.glob(sys.argv[1] + "/uv-*.whl")[0])
name = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
shutil.copyfileobj(archive.open(name), open(sys.argv[1] + "/uv", "wb"))
`;
/** Where nobody waits for it alone. */
const patience = ["--retries", "0", "--timeout", "5"];
const mostMs = 120_000;

/** The uv that the local server would take: the one that is named, one that was installed, the system's. */
export function findUv(env: Environment): string | undefined {
  const places = [
    env["SYLA_UV"],
    join(runtimesDir(env), "uv/uv"),
    "/usr/local/bin/uv",
    "/usr/bin/uv",
    join(env["HOME"] ?? "/", ".local/bin/uv"),
  ];
  return places.find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** Fetches uv where there is none and nobody has named one. Null: it is there; else what to say when it cannot be had now. */
export function ensureUv(env: Environment, begin: () => void): string | null {
  if (env["SYLA_UV"] !== undefined || findUv(env) !== undefined) return null;
  begin();
  try {
    installUv(env, patience);
    return null;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return `uv, which installs the packages of Python programs, could not be fetched: ${error.message.split("\n").at(-1)} Later: syla runtimes install uv`;
  }
}

/** Fetches the pinned uv with pip, beside the old one, whose place it takes: a server may be running it. Answers its folder. @throws CliError */
export function installUv(env: Environment, words: readonly string[] = []): string {
  const target = join(runtimesDir(env), "uv");
  const fresh = `${target}.new-${process.pid}`;
  const pins = join(installationRoot(), "tools/uv/requirements.txt");
  try {
    mkdirSync(fresh, { recursive: true, mode: 0o755 });
    const what = [
      "--quiet",
      "--disable-pip-version-check",
      "--require-hashes",
      "--no-deps",
      "--only-binary",
      ":all:",
      "-r",
      pins,
      "-d",
      fresh,
    ];
    runPython(["-m", "pip", "download", ...what, ...words], "pip could not fetch it");
    runPython(["-c", unpack, fresh], "it could not be unpacked");
    for (const name of readdirSync(fresh)) if (name.endsWith(".whl")) rmSync(join(fresh, name));
    chmodSync(join(fresh, "uv"), 0o755);
    cpSync(pins, join(fresh, "requirements.txt"));
    takePlace(fresh, target);
    return target;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${target} cannot be written.`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "Check who owns the folder, or set SYLA_HOME.",
      cause: error,
    });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Somebody else may have put the same there in between. */
function takePlace(fresh: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  try {
    renameSync(fresh, target);
  } catch (error) {
    if (!existsSync(join(target, "uv"))) throw error;
  }
}

function runPython(words: readonly string[], failure: string): void {
  const { status, error, stderr } = spawnSync("python3", words, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"], timeout: mostMs });
  if (status === 0) return;
  const hasPip = !/No module named pip/.test(stderr ?? "");
  throw new CliError(hasPip ? `${failure}: ${(stderr || String(error)).trim().slice(-600)}` : "pip is not installed.", {
    code: "install_failed",
    exit: "unavailable",
    hint: hasPip
      ? "Check the connection to the package index, and run the command again."
      : "Install it (apt-get install python3-pip) and run the command again.",
    cause: error,
  });
}
