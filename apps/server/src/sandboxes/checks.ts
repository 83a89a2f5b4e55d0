import { execFile } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { promisify } from "node:util";
import type { Check } from "@syla/contracts/system";
import { findCgroupRoots } from "@syla/sandbox/cgroups";
import { outerFix } from "@syla/sandbox/refusal";
import { readGuestImage, sumOfSystem } from "@syla/sandbox/microvm/guest-image";
import type { TierReport } from "@syla/sandbox/spec";
import { currentGuest, findProgram, installGuest } from "./programs.ts";

const run = promisify(execFile);
const gibibyte = 1024 ** 3;

/** What this machine offers to sandboxes, and what to do about each gap. Looks, changes nothing. `tiers`: what those that are there report. */
export async function checkMachine(dataDirectory: string, tiers: readonly TierReport[]): Promise<Check[]> {
  return [
    await checkProgram("bubblewrap", "bwrap", "apt-get install bubblewrap"),
    await checkProgram("python3", "python3", "apt-get install python3"),
    await checkNamespaces(),
    checkInnerWall(tiers),
    checkFiles(tiers),
    checkCgroups(),
    checkNumber("processes", "/proc/sys/kernel/pid_max", 32_768, "sysctl -w kernel.pid_max=4194304"),
    checkOpenFiles(),
    checkDisk(dataDirectory),
  ];
}

async function checkProgram(name: string, program: string, fix: string): Promise<Check> {
  const path = findProgram(program);
  if (path === null) return { name, status: "error", detail: "not installed", fix };
  const { stdout } = await run(path, ["--version"]);
  return { name, status: "ok", detail: `${stdout.trim()} (${path})`, fix: null };
}

/** Tries what the outer wall needs: an ordinary user's own user namespace. */
async function checkNamespaces(): Promise<Check> {
  const name = "user namespaces";
  const bwrap = findProgram("bwrap");
  if (bwrap === null) return { name, status: "error", detail: "cannot be tried without bubblewrap", fix: "apt-get install bubblewrap" };
  const words = [bwrap, "--unshare-all", "--uid", "1000", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"];
  const asUser = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...words] : words;
  try {
    await run(asUser[0] as string, asUser.slice(1), { env: {}, cwd: "/" });
    return { name, status: "ok", detail: "an ordinary user can make them", fix: null };
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? String(error);
    return { name, status: "error", detail: `refused: ${said}`, fix: outerFix() };
  }
}

/** The second wall: what the agent makes inside the first one, as the tier found out by trying. */
function checkInnerWall(tiers: readonly TierReport[]): Check {
  const name = "namespaces inside bubblewrap";
  const tier = tiers.find((report) => report.tier === "namespace");
  if (tier?.available === true) return { name, status: "ok", detail: "a sandbox was made", fix: null };
  if (tier?.refusal?.wall === "inner") return { name, status: "error", detail: `refused: ${tier.refusal.said}`, fix: tier.refusal.fix };
  return { name, status: "error", detail: "cannot be tried", fix: tier?.refusal?.fix ?? `first see to this: ${tier?.reason ?? "no tier"}` };
}

/** How a sandbox gets its files, as the tier found out by trying. */
function checkFiles(tiers: readonly TierReport[]): Check {
  const name = "files of sandboxes";
  const files = tiers.find((report) => report.tier === "namespace")?.files ?? null;
  if (files === null) return { name, status: "ok", detail: "cannot be tried without a tier", fix: null };
  if (files.by === "overlay") return { name, status: "ok", detail: "shown as an overlay: 10,000 start as fast as 100", fix: null };
  const detail = `copied one by one, which takes longer the more there are: ${files.reason ?? ""}`;
  return { name, status: "warning", detail, fix: "a kernel from 5.19 on, and a data directory on one ext4, XFS or Btrfs" };
}

/** Virtual machines, as the tier found out by trying. `guests`: where their images are. */
export function checkMachines(report: Pick<TierReport, "available" | "reason" | "walls"> | undefined, guests: string): Check {
  const name = "virtual machines";
  const image = readGuestImage(currentGuest(guests));
  if (report?.available !== true) return { name, status: "ok", detail: `off: ${report?.reason ?? "not part of this server"}`, fix: null };
  const detail = `${report.walls[0] ?? ""}, guests run Linux ${image?.kernel ?? "of an image that is gone"}`;
  if (image?.system === sumOfSystem()) return { name, status: "ok", detail, fix: null };
  const fix = `${installGuest}, and start the server again`;
  return { name, status: "warning", detail: `${detail}; packages of this machine have changed since their image was made`, fix };
}

function checkCgroups(): Check {
  const name = "control groups";
  const roots = findCgroupRoots();
  const all = ["memory", "cpu", "pids"];
  const found = roots === null ? [] : [...roots.folders.keys()];
  if (roots !== null && found.length === all.length)
    return { name, status: "ok", detail: `version ${roots.version}: ${found.join(", ")}`, fix: null };
  const missing = all.filter((controller) => !found.some((other) => other === controller));
  const fix = "run as root, or `systemd-run --user --scope -p Delegate=yes ./syla up`";
  return {
    name,
    status: "warning",
    detail: `not usable here: ${missing.join(", ")}; these limits are kept by rlimits and supervision instead`,
    fix,
  };
}

function checkNumber(name: string, path: string, least: number, fix: string): Check {
  const value = readNumber(path);
  const enough = value === null || value >= least;
  return { name, status: enough ? "ok" : "warning", detail: `${path} is ${value ?? "not readable"}`, fix: enough ? null : fix };
}

function checkOpenFiles(): Check {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 0);
  const enough = soft >= 4096;
  return {
    name: "open files",
    status: enough ? "ok" : "warning",
    detail: `the server may open ${soft}`,
    fix: enough ? null : "ulimit -n 65536",
  };
}

function checkDisk(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const enough = free > 2 * gibibyte;
  return {
    name: "disk",
    status: enough ? "ok" : "warning",
    detail: `${(free / gibibyte).toFixed(1)} GiB free in ${folder}`,
    fix: enough ? null : "make room in the data directory",
  };
}

function readNumber(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8").trim());
  } catch {
    return null;
  }
}
