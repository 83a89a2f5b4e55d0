import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./load.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * Many live sandboxes at once: `node bench/live.ts [COUNT]`. Each runs a program that waits for SIGTERM; when all are up, all are asked to
 * answer, and every one has to. Needs root: for the numbers of processes and files, and to let the kernel keep equal pages once (KSM) and, where
 * that is too slow, what idle sandboxes do not touch compressed in memory (a swap on zram), as long as this runs.
 */

const count = Number(process.argv[2] ?? 1000);
const wave = 100;
const swapGiB = 32;
/** With less than this left, nothing more is done as long as merging gives memory back. */
const comfortableKiB = 5 * 1024 * 1024;

const code = ["trap 'echo alive; exit' TERM", "mkfifo never; exec 3<>never", "echo up", "while :; do read -r _ <&3; done"].join("\n");

/** Kernel settings for the time of the measurement: what they are, and what they were. */
const settings: readonly (readonly [path: string, value: string])[] = [
  ["/proc/sys/kernel/pid_max", "4194304"],
  ["/sys/kernel/mm/ksm/max_page_sharing", "2048"],
  ["/sys/kernel/mm/ksm/pages_to_scan", "100000"],
  ["/sys/kernel/mm/ksm/sleep_millisecs", "1"],
  ["/sys/kernel/mm/ksm/use_zero_pages", "1"],
  ["/sys/kernel/mm/ksm/run", "1"],
  ["/proc/sys/vm/page-cluster", "0"],
  ["/proc/sys/vm/swappiness", "200"],
  ["/proc/sys/vm/watermark_scale_factor", "100"],
];

/** The thread that finds equal pages, made more urgent, or as it was: else it waits for all that are made at the same time. */
function setMergingPriority(priority: number): void {
  const thread = readdirSync("/proc").find((name) => /^\d+$/.test(name) && commandOf(name) === "ksmd\n");
  if (thread !== undefined) setPriority(Number(thread), priority);
}

/** A swap that lies compressed in memory. Returns how to take it away; nothing is done where there is no zram, or it is in use. */
function addCompressedSwap(): () => void {
  const device = "/sys/block/zram0";
  if (!existsSync(device) || readFileSync(`${device}/disksize`, "utf8").trim() !== "0") return () => {};
  writeFileSync(`${device}/disksize`, `${swapGiB}G`);
  execFileSync("mkswap", ["/dev/zram0"], { stdio: "ignore" });
  execFileSync("swapon", ["-p", "100", "/dev/zram0"]);
  return () => {
    execFileSync("swapoff", ["/dev/zram0"]);
    writeFileSync(`${device}/reset`, "1");
  };
}

/** What is swapped out, and what it takes compressed, in MiB. */
function swapped(): string {
  try {
    const [original = 0, , total = 0] = readFileSync("/sys/block/zram0/mm_stat", "utf8").trim().split(/\s+/).map(Number);
    return `${(original / 2 ** 20).toFixed(0)} MiB in ${(total / 2 ** 20).toFixed(0)} MiB`;
  } catch {
    return "nothing";
  }
}

function apply(values: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return values
    .filter(([path]) => existsSync(path))
    .map(([path, value]) => {
      const before = readFileSync(path, "utf8").trim();
      writeFileSync(path, value);
      return [path, before] as const;
    });
}

function memory(): { freeKiB: number; usedKiB: number } {
  const text = readFileSync("/proc/meminfo", "utf8");
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  return { freeKiB: read("MemAvailable"), usedKiB: read("MemTotal") - read("MemAvailable") };
}

/** Memory of the server, and of its database, in MiB; what they share is counted once. */
function controlPlane(pid: number): { serverMiB: number; databaseMiB: number } {
  const pss = (of: string) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${of}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
  const postgres = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandOf(name).startsWith("postgres"));
  return { serverMiB: pss(String(pid)), databaseMiB: postgres.reduce((sum, name) => sum + pss(name), 0) };
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}

