import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./load.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * Many live sandboxes at once: `node bench/live.ts [COUNT]`. Each runs a program that waits for SIGTERM; when all are up, all are asked to
 * answer, and every one has to. Needs root, for the number of processes. With `--merge` the kernel keeps equal pages once (KSM) besides.
 */

const count = Number(process.argv[2] ?? 1000);
const merge = process.argv.includes("--merge");
const wave = 100;
/** So many are asked at once: each has to answer before the time is up that a cancelled program has. */
const asked = 10;
/** With less than this left, nothing more is made for as long as others that fall asleep give memory back. */
const comfortableKiB = 1.5 * 1024 * 1024;

const code = ["trap 'echo alive; exit' TERM", "mkfifo never; exec 3<>never", "echo up", "while :; do read -r _ <&3; done"].join("\n");

/** Kernel settings for the time of the measurement: what they are, and what they were. */
const settings: readonly (readonly [path: string, value: string])[] = [
  ["/proc/sys/kernel/pid_max", "4194304"],
  ...(merge ? ([["/sys/kernel/mm/ksm/run", "1"]] as const) : []),
];

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

/**
 * What a bare process takes that sleeps and does nothing else, everything counted, MiB: the least that anything alive can take. `sleep` is the smallest
 * program that every machine has.
 */
async function bareProcess(): Promise<number> {
  const size = 500;
  await sleep(1000);
  const before = memory().usedKiB;
  const children: ChildProcess[] = [];
  for (let made = 0; made < size; made += 1) children.push(spawn("sleep", ["600"], { stdio: "ignore" }));
  await sleep(2000);
  const each = (memory().usedKiB - before) / size / 1024;
  await Promise.all(
    children.map(async (child) => {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }),
  );
  return each;
}

/** Waits for memory, as long as there comes some. */
async function untilMemoryIsBack(): Promise<void> {
  for (let tries = 0; memory().freeKiB < comfortableKiB && tries < 30; tries += 1) await sleep(1000);
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
process.once("exit", () => {
  if (merge) writeFileSync("/sys/kernel/mm/ksm/run", "2"); // takes apart what is merged
  apply(restore);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const bareMiB = await bareProcess();
{
  const variables = { SYLA_WORKER_SLOTS: String(count), SYLA_QUEUE_LIMIT: String(count * 2), SYLA_MERGE_PAGES: String(merge) };
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
  await sleep(12_000); // so that the last ones sleep too
  const each = (memory().usedKiB - before.usedKiB) / (count - 1) / 1024;
  const plane = controlPlane(server.pid);
  const beganToAsk = performance.now();
  for (let at = 0; at < ids.length; at += asked) {
    const some = ids.slice(at, at + asked);
    await untilMemoryIsBack();
    await Promise.all(some.map((id) => call(server, "POST", `/api/v1/runs/${id}/cancel`)));
    await until(server, some, (run) => run.status !== "running");
    if (at % 1000 === 0) console.log(`${at + some.length} have answered, ${(memory().freeKiB / 1024).toFixed(0)} MiB free`);
  }
  let alive = 0;
  for (const id of ids) if ((await call(server, "GET", `/api/v1/runs/${id}`)).stdout === "up\nalive\n") alive += 1;
  const answered = (performance.now() - beganToAsk) / 1000;
  console.log(
    [
      `| live sandboxes at once | ${ids.length} |`,
      "|---|---|",
      `| all answered when asked | ${alive} of ${ids.length}, within ${answered.toFixed(0)} s |`,
      `| made in | ${seconds.toFixed(0)} s |`,
      `| memory for each, everything counted | ${each.toFixed(2)} MiB |`,
      `| the same of a bare process that sleeps (\`sleep\`) | ${bareMiB.toFixed(2)} MiB, ratio ${(each / bareMiB).toFixed(1)}× |`,
      `| control plane | server ${plane.serverMiB.toFixed(0)} MiB, PostgreSQL ${plane.databaseMiB.toFixed(0)} MiB |`,
    ].join("\n"),
  );
}
