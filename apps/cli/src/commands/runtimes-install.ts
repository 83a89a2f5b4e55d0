import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { installationRoot } from "../local-server/installation.ts";
import { findRunningServer } from "../local-server/server-file.ts";
import { runNpm } from "../npm/run-npm.ts";
import { note } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { defaultDataDir, runtimesDir } from "../settings/home.ts";
import { fetchPython, linkPython, readPythonVersion } from "../local-server/install-python.ts";
import { installGuest } from "../local-server/install-guest.ts";
import { installUv } from "../local-server/install-uv.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly from?: string;
}

/** Languages whose binaries are npm packages, pinned by a lock file beside their `runtime.yaml`. */
function installable(folder: string): string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "package-lock.json")));
}

export const runtimesInstallCommand: Command = defineCommand(
  "install",
  "install a language on this machine that its package manager does not have",
)
  .argument(
    "<language>",
    "bun or deno; a version of Python (python@3.13); uv, which installs the packages of Python programs; guest, what virtual machines boot from",
  )
  .option("--from <folder>", "an installation of that Python that is on this machine already")
  .action((language: string, flags: Flags) => {
    const { from } = flags;
    if (language.startsWith("python@")) {
      const version = readPythonVersion(language);
      const folder = from === undefined ? fetchPython(process.env, version) : linkPython(process.env, version, from);
      return finish(language, folder, flags);
    }
    if (from !== undefined) throw usageError("--from is for versions of Python.", "Say which: python@3.13.");
    if (language === "guest") return finish(language, installGuest(process.env), flags);
    if (language === "uv") return finish(language, installUv(process.env), flags);
    const source = join(installationRoot(), "runtimes");
    const names = installable(source);
    if (!names.includes(language))
      throw usageError(
        `${JSON.stringify(language)} is not installed this way.`,
        `This installs ${[...names, "python@VERSION", "uv", "guest"].join(", ")}; \`syla runtimes\` tells how to get others.`,
      );
    const target = join(runtimesDir(process.env), language);
    installPackages(join(source, language), target);
    finish(language, target, flags);
  });

function finish(language: string, folder: string, flags: CommonFlags): void {
  const restart = findRunningServer(defaultDataDir(process.env)) !== null;
  if (flags.json === true) return printJson({ language, folder, restart });
  printLine(folder);
  if (restart) note("the running server takes it up when it is started again: syla down && syla up --detach");
}

/** Installs beside the old one and takes its place: a server may be running it. No script of a package is run. */
function installPackages(source: string, target: string): void {
  const fresh = `${target}.new-${process.pid}`;
  try {
    mkdirSync(fresh, { recursive: true, mode: 0o755 });
    for (const name of ["package.json", "package-lock.json"]) cpSync(join(source, name), join(fresh, name));
    runNpm({ words: ["ci", "--ignore-scripts", "--include=optional"], folder: fresh, failure: "npm could not install it" });
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
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
