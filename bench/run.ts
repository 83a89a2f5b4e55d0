import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load, percentile, post, send, type Target } from "./load.ts";

/**
 * Measures what exists of the speed table against references in the same run, in turns, so that a busy machine slows both.
 * `node bench/run.ts [--write]`; with `--write` the table is kept in `bench/results.md`.
 */

interface Row {
  readonly measure: string;
  readonly ours: string;
  readonly reference: string;
  readonly ratio: string;
  readonly goal: string;
}

const root = join(import.meta.dirname, "..");
const rounds = 5;
const folder = join(root, ".build"); // away from folders where files come and go: ext4 is slow where many were just deleted

/** A program whose like was not there before. */
function programFor(text: string): string {
  return `print(${JSON.stringify(text)})`;
}

interface Server {
  readonly child: ChildProcess;
  readonly data: string;
  readonly target: Target;
}

async function startOurs(): Promise<Server> {
  const data = mkdtempSync(join(folder, "bench-"));
  const env = { ...process.env, SYLA_DATA_DIR: data, SYLA_PORT: "0", SYLA_LOG_LEVEL: "warn" };
  const child = spawn(process.execPath, [join(root, "apps/server/src/main.ts")], { env, stdio: ["ignore", "inherit", "inherit"] });
  const state = await waitFor(() => JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string });
  const headers = { authorization: `Bearer ${readFileSync(join(data, "cli.key"), "utf8").trim()}` };
  const body = (text: string) => JSON.stringify({ language: "python", code: programFor(text) });
  return {
    child,
    data,
    target: {
      name: "syla",
      port: Number(new URL(state.url).port),
      path: "/api/v1/executions?wait=true",
      headers,
      body,
    },
  };
}

async function startReference(): Promise<{ child: ChildProcess; target: Target }> {
  const child = spawn(process.execPath, [join(root, "bench/reference/server.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const port = await new Promise<number>((resolve) => lines.once("line", (line) => resolve(Number(line))));
  return { child, target: { name: "reference", port, path: "/", headers: {}, body: (text) => JSON.stringify({ code: programFor(text) }) } };
}

async function waitFor<T>(probe: () => T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return probe();
    } catch (error) {
      if (tries > 300) throw error;
      await sleep(100);
    }
  }
}

/** Both targets in turns; all samples of each. */
async function inTurns(ours: Target, reference: Target, clients: number, count: number) {
  const result = { ours: [] as number[], reference: [] as number[], oursPerSecond: [] as number[], referencePerSecond: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const a = await load(reference, clients, count);
    const b = await load(ours, clients, count);
    result.reference.push(...a.samples);
    result.ours.push(...b.samples);
    result.referencePerSecond.push(a.perSecond);
    result.oursPerSecond.push(b.perSecond);
  }
  return result;
}

/** One request at a time to a machine that is at rest, now to the one, now to the other. */
async function alternating(ours: Target, reference: Target, count: number) {
  const result = { ours: [] as number[], reference: [] as number[] };
  for (let index = 0; index < count; index++) {
    for (const [samples, target] of [[result.reference, reference] as const, [result.ours, ours] as const]) {
      samples.push(await send(target));
      await sleep(10);
    }
  }
  return result;
}

function compare(measure: string, ours: number, reference: number, unit: string, goal: string, better: "less" | "more"): Row {
  const ratio = ours / reference;
  return {
    measure,
    ours: `${ours.toFixed(1)} ${unit}`,
    reference: `${reference.toFixed(1)} ${unit}`,
    ratio: better === "less" ? `${ratio.toFixed(2)}×` : `${(ratio * 100).toFixed(0)} %`,
    goal,
  };
}

/** From a server with nothing warm in a runtime to the answer, against a bare jail with the interpreter. */
async function firstRun(target: Target): Promise<Row> {
  const began = performance.now();
  const body = JSON.stringify({ language: "bash", code: "echo hello" });
  const { status } = await post(target, body);
  if (status !== 200) throw new Error(`the first run answered ${status}`);
  const ours = performance.now() - began;
  const bare = Array.from({ length: 5 }, () => {
    const start = performance.now();
    const words = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "bash", "-c", "echo hello"];
    execFileSync("bwrap", words, { cwd: "/", env: { PATH: "/usr/bin:/bin" } });
    return performance.now() - start;
  });
  return compare("first run of a runtime, nothing warm (bash)", ours, percentile(bare, 0.5), "ms", "≤ 1.5×", "less");
}

