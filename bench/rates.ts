import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { load } from "./load.ts";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, startReference, type Server } from "./servers.ts";
import { readEnds, spread, submit, untilDrained, type Submission } from "./submissions.ts";

/**
 * What it takes to be accepted while so many come each second, whatever became of those before: `node bench/rates.ts [RATE…] [--write]`.
 * Each is timed from when it was due. After each rate everything that was accepted is run to its end, and then comes a burst.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const rates = positionals.length === 0 ? [50, 100, 200, 400, 800] : positionals.map(Number);
const secondsEach = 10;
const tickMs = 5;
const burst = 5000;

/** Sends `rate` a second, evenly, for as long as it takes `count` of them. */
async function submitEvenly(server: Server, rate: number, count: number): Promise<Submission[]> {
  const began = performance.now();
  const answers: Promise<Submission>[] = [];
  while (answers.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - began) * rate) / 1000) + 1);
    while (answers.length < due) answers.push(submit(server, began + (answers.length * 1000) / rate));
    await sleep(tickMs);
  }
  return await Promise.all(answers);
}

async function measure(server: Server, what: string, send: () => Promise<Submission[]>): Promise<string[]> {
  const began = performance.now();
  const submissions = await send();
  const sentIn = (performance.now() - began) / 1000;
  const longest = await untilDrained(server);
  const { accepted, toldToWait, failed, succeeded, lost, queueMs } = await readEnds(server, submissions);
  if (lost > 0 || failed > 0) process.exitCode = 1;
  const waits = spread(
    submissions.map(({ ms }) => ms),
    1,
  );
  const perSecond = (accepted / sentIn).toFixed(0);
  return [
    what,
    perSecond,
    ...[accepted, toldToWait, failed, succeeded, lost].map(String),
    ...waits,
    spread(queueMs)[2] ?? "",
    `${longest}`,
  ];
}

await using server = await startOurs();
using reference = await startReference();
await load(reference, 8, 1000);
const bare = (await load(reference, 8, 2000)).perSecond;
await submitEvenly(server, 100, 500);
await untilDrained(server);
const rows: string[][] = [];
for (const rate of rates) rows.push(await measure(server, `${rate} a second`, () => submitEvenly(server, rate, rate * secondsEach)));
rows.push(await measure(server, `${burst} at once`, () => Promise.all(Array.from({ length: burst }, () => submit(server)))));
const head = [
  "submitted",
  "accepted a second",
  "accepted",
  "`429`",
  "failed",
  "ended",
  "lost",
  "p50 ms",
  "p95 ms",
  "p99 ms",
  "in the queue, p99 ms",
  "longest queue seen",
];
report(
  "rates of submission",
  `\`node bench/rates.ts\`, ${describeMachine()}. Each rate for ${secondsEach} s, from one process to one server that runs them at the same time; the reference runs ${bare.toFixed(0)} a second, recording nothing. The times are those until it is accepted, from when it was due.\n\n${markdownTable(head, rows)}`,
);
