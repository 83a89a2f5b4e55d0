import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CliError } from "../cli-error.ts";
import { type Environment, runtimesDir } from "../settings/home.ts";
import { installationRoot } from "./installation.ts";

/** Makes the image that virtual machines boot from, of this machine's system and a kernel of Debian's. Answers its folder. @throws CliError */
export function installGuest(env: Environment): string {
  const root = installationRoot();
  const builder = join(root, "packages/sandbox/src/microvm/build-image.ts");
  if (!existsSync(builder))
    throw new CliError("Guest images are made where the server is installed.", {
      code: "install_failed",
      exit: "unavailable",
      hint: "Run the command there: a checkout has ./syla.",
    });
  const words = [builder, join(runtimesDir(env), "guest"), ...shownByLanguages(join(root, "runtimes")).flatMap((path) => ["--show", path])];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, words, { encoding: "utf8" });
  if (status === 0) return stdout.trim();
  throw new CliError(`The guest image could not be made: ${(stderr || String(error)).trim().slice(0, 600)}`, {
    code: "install_failed",
    exit: "unavailable",
    hint: "As root: apt-get update && apt-get install --no-install-recommends qemu-system-x86 squashfs-tools bubblewrap",
    cause: error,
  });
}

/** What the languages of a folder need of this machine besides its programs: patterns of paths below /etc. */
function shownByLanguages(runtimes: string): string[] {
  return globSync(join(runtimes, "*/runtime.yaml")).flatMap((file) => {
    const { mounts } = parse(readFileSync(file, "utf8")) as { mounts?: unknown };
    return Array.isArray(mounts) ? mounts.filter((path): path is string => typeof path === "string") : [];
  });
}
