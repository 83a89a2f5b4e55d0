import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { load, post } from "./load.ts";
import { peakMemoryMiB } from "./process-use.ts";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, startReference, type Server } from "./servers.ts";
import { readEnds, readQueue, readStatus, spread, submit, untilDrained, type Submission } from "./submissions.ts";

/**
 * Many executions that are there at once: `node bench/concurrent.ts [COUNT] [--write]`. Programs that wait have every slot until all are
 * accepted, so that none of them ends before the last has come; then they go, and everything is run. Every one has to end.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const count = Number(positionals[0] ?? 10_000);
const clients = 64;
const slots = 4 * availableParallelism();
/** Once the queue is full. */
const tooMany = 100;

/** Takes all slots. @returns what gives them back */
async function occupy(server: Server): Promise<() => Promise<void>> {
  const address = { port: server.port, path: "/api/v1/runs", headers: server.headers };
  const body = JSON.stringify({ language: "bash", code: "exec sleep 3600", limits: { wallMs: 3_600_000 } });
  const answers = await Promise.all(Array.from({ length: slots }, () => post(address, body)));
  const ids = answers.map((answer) => (JSON.parse(answer.body) as { id: string }).id);
  for (let running = 0; running < slots; await sleep(50))
    running = (await Promise.all(ids.map((id) => readStatus(server, id)))).filter((status) => status === "running").length;
  return async () => void (await Promise.all(ids.map((id) => post({ ...address, path: `/api/v1/runs/${id}/cancel` }, ""))));
}

async function submitAll(server: Server, many: number): Promise<Submission[]> {
  const submissions: Submission[] = [];
  let left = many;
  const client = async () => {
    while (left-- > 0) submissions.push(await submit(server));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return submissions;
}

const seconds = (since: number) => (performance.now() - since) / 1000;

await using server = await startOurs({ SYLA_WORKER_SLOTS: String(slots), SYLA_QUEUE_LIMIT: String(count) });
using reference = await startReference();
const release = await occupy(server);
const beganToSubmit = performance.now();
const submissions = await submitAll(server, count);
const acceptedIn = seconds(beganToSubmit);
const { queued } = await readQueue(server);
const refused = await submitAll(server, tooMany);
const beganToRun = performance.now();
await release();
await untilDrained(server);
const drainedIn = seconds(beganToRun);
const ends = await readEnds(server, [...submissions, ...refused]);
const peak = peakMemoryMiB(server.pid);
await load(reference, slots, 500);
const bare = (await load(reference, slots, 2000)).perSecond;
const ours = ends.succeeded / drainedIn;
const rows: [string, string][] = [
  ["submitted by 64 clients", `${count}, and ${tooMany} more when the queue was full`],
  ["accepted", `${ends.accepted}`],
  ["refused with `429` and `Retry-After`", `${ends.toldToWait}`],
  ["failed to submit", `${ends.failed}`],
  ["there at once, none of them ended", `${queued}`],
  ["ended as succeeded", `${ends.succeeded}`],
  ["lost", `${ends.lost}`],
  ["accepted in", `${acceptedIn.toFixed(1)} s, ${(count / acceptedIn).toFixed(0)}/s`],
  [
    "time to be accepted, p50 / p95 / p99",
    `${spread(
      submissions.map(({ ms }) => ms),
      1,
    ).join(" / ")} ms`,
  ],
  ["all ended in", `${drainedIn.toFixed(1)} s, ${ours.toFixed(0)}/s`],
  [`the same by the reference, which records nothing`, `${bare.toFixed(0)}/s; ours ${((ours / bare) * 100).toFixed(0)} %`],
  [
    "time in the queue, p50 / p95 / p99",
    `${spread(
      ends.queueMs.map((ms) => ms / 1000),
      1,
    ).join(" / ")} s`,
  ],
  ["most memory of the server", `${peak.toFixed(0)} MiB`],
];
report(
  `${count.toLocaleString("en")} executions at once`,
  `\`node bench/concurrent.ts ${count}\`, ${describeMachine()}. Real sandboxes, ${slots} at a time.\n\n${markdownTable(["measure", "result"], rows)}`,
);
if (ends.lost > 0 || ends.failed > 0) process.exitCode = 1;
