import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { CliError } from "../cli-error.ts";

const mostMs = 30_000;

/**
 * The newest version of a package, as the npm of this machine knows it: its own settings say which registry is asked. Null when there is no
 * such package. @throws CliError `registry_unreachable`
 */
export function readNewestVersion(name: string, env: NodeJS.ProcessEnv): string | null {
  const words = ["view", name, "version", "--json", "--fetch-retries=0", "--no-update-notifier"];
  const { status, error, stdout } = spawnSync("npm", words, {
    cwd: tmpdir(), // the settings of a project are no business of ours
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: mostMs,
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") throw unreachable("npm is not installed");
  const { text, code } = readAnswer(stdout ?? "");
  if (status === 0 && text !== null) return text;
  if (code === "E404") return null;
  throw unreachable(code === null ? "npm did not get an answer" : `npm says ${code}`);
}

/** npm prints a version, or a document that tells of an error. What it says besides may name addresses, and is not passed on. */
function readAnswer(stdout: string): { readonly text: string | null; readonly code: string | null } {
  try {
    const value = JSON.parse(stdout) as string | { readonly error?: { readonly code?: unknown } };
    if (typeof value === "string") return { text: value, code: null };
    const code = value.error?.code;
    return { text: null, code: typeof code === "string" && /^\w+$/.test(code) ? code : null };
  } catch {
    return { text: null, code: null };
  }
}

/** Whether a version is newer than another: `1.2.0` than `1.2.0-rc.1`. */
export function isNewer(version: string, than: string): boolean {
  const [one, other] = [split(version), split(than)];
  for (const index of [0, 1, 2]) {
    const difference = (one.numbers[index] ?? 0) - (other.numbers[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  if (one.label === null || other.label === null) return one.label === null && other.label !== null;
  return one.label.localeCompare(other.label, "en", { numeric: true }) > 0;
}

function split(version: string): { readonly numbers: readonly number[]; readonly label: string | null } {
  const [, numbers = "", label = null] = /^v?([\d.]+)(?:-([^+]+))?/.exec(version) ?? [];
  return { numbers: numbers.split(".").map(Number), label };
}

function unreachable(why: string): CliError {
  return new CliError(`Which version is the newest cannot be told: ${why}.`, {
    code: "registry_unreachable",
    exit: "unavailable",
    hint: "Without a connection this version works as before. `npm ping` tests the way to the registry.",
  });
}
