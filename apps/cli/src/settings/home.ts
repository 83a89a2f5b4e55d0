import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "../cli-error.ts";

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of everything that Syla writes for this person. */
export function sylaHome(env: Environment): string {
  return env["SYLA_HOME"] ? resolve(env["SYLA_HOME"]) : join(env["HOME"] || accountHome(), ".syla");
}

/** Containers are often started under a user id that has no account. */
function accountHome(): string {
  try {
    return userInfo().homedir;
  } catch (cause) {
    const hint = "Set SYLA_HOME to a folder that you can write.";
    throw new CliError("There is no home folder: HOME is not set, and this user has no account.", {
      code: "home_unknown",
      exit: "config",
      hint,
      cause,
    });
  }
}

/** The local server's data directory, when nothing else is set. */
export function defaultDataDir(env: Environment): string {
  return env["SYLA_DATA_DIR"] ? resolve(env["SYLA_DATA_DIR"]) : join(sylaHome(env), "data");
}

/** Where `syla runtimes install` puts languages, and the local server looks for them. */
export function runtimesDir(env: Environment): string {
  return env["SYLA_RUNTIMES_DIR"] ? resolve(env["SYLA_RUNTIMES_DIR"]) : join(sylaHome(env), "runtimes");
}
