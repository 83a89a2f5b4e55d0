import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { type Environment, runtimesDir } from "../settings/home.ts";
import { findUv, installUv } from "./install-uv.ts";

const mostMs = 600_000;

/** The version in `python@3.13`. @throws CliError when it is none */
export function readPythonVersion(language: string): string {
  const version = language.slice("python@".length);
  if (/^3\.\d{1,2}(\.\d{1,2})?$/.test(version)) return version;
  throw usageError(`${JSON.stringify(version)} is no version of Python 3.`, "Say it like python@3.13 or python@3.13.1.");
}

/** Has uv fetch a build of Python, by its hash, into the folder that servers look into. Answers that folder. @throws CliError */
export function fetchPython(env: Environment, version: string): string {
  const target = join(runtimesDir(env), "python");
  const uv = findUv(env) ?? join(installUv(env), "uv");
  makeFolder(target);
  const words = ["python", "install", version, "--install-dir", target, "--no-bin", "--no-config", "--color", "never"];
  const { status, error, stderr } = spawnSync(uv, words, {
    encoding: "utf8",
    env: { ...process.env },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: mostMs,
  });
  if (status === 0) return target;
  throw new CliError(`Python ${version} could not be fetched: ${(stderr || String(error)).trim().slice(-600)}`, {
    code: "install_failed",
    exit: "unavailable",
    hint: `Name a mirror that you reach in UV_PYTHON_INSTALL_MIRROR, or bring an installation: syla runtimes install python@${version} --from FOLDER.`,
    cause: error,
  });
}

/** Lets servers find a Python that is on this machine already. Answers the folder that leads to it. @throws CliError */
export function linkPython(env: Environment, version: string, from: string): string {
  const minor = version.split(".").slice(0, 2).join(".");
  const binary = join(resolve(from), "bin", `python${minor}`);
  const path = realPath(binary);
  const { stdout } = spawnSync(path, ["-I", "--version"], { encoding: "utf8", timeout: 10_000 });
  const said = /^Python (\S+)/.exec(stdout ?? "")?.[1];
  if (said === undefined || (said !== version && !said.startsWith(`${version}.`)))
    throw usageError(`${binary} is ${said === undefined ? "no Python" : `Python ${said}`}, not ${version}.`);
  if (basename(dirname(path)) !== "bin")
    throw usageError(`${binary} leads to ${path}, which is in no bin folder of an installation.`, "Name the installation itself.");
  const target = join(runtimesDir(env), "python", version);
  const fresh = `${target}.new-${process.pid}`;
  makeFolder(join(fresh, "bin"));
  try {
    symlinkSync(path, join(fresh, "bin", `python${minor}`));
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return target;
}

function realPath(binary: string): string {
  try {
    accessSync(binary, constants.X_OK);
    return realpathSync(binary);
  } catch (cause) {
    throw new CliError(`There is no ${binary} that can be started.`, {
      code: "file_not_found",
      exit: "no_input",
      hint: "Name the folder of an installation, the one with bin and lib in it.",
      cause,
    });
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new CliError(`${folder} cannot be made.`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "Check who owns the folder above it, or set SYLA_HOME.",
      cause,
    });
  }
}