/** Many submissions at once: every one is accepted or told to wait, and every accepted one ends. */
async function burst(target: Target, count: number): Promise<Row> {
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, () => post({ ...target, path: "/api/v1/runs" }, target.body("hello"))));
  const acceptedMs = performance.now() - began;
  const accepted = answers.filter((answer) => answer.status === 202).map((answer) => (JSON.parse(answer.body) as { id: string }).id);
  const refused = answers.filter((answer) => answer.status === 429 && answer.retryAfter !== undefined).length;
  const ended = await countEnded(target, accepted);
  const lost = count - refused - ended;
  return {
    measure: `burst of ${count} submissions`,
    ours: `${accepted.length} accepted, ${refused} told 429, in ${(acceptedMs / 1000).toFixed(2)} s; ${ended} ended, ${lost} lost`,
    reference: "",
    ratio: `${((count * 1000) / acceptedMs).toFixed(0)}/s`,
    goal: "none lost",
  };
}

async function countEnded(target: Target, ids: readonly string[]): Promise<number> {
  const open = new Set(ids);
  for (const deadline = Date.now() + 180_000; open.size > 0 && Date.now() < deadline; await sleep(500)) {
    for (const id of [...open].slice(0, 200)) {
      const response = await fetch(`http://127.0.0.1:${target.port}/api/v1/runs/${id}`, { headers: target.headers });
      const { status } = (await response.json()) as { status: string };
      if (status !== "succeeded") break;
      open.delete(id);
    }
  }
  return ids.length - open.size;
}

async function measureAll(ours: Target, reference: Target): Promise<Row[]> {
  const rows = [await firstRun(ours)];
  // Until the compilers of both have settled.
  await load(reference, 1, 1000);
  await load(ours, 1, 2000);
  const one = await inTurns(ours, reference, 1, 150);
  rows.push(
    compare(
      "warm POST /api/v1/executions, one client without a pause, p50",
      percentile(one.ours, 0.5),
      percentile(one.reference, 0.5),
      "ms",
      "≤ 1.5× (first goal 2×)",
      "less",
    ),
  );
  rows.push(compare("the same, p99", percentile(one.ours, 0.99), percentile(one.reference, 0.99), "ms", "≤ 2×", "less"));
  const calm = await alternating(ours, reference, 300);
  rows.push(
    compare(
      "warm, a request every 10 ms, p50",
      percentile(calm.ours, 0.5),
      percentile(calm.reference, 0.5),
      "ms",
      "≤ 1.5× (first goal 2×)",
      "less",
    ),
  );
  rows.push(compare("the same, p99", percentile(calm.ours, 0.99), percentile(calm.reference, 0.99), "ms", "≤ 2×", "less"));
  const many = await inTurns(ours, reference, 32, 300);
  rows.push(
    compare(
      "fresh executions per second, 32 clients, records included",
      percentile(many.oursPerSecond, 0.5),
      percentile(many.referencePerSecond, 0.5),
      "/s",
      "≥ 70 %",
      "more",
    ),
  );
  rows.push(await burst(ours, 5000));
  return rows;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.measure} | ${row.ours} | ${row.reference} | ${row.ratio} | ${row.goal} |`);
  return ["| measure | Syla | reference | ratio | goal |", "|---|---|---|---|---|", ...lines].join("\n");
}

const ours = await startOurs();
const reference = await startReference();
try {
  const text = table(await measureAll(ours.target, reference.target));
  const machine = `${cpus().length} CPUs, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  console.log(`${machine}\n\n${text}`);
  if (process.argv.includes("--write"))
    writeFileSync(
      join(root, "bench/results.md"),
      `# Benchmark results\n\nLast run: ${machine}. Ratios count; absolute figures are this machine's on that day.\n\n${text}\n`,
    );
} finally {
  reference.child.kill();
  ours.child.kill("SIGTERM");
  await new Promise((resolve) => ours.child.once("exit", resolve));
  rmSync(ours.data, { recursive: true, force: true });
}
