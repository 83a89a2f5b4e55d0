import { parseArgs } from "node:util";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs } from "./servers.ts";

/**
 * How long a run in a workspace takes to start, by the number of its files, and what 100 clones of a workspace take:
 * `node bench/workspaces.ts [ROUNDS] [--write]`. The reference is the same program in no workspace, in the same round.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const rounds = Number(positionals[0] ?? 15);
const counts = [10, 100, 1000, 10_000];
const clones = 100;
const fileBytes = 200;

await using server = await startOurs({ SYLA_RATE_LIMIT: "0" });

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, {
    method,
    headers: { ...server.headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function makeWorkspace(count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, index) => ({
    path: `d${index % 100}/f${index}.txt`,
    content: `${index} `.padEnd(fileBytes, "x"),
  }));
  return (await call<{ id: string }>("POST", "/workspaces", { name: `${count} files`, files })).id;
}

interface Timed {
  readonly status: string;
  readonly timings: { readonly startMs: number; readonly runMs: number };
}

/** Milliseconds from the claim to the program's first instruction, and from the request to the answer. */
async function time(workspaceId: string | null, writeBack: boolean): Promise<{ start: number; total: number }> {
  const place = workspaceId === null ? {} : { workspaceId, writeBack };
  const began = performance.now();
  const run = await call<Timed>("POST", "/executions?wait=true", { language: "python", code: `print(${Math.random()})`, ...place });
  if (run.status !== "succeeded") throw new Error(`a run has ${run.status}`);
  return { start: run.timings.startMs, total: performance.now() - began };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const shown = (ms: number) => ms.toFixed(ms < 10 ? 1 : 0);

const places: readonly (readonly [string, string | null])[] = [
  ["none", null],
  ...(await Promise.all(counts.map(async (count) => [`${count} files`, await makeWorkspace(count)] as const))),
];
const rows: string[][] = [];
let ofTen = Number.NaN;
for (const [name, id] of places) {
  const first = await time(id, false); // what is made once
  const plain: { start: number; total: number }[] = [];
  const written: { start: number; total: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await time(id, false));
    if (id !== null) written.push(await time(id, true));
  }
  const start = median(plain.map((timed) => timed.start));
  if (name === places[1]?.[0]) ofTen = start;
  rows.push([
    name,
    shown(first.start),
    shown(start),
    Number.isNaN(ofTen) ? "" : (start / ofTen).toFixed(2),
    shown(median(plain.map(({ total }) => total))),
    written.length === 0 ? "" : shown(median(written.map(({ total }) => total))),
  ]);
}

const usage = async () => {
  await call("POST", "/admin/storage/jobs", { kind: "measure" });
  for (;;) {
    const { usage: found, jobs } = await call<{ usage: { bytes: number } | null; jobs: { state: string }[] }>("GET", "/admin/storage");
    if (jobs.every(({ state }) => state !== "running") && found !== null) return found.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
const cloned = places.at(-1)?.[1] ?? "";
const before = await usage().catch(() => null);
const began = performance.now();
for (let made = 0; made < clones; made += 1) await call("POST", `/workspaces/${cloned}/clone`, {});
const cloneMs = (performance.now() - began) / clones;
const after = await usage().catch(() => null);

const table = markdownTable(
  ["workspace", "first start ms", "start ms", "to that of 10 files", "request to answer ms", "with what was changed taken back ms"],
  rows,
);
const room = before === null || after === null ? "not known" : `${after - before} bytes`;
report(
  "runs in workspaces",
  `${describeMachine()}. Medians of ${rounds} runs of \`print(…)\`, one after another; files of ${fileBytes} bytes.\n\n${table}\n\n` +
    `${clones} clones of the workspace of ${counts.at(-1)} files: ${shown(cloneMs)} ms each, ${room} of content.\n`,
);