/** Waits for memory as long as merging may give some back: until the kernel has twice been through everything. */
async function untilMemoryIsBack(): Promise<void> {
  const from = scans();
  while (memory().freeKiB < comfortableKiB && scans() < from + 2) await sleep(1000);
}

/** How often the kernel has looked through all memory for equal pages. */
function scans(): number {
  const file = "/sys/kernel/mm/ksm/full_scans";
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : Infinity;
}

interface RunFacts {
  readonly id: string;
  readonly status: string;
  readonly stdout: string;
}

async function call(server: Server, method: string, path: string): Promise<RunFacts> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers: server.headers });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as RunFacts;
}

async function until(server: Server, ids: readonly string[], wanted: (run: RunFacts) => boolean): Promise<void> {
  for (const id of ids)
    for (let tries = 0; !wanted(await call(server, "GET", `/api/v1/runs/${id}`)); tries += 1) {
      if (tries > 2400)
        throw new Error(`${id} did not come about: ${JSON.stringify(await call(server, "GET", `/api/v1/runs/${id}`)).slice(0, 700)}`);
      await sleep(25);
    }
}

async function startWave(server: Server, size: number): Promise<string[]> {
  const target = { port: server.port, path: "/api/v1/runs", headers: server.headers };
  const body = JSON.stringify({ language: "bash", code, limits: { wallMs: 7_200_000 } });
  const answers = await Promise.all(Array.from({ length: size }, () => post(target, body)));
  const ids = answers.map((answer) => (JSON.parse(answer.body) as RunFacts).id);
  await until(server, ids, (run) => run.stdout === "up\n");
  return ids;
}

const restore = apply(settings);
setMergingPriority(-20);
const removeSwap = addCompressedSwap();
process.once("exit", () => {
  removeSwap();
  setMergingPriority(5);
  if (existsSync("/sys/kernel/mm/ksm/run")) writeFileSync("/sys/kernel/mm/ksm/run", "2"); // takes apart what is merged; only then the rest can be set back
  apply(restore);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
{
  const variables = { SYLA_WORKER_SLOTS: String(count), SYLA_QUEUE_LIMIT: String(count * 2), SYLA_MERGE_PAGES: "true" };
  await using server = await startOurs(variables);
  const ids = await startWave(server, 1); // a jail is there
  const before = memory();
  const began = performance.now();
  while (ids.length < count) {
    await untilMemoryIsBack();
    ids.push(...(await startWave(server, Math.min(wave, count - ids.length))));
    if (ids.length % 200 === 1 || ids.length === count)
      console.log(
        `${ids.length} up after ${((performance.now() - began) / 1000).toFixed(0)} s, ${(memory().freeKiB / 1024).toFixed(0)} MiB free`,
      );
  }
  const seconds = (performance.now() - began) / 1000;
  await sleep(5000);
  const each = (memory().usedKiB - before.usedKiB) / (count - 1) / 1024;
  const plane = controlPlane(server.pid);
  const asleep = swapped();
  const asked = performance.now();
  for (let at = 0; at < ids.length; at += wave) {
    const some = ids.slice(at, at + wave);
    await untilMemoryIsBack();
    await Promise.all(some.map((id) => call(server, "POST", `/api/v1/runs/${id}/cancel`)));
    await until(server, some, (run) => run.status !== "running");
  }
  let alive = 0;
  for (const id of ids) if ((await call(server, "GET", `/api/v1/runs/${id}`)).stdout === "up\nalive\n") alive += 1;
  const answered = (performance.now() - asked) / 1000;
  console.log(
    [
      `| live sandboxes at once | ${ids.length} |`,
      "|---|---|",
      `| all answered when asked | ${alive} of ${ids.length}, within ${answered.toFixed(0)} s |`,
      `| made in | ${seconds.toFixed(0)} s |`,
      `| memory for each, everything counted | ${each.toFixed(2)} MiB |`,
      `| kept compressed | ${asleep} |`,
      `| control plane | server ${plane.serverMiB.toFixed(0)} MiB, PostgreSQL ${plane.databaseMiB.toFixed(0)} MiB |`,
    ].join("\n"),
  );
}
