import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const podman = "/usr/bin/podman";
/** It starts containers also where control groups of both versions are mounted, which crun does not. */
const runc = "/usr/sbin/runc";
export const sandboxImage = "localhost/syla/python:3.11";

/** Why no pod can be played here; null: one can. */
export const missing: string | null = findMissing();

function findMissing(): string | null {
  if (!existsSync(podman)) return "podman is not installed. As root: apt-get install podman runc";
  const { status } = spawnSync(podman, ["image", "exists", sandboxImage]);
  return status === 0 ? null : `there is no image ${sandboxImage}: deploy/images/build.sh python makes it`;
}

/** Runs a command of podman's to its end. `folder`: for its settings, with limits that a container which is a host itself may set. */
export function runPodman(folder: string, words: readonly string[], input?: string): string {
  const settings = join(folder, "containers.conf");
  const runtime = existsSync(runc) ? '\n[engine]\nruntime = "runc"\n' : "";
  writeFileSync(settings, `[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n${runtime}`);
  const env = { ...process.env, CONTAINERS_CONF: settings };
  return execFileSync(podman, words, { encoding: "utf8", timeout: 120_000, env, ...(input === undefined ? {} : { input }) });
}
