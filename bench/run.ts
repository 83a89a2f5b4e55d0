import { setTimeout as sleep } from "node:timers/promises";
import { describeCatalog, measureCatalog } from "./catalog.ts";
import { measureFirstRuns } from "./first-run.ts";
import { get, load, loadWith, percentile, post, send, type Target } from "./load.ts";
import { measureOthers } from "./others.ts";
import { describeMachine, keepResults } from "./results.ts";
import { freshTarget, startEmptyRoute, startOurs, startReference, type Server } from "./servers.ts";

/**
 * Measures the speed table against references in the same run, in turns, so that a busy machine slows both.
 * `node bench/run.ts [--write]`; with `--write` the tables are kept in `bench/results.md`.
 */

interface Row {
  readonly measure: string;
  readonly ours: string;
  readonly reference: string;
  readonly ratio: string;
  readonly goal: string;
}

const rounds = 5;

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

/**
 * Requests that a kept result answers, against two that do nothing: a route of the same server that reads no body, and our HTTP border in
 * a process of its own with a route that reads and validates the same body.
 */
async function cached({ port, headers }: Server): Promise<Row[]> {
  using empty = await startEmptyRoute();
  const kept = { port, path: "/api/v1/executions?wait=true", headers };
  const idle = { port, path: "/api/v1/server", headers };
  const body = JSON.stringify({ language: "python", code: "print('kept')", cache: true });
  await post(kept, body);
  const calls = {
    idle: () => get(idle),
    empty: async () => expectEmpty(await post(empty, body)),
    kept: async () => expectKept(await post(kept, body)),
  };
  const figures = { idle: [] as number[], empty: [] as number[], kept: [] as number[] };
  for (const call of Object.values(calls)) await loadWith(16, 20_000, call);
  for (let round = 0; round < rounds; round++)
    for (const name of ["idle", "empty", "kept"] as const) figures[name].push(await loadWith(16, 3000, calls[name]));
  const [ours, validated, bare] = [figures.kept, figures.empty, figures.idle].map((rates) => percentile(rates, 0.5)) as [
    number,
    number,
    number,
  ];
  return [
    compare(
      "cached executions per second, 16 clients (reference: an empty route, same body validated)",
      ours,
      validated,
      "/s",
      "≥ 60 %",
      "more",
    ),
    compare("the same (reference: GET /api/v1/server, no body)", ours, bare, "/s", "", "more"),
  ];
}

function expectEmpty({ status, body }: { status: number; body: string }): void {
  if (status !== 200) throw new Error(`the empty route answered ${status} ${body.slice(0, 200)}`);
}

function expectKept({ status, body }: { status: number; body: string }): void {
  if (status !== 200 || !body.includes('"cached":true')) throw new Error(`not from the cache: ${status} ${body.slice(0, 200)}`);
}

async function oneClient(ours: Target, reference: Target): Promise<Row[]> {
  const one = await inTurns(ours, reference, 1, 150);
  const calm = await alternating(ours, reference, 300);
  const at = (figures: { ours: number[]; reference: number[] }, share: number, measure: string, goal: string) =>
    compare(measure, percentile(figures.ours, share), percentile(figures.reference, share), "ms", goal, "less");
  return [
    at(one, 0.5, "warm POST /api/v1/executions, one client without a pause, p50", "≤ 1.5×"),
    at(one, 0.99, "the same, p99", "≤ 2×"),
    at(calm, 0.5, "warm, a request every 10 ms, p50", "≤ 1.5×"),
    at(calm, 0.99, "the same, p99", "≤ 2×"),
  ];
}

async function manyClients(ours: Target, reference: Target, clients: number, goal: string): Promise<Row[]> {
  const many = await inTurns(ours, reference, clients, 300);
  const at = (share: number) => [percentile(many.ours, share), percentile(many.reference, share)] as const;
  const rates = [percentile(many.oursPerSecond, 0.5), percentile(many.referencePerSecond, 0.5)] as const;
  return [
    compare(`fresh executions per second, ${clients} clients, records included`, ...rates, "/s", goal, "more"),
    compare("the same, p50", ...at(0.5), "ms", "", "less"),
    compare("the same, p99", ...at(0.99), "ms", "", "less"),
  ];
}

async function measureAll(server: Server, reference: Target): Promise<Row[]> {
  const ours = freshTarget(server);
  const rows: Row[] = [];
  // Until the compilers of both have settled.
  await load(reference, 1, 1000);
  await load(ours, 1, 2000);
  rows.push(...(await oneClient(ours, reference)));
  for (const clients of [8, 32, 64]) rows.push(...(await manyClients(ours, reference, clients, clients === 32 ? "≥ 70 %" : "")));
  rows.push(...(await cached(server)));
  rows.push(await burst(ours, 5000));
  return rows;
}

/** A fresh Python program in each, as a person would start it: no server, no record, no limits but the default ones. */
async function sideBySide(server: Server): Promise<string> {
  const ours = freshTarget(server);
  const one = await load(ours, 1, 200);
  const many = await load(ours, 8, 400);
  const rows = [
    {
      name: "Syla, over HTTP",
      p50: percentile(one.samples, 0.5),
      p99: percentile(one.samples, 0.99),
      perSecond: many.perSecond,
      version: "",
    },
    ...measureOthers(),
  ];
  const lines = rows.map(
    ({ name, version, p50, p99, perSecond }) =>
      `| ${name}${version === "" ? "" : ` (${version})`} | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${perSecond.toFixed(0)}/s |`,
  );
  return ["| a fresh sandbox for `print` in Python | p50 | p99 | 8 at once |", "|---|---:|---:|---:|", ...lines].join("\n");
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.measure} | ${row.ours} | ${row.reference} | ${row.ratio} | ${row.goal} |`);
  return ["| measure | Syla | reference | ratio | goal |", "|---|---|---|---|---|", ...lines].join("\n");
}

const first = (await measureFirstRuns(rounds)).map(({ what, ours, bare }) => compare(what, ours, bare, "ms", "≤ 1.5×", "less"));
// Whoever asks for `GET /api/v1/server` is not known there, and so would soon be one too many of an address.
await using server = await startOurs({ SYLA_RATE_LIMIT_ANONYMOUS: "0" });
using reference = await startReference();
const measured = table([...first, ...(await measureAll(server, reference))]);
const beside = await sideBySide(server);
const catalogAssets = 100_000;
const catalog = describeCatalog(await measureCatalog(catalogAssets, 30), catalogAssets);
const machine = describeMachine();
console.log(`${machine}\n\n${measured}\n\n${beside}\n\n${catalog}`);
if (process.argv.includes("--write"))
  keepResults(
    `# Benchmark results\n\nLast run: ${machine}. Ratios count; absolute figures are this machine's on that day.\n\n${measured}\n\n## Side by side\n\nWhat one would pick instead, in the same run: nothing kept warm, nothing recorded, no limits set.\n\n${beside}\n\n## Catalog\n\n${catalog}\n`,
  );
