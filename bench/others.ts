import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { percentile } from "./load.ts";

/**
 * What somebody would pick instead: a fresh bubblewrap jail, crun container or podman container for each program. Run by itself it prints
 * what it measured as JSON; crun refuses hosts with both versions of control groups, so there it runs in a mount namespace without version 2.
 */

export interface OtherFigures {
  readonly name: string;
  readonly version: string;
  /** Milliseconds, one after another. */
  readonly p50: number;
  readonly p99: number;
  /** Programs each second, eight at once. */
  readonly perSecond: number;
}

const clients = 8;
const links = ["bin", "sbin", "lib", "lib64"];

/** Measures those that are installed and work here. */
export function measureOthers(): OtherFigures[] {
  const plain = [process.execPath, import.meta.filename];
  const hybrid = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.split(" ")[2] === "cgroup2" && !line.includes(" /sys/fs/cgroup cgroup2"))
    .map((line) => line.split(" ")[1] ?? "");
  const words =
    hybrid.length > 0 && process.getuid?.() === 0
      ? ["unshare", "-m", "sh", "-c", `${hybrid.map((path) => `umount -l ${path}`).join("; ")}; exec "$@"`, "sh", ...plain]
      : plain;
  const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: "utf8", maxBuffer: 1 << 20 });
  if (status !== 0) throw new Error(`the others could not be measured: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "[]") as OtherFigures[];
}

/** A root with nothing but the system's /usr. */
function makeBundle(): string {
  const bundle = mkdtempSync(join(tmpdir(), "syla-bench-"));
  for (const name of ["usr", "proc", "sys", "dev", "tmp", "etc", "run", "var"])
    mkdirSync(join(bundle, "rootfs", name), { recursive: true });
  for (const name of links) symlinkSync(`usr/${name}`, join(bundle, "rootfs", name));
  return bundle;
}

/** What `crun spec` writes, without a terminal, and with limits that an inner machine may not raise left out. */
function configureCrun(bundle: string): void {
  execFileSync("crun", ["spec"], { cwd: bundle });
  const path = join(bundle, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as {
    process: { terminal: boolean; args: string[]; rlimits?: unknown };
    mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
    linux: { resources?: unknown; namespaces: { type: string }[] };
  };
  config.process.terminal = false;
  config.process.args = ["/usr/bin/python3", "-c", "print('hello')"];
  delete config.process.rlimits;
  delete config.linux.resources;
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "cgroup");
  config.mounts = config.mounts.filter(({ destination }) => !destination.includes("cgroup"));
  config.mounts.push({ destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] });
  writeFileSync(path, JSON.stringify(config));
}

type Command = (number: number) => readonly string[];

function commands(bundle: string): { name: string; command: Command; samples: number }[] {
  const python = ["/usr/bin/python3", "-c", "print('hello')"];
  const binds = ["--ro-bind", "/usr", "/usr", ...links.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`])];
  const bwrap = ["bwrap", "--unshare-all", ...binds, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", ...python];
  const podman = ["podman", "--cgroup-manager=cgroupfs", "run", "--rm", "--network", "none", "--cgroups=disabled"];
  const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "-v", "/usr:/usr:ro", "--rootfs", join(bundle, "rootfs")];
  return [
    { name: "bubblewrap", command: () => bwrap, samples: 100 },
    {
      name: "crun",
      command: (number) => ["crun", "--cgroup-manager=disabled", "run", "-b", bundle, `syla-${process.pid}-${number}`],
      samples: 100,
    },
    { name: "podman", command: () => [...podman, ...limits, ...python], samples: 20 },
  ];
}

async function runOnce(words: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(words[0] as string, words.slice(1), { stdio: ["ignore", "pipe", "ignore"], cwd: "/" });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  if (said !== "hello\n") throw new Error(`${words[0]} said ${JSON.stringify(said)}`);
  return performance.now() - began;
}

async function measure(name: string, command: Command, samples: number): Promise<OtherFigures> {
  let number = 0;
  for (let warm = 0; warm < 3; warm += 1) await runOnce(command((number += 1)));
  const times: number[] = [];
  for (let count = 0; count < samples; count += 1) times.push(await runOnce(command((number += 1))));
  const began = performance.now();
  let left = samples * 2;
  const client = async () => {
    while (left-- > 0) await runOnce(command((number += 1)));
  };
  await Promise.all(Array.from({ length: clients }, client));
  const perSecond = (samples * 2000) / (performance.now() - began);
  const version = spawnSync(name === "bubblewrap" ? "bwrap" : name, ["--version"], { encoding: "utf8" }).stdout.split("\n")[0] ?? "";
  return { name, version, p50: percentile(times, 0.5), p99: percentile(times, 0.99), perSecond };
}

if (import.meta.main) {
  const bundle = makeBundle();
  const figures: OtherFigures[] = [];
  try {
    for (const { name, command, samples } of commands(bundle)) {
      try {
        if (name === "crun") configureCrun(bundle);
        figures.push(await measure(name, command, samples));
      } catch (error) {
        process.stderr.write(`${name} is left out: ${(error as Error).message}\n`);
      }
    }
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
