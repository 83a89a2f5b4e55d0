import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { CliError } from "../cli-error.ts";

/** What npm is to do, and what to say when it does not. */
interface NpmTask {
  /** The verb and its flags. */
  readonly words: readonly string[];
  /** Names and paths, which may begin like flags. */
  readonly operands?: readonly string[];
  readonly folder: string;
  /** What has failed, e.g. `npm could not install it`. */
  readonly failure: string;
}

/** Asks the npm of this machine, as it is set up here. @returns what it printed @throws CliError `install_failed` */
export function runNpm({ words, operands = [], folder, failure }: NpmTask): string {
  // npm itself may be of another Node than ours; which packages fit the machine is the same for both.
  const env = { ...process.env, PATH: [process.env["PATH"] ?? "", dirname(process.execPath)].join(delimiter) };
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  const all = [...words, ...quiet, ...(operands.length > 0 ? ["--", ...operands] : [])];
  const { status, error, stdout, stderr } = spawnSync("npm", all, {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status === 0) return stdout;
  const missing = error !== undefined && "code" in error && error.code === "ENOENT";
  throw new CliError(missing ? "npm is not installed." : `${failure}: ${(stderr || String(error)).trim().slice(0, 600)}`, {
    code: "install_failed",
    exit: "unavailable",
    hint: missing ? "Install npm and run the command again." : "Check the connection to the npm registry, and run the command again.",
    cause: error,
  });
}
