import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startReaders, type Behaviour, type ReadersPlan, type ReadersReport } from "./event-readers.ts";
import { post, type Address } from "./load.ts";
import { cpuSeconds, memoryMiB, peakMemoryMiB, resetPeakMemory } from "./process-use.ts";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startEventSource, startOurs, type Server } from "./servers.ts";

/**
 * Many readers of one run that prints all the time: `node bench/readers.ts [READERS] [LINES A SECOND] [SECONDS] [--write]`. Some are slow, some
 * go away and come back, one never reads. Every one that reads has to get every line, byte for byte.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const [readers = 1000, rate = 1000, seconds = 30] = positionals.map(Number);
const processes = 2;
const program = `
import sys, time
begin = time.monotonic()
n = 0
while n < ${rate * seconds}:
    due = min(${rate * seconds}, int((time.monotonic() - begin) * ${rate}) + 1)
    for n in range(n, due):
        sys.stdout.write("%07d xxxxxxxxxxxxxxxxxxxx\\n" % n)
    n = due
    sys.stdout.flush()
    time.sleep(0.001)
`;

interface Figures {
  readonly reports: readonly ReadersReport[];
  readonly cpuShare: number;
  readonly restMiB: number;
  readonly peakMiB: number;
}

/** Readers in processes of their own, from before the first line until all have read everything. */
async function measure(
  pid: number,
  address: Address,
  odd: Readonly<Record<Exclude<Behaviour, "steady">, number>>,
  begin: () => Promise<void>,
) {
  const none = { slow: 0, leaving: 0, silent: 0 };
  const oddCount = odd.slow + odd.leaving + odd.silent;
  const plans = Array.from({ length: processes }, (_, index): ReadersPlan => {
    const steady = Math.floor((readers - oddCount) / processes) + (index < (readers - oddCount) % processes ? 1 : 0);
    return { ...address, readers: { steady, ...(index === 0 ? odd : none) } };
  });
  using stack = new DisposableStack();
  const started = plans.map((plan) => stack.use(startReaders(plan)));
  await Promise.all(started.map(({ connected }) => connected));
  await begin();
  resetPeakMemory(pid);
  const [restMiB, cpuBefore] = [memoryMiB(pid), cpuSeconds(pid)];
  const reports = await Promise.all(started.map((one) => one.report));
  const cpuShare = (cpuSeconds(pid) - cpuBefore) / seconds;
  return { reports, cpuShare, restMiB, peakMiB: peakMemoryMiB(pid) } satisfies Figures;
}

async function submit(server: Server, language: string, code: string): Promise<string> {
  const limits = { wallMs: 3_600_000, outputBytes: 256 * 1024 * 1024 };
  const answer = await post({ ...server, path: "/api/v1/runs" }, JSON.stringify({ language, code, limits }));
  return (JSON.parse(answer.body) as { id: string }).id;
}

/** Waits for what a run prints first. */
async function untilItPrints(server: Server, id: string): Promise<void> {
  for (let stdout = ""; stdout === ""; await sleep(20)) {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/${id}`, { headers: server.headers });
    ({ stdout } = (await response.json()) as { stdout: string });
  }
}

/** What a reader has to have read, from the log as it is stored. */
async function expected(server: Server, id: string): Promise<string> {
  const log = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/${id}/log?stream=stdout`, { headers: server.headers });
  const lines = (await log.text()).split("\n").slice(0, -1);
  if (lines.length !== rate * seconds || !lines.every((line, index) => line.startsWith(String(index).padStart(7, "0"))))
    throw new Error(`the log has ${lines.length} lines, or not in order`);
  const events = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/${id}/events`, { headers: server.headers });
  const hash = createHash("sha256");
  for (const block of (await events.text()).split("\n\n").slice(0, -1)) if (!block.startsWith(":")) hash.update(block);
  return `${lines.length} lines, ${hash.digest("hex").slice(0, 16)}`;
}

function lagOf(reports: readonly ReadersReport[], share: number): string {
  const length = reports[0]?.lagMs.length ?? 0;
  const counts = Array.from({ length }, (_, ms) => reports.reduce((sum, { lagMs }) => sum + (lagMs[ms] ?? 0), 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const at = counts.findIndex((count) => (seen += count) >= total * share);
  return at === length - 1 ? `more than ${at}` : String(at);
}

function cells({ reports, cpuShare, restMiB, peakMiB }: Figures): string[] {
  const lags = [0.5, 0.95, 0.99, 1].map((share) => lagOf(reports, share));
  return [...lags, `${(cpuShare * 100).toFixed(0)} %`, restMiB.toFixed(0), peakMiB.toFixed(0)];
}

async function measureOurs(): Promise<{ figures: Figures; delivery: string }> {
  await using server = await startOurs({ SYLA_WORKER_SLOTS: "1" });
  // The run waits for the only slot until all readers are there.
  const first = await submit(server, "bash", "echo up; exec sleep 3600");
  await untilItPrints(server, first);
  const id = await submit(server, "python", program);
  const begin = async () => {
    await post({ ...server, path: `/api/v1/runs/${first}/cancel` }, "");
    await untilItPrints(server, id);
  };
  const odd = { slow: 5, leaving: 5, silent: 1 };
  const address = { port: server.port, path: `/api/v1/runs/${id}/events`, headers: server.headers };
  const figures = await measure(server.pid, address, odd, begin);
  const whole = await expected(server, id);
  const read = figures.reports.flatMap((one) => Object.entries(one.read));
  const wrong = read.filter(([key]) => !key.endsWith(`: ${whole}`));
  const misplaced = figures.reports.reduce((sum, one) => sum + one.misplaced, 0);
  if (wrong.length > 0 || misplaced > 0) {
    console.error({ whole, wrong, misplaced });
    process.exitCode = 1;
  }
  const complete = read.filter(([key]) => key.endsWith(`: ${whole}`)).reduce((sum, [, count]) => sum + count, 0);
  const delivery = `${complete} of ${readers - odd.silent} readers have read all ${rate * seconds} lines, in the bytes that are stored: ${odd.slow} of them were slow and ${odd.leaving} came and went; ${odd.silent} more never read. Events that were missing or came twice: ${misplaced}.`;
  return { figures, delivery };
}

async function measureReference(): Promise<Figures> {
  using source = await startEventSource();
  return await measure(source.pid, source, { slow: 0, leaving: 0, silent: 0 }, async () => source.begin(rate, seconds));
}

const bare = await measureReference();
const { figures, delivery } = await measureOurs();
const head = ["", "lag p50 ms", "p95 ms", "p99 ms", "most", "processor", "memory before, MiB", "most memory, MiB"];
report(
  `${readers.toLocaleString("en")} readers of one run`,
  `\`node bench/readers.ts ${readers} ${rate} ${seconds}\`, ${describeMachine()}. A program prints ${rate} lines a second for ${seconds} s; the lag is from the time that an event carries until a reader has it, the processor time that of the server, for each second of output. The readers and the program use the same processors. The reference sends as much to as many, and neither knows who reads, nor keeps anything.\n\n${markdownTable(
    head,
    [
      ["Syla", ...cells(figures)],
      ["reference", ...cells(bare)],
    ],
  )}\n\n${delivery}`,
);
