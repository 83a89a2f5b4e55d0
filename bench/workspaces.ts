import { parseArgs } from "node:util";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * How long a run in a workspace takes to start, by the number of its files, and what 100 clones of a workspace take:
 * `node bench/workspaces.ts [ROUNDS] [--write]`. The reference is the same run, in the same round, on a server that puts the files into each
 * sandbox one by one; with many files that takes long, so it runs in fewer rounds, as many as fit into a time.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const rounds = Number(positionals[0] ?? 15);
const counts = [10, 100, 1000, 10_000];
const clones = 100;
const fileBytes = 200;
/** So long the reference is asked for one figure, and once at least: all of it takes less than five minutes. */
const referenceMs = 12_000;

async function call<T>({ port, headers }: Server, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function makeWorkspace(server: Server, count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, index) => ({
    path: `d${index % 100}/f${index}.txt`,
    content: `${index} `.padEnd(fileBytes, "x"),
  }));
  return (await call<{ id: string }>(server, "POST", "/workspaces", { name: `${count} files`, files })).id;
}

/** What it took a run, milliseconds: from its claim to the program's first instruction, and from the request to the answer. */
interface Timed {
  readonly start: number;
  readonly total: number;
}

async function time(server: Server, workspaceId: string | null, writeBack = false): Promise<Timed> {
  const place = workspaceId === null ? {} : { workspaceId, writeBack };
  const code = writeBack ? `open("d0/f0.txt", "w").write("${Math.random()}")` : `print(${Math.random()})`;
  const began = performance.now();
  const wish = { language: "python", code, ...place };
  const run = await call<{ status: string; timings: { startMs: number } }>(server, "POST", "/executions?wait=true", wish);
  if (run.status !== "succeeded") throw new Error(`a run has ${run.status}`);
  return { start: run.timings.startMs, total: performance.now() - began };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const shown = (ms: number) => ms.toFixed(ms < 10 ? 1 : 0);
const ratio = (value: number, reference: number) => `${(value / reference).toFixed(2)}×`;

await using ready = await startOurs({ SYLA_RATE_LIMIT: "0" });
await using copying = await startOurs({ SYLA_RATE_LIMIT: "0", SYLA_TREE_CACHE_BYTES: "0" });
const servers = [ready, copying] as const;

/** What was measured in rounds: what took how long on the server where files lie ready, and on the one that copies them. */
type Measured = readonly [ours: readonly Timed[], theirs: readonly Timed[]];

/** Runs in turn on both, as long as there is time for the second one; then on the first alone. */
async function measureRounds(ids: readonly (string | null)[], writeBack: boolean): Promise<Measured> {
  const timed: [Timed[], Timed[]] = [[], []];
  let usedMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    timed[0].push(await time(ready, ids[0] ?? null, writeBack));
    if (usedMs >= referenceMs) continue;
    const one = await time(copying, ids[1] ?? null, writeBack);
    timed[1].push(one);
    usedMs += one.total;
  }
  return timed;
}

/** Of one number of files: medians on both servers. */
async function measure(count: number | null) {
  const ids = await Promise.all(servers.map(async (server) => (count === null ? null : await makeWorkspace(server, count))));
  const first: number[] = []; // what is made once
  for (const [at, server] of servers.entries()) first.push((await time(server, ids[at] ?? null)).start);
  const plain = await measureRounds(ids, false);
  const written: Measured = count === null ? [[], []] : await measureRounds(ids, true);
  const medians = (timed: Measured, key: keyof Timed) => timed.map((list) => median(list.map((one) => one[key]))) as [number, number];
  return {
    first,
    start: medians(plain, "start"),
    total: medians(plain, "total"),
    changed: medians(written, "start"),
    back: medians(written, "total"),
    rounds: plain[1].length,
    ids,
  };
}

const rows: string[][] = [];
let ofTen = Number.NaN;
let largest: string | null = null;
for (const count of [null, ...counts]) {
  console.error(`${count ?? "no"} files …`);
  const { first, start, changed, total, back, rounds: ofReference, ids } = await measure(count);
  if (count === counts[0]) ofTen = start[0];
  largest = ids[0] ?? null;
  const pair = ([ours, theirs]: readonly [number, number]) => [`${shown(ours)} / ${shown(theirs)}`, ratio(...([ours, theirs] as const))];
  rows.push([
    count === null ? "no workspace" : `${count} files`,
    first.map(shown).join(" / "),
    ...pair(start),
    Number.isNaN(ofTen) ? "" : ratio(start[0], ofTen),
    ...(count === null ? ["", ""] : pair(changed)),
    ...pair(total),
    ...(count === null ? ["", ""] : pair(back)),
    String(ofReference),
  ]);
}

async function storedBytes(): Promise<number> {
  await call(ready, "POST", "/admin/storage/jobs", { kind: "measure" });
  for (;;) {
    const found = await call<{ usage: { bytes: number } | null; jobs: { state: string }[] }>(ready, "GET", "/admin/storage");
    if (found.jobs.every(({ state }) => state !== "running") && found.usage !== null) return found.usage.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
const before = await storedBytes();
const began = performance.now();
for (let made = 0; made < clones; made += 1) await call(ready, "POST", `/workspaces/${largest ?? ""}/clone`, {});
const cloneMs = (performance.now() - began) / clones;
const added = (await storedBytes()) - before;

const head = [
  "",
  "first start, ms",
  "start, ms",
  "ratio",
  "to that of 10 files",
  "start after a change, ms",
  "ratio",
  "request to answer, ms",
  "ratio",
  "with a file taken back, ms",
  "ratio",
  "rounds of the reference",
];
report(
  "runs in workspaces",
  `${describeMachine()}. Medians of ${rounds} runs of a line of Python, one after another; files of ${fileBytes} bytes. Each pair: the files lie ready / they are put into each sandbox ` +
    `one by one (the reference, in the same round, in as many as fit into ${referenceMs / 1000} s). Up to 64 files are put in one by one in both. After a change: each run has left another file.\n\n${markdownTable(head, rows)}\n\n` +
    `${clones} clones of the workspace of ${counts.at(-1)} files: ${shown(cloneMs)} ms each, ${added} bytes of content more (${ratio(added, (counts.at(-1) ?? 0) * fileBytes * clones)} of as many copies).\n`,
);
