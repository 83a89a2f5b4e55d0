import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "@syla/server/config";
import { createLogger } from "@syla/server/platform/logger";
import { startServer } from "@syla/server/server";
import { readCpuMs } from "./backend-cpu.ts";
import { fillCatalog } from "./catalog-fill.ts";
import { percentile } from "./load.ts";

/**
 * Measures lists and searches of a catalog with many assets, over HTTP, for a person who may see a part of it, and for an administrator.
 * `node bench/catalog.ts [ASSETS]`; `--calls N` of each; `--json` prints one document instead of the table.
 */

/** One list. The processor time is of the database alone, for each call: it is the same however busy the machine is. */
interface Figure {
  readonly who: string;
  readonly list: string;
  readonly items: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly databaseCpuMs: number;
}

const goalMs = 50;

const lists: Readonly<Record<string, string>> = {
  mine: "view=mine",
  shared: "view=shared",
  public: "view=public",
  all: "view=all",
  "all, by name": "view=all&sort=name",
  "all, last run": "view=all&sort=lastRun",
  "all, two tags": "view=all&tags=http,daily",
  "all, one owner": "view=all&owner=me",
  "all, a type that is rare": "view=all&type=model",
  "shared, by name": "view=shared&sort=name",
  "search, one word": "q=weather",
  "search, one letter": "q=w",
  "search, two beginnings": "q=wea%20rep",
  "search, a rare one": "q=4711",
  "search, mistyped": "q=wether",
  "search, two words, mistyped": "q=wether%20reprot",
  "search, Chinese": "q=%E5%88%86%E6%9E%90",
  "search, nothing": "q=xyzzy",
  "search, a sign": "q=%F0%9F%9A%80",
  "search, by name": "q=weather&sort=name",
  "search, with a tag": "q=weather&tags=http",
};

const warmUp = 3;

async function ask(url: string, key: string, query: string): Promise<{ ms: number; items: number }> {
  const begin = performance.now();
  const answer = await fetch(`${url}/api/v1/assets?${query}`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`${query} was answered ${answer.status}: ${await answer.text()}`);
  const { items } = (await answer.json()) as { items: unknown[] };
  return { ms: performance.now() - begin, items: items.length };
}

async function measureList(
  url: string,
  key: string,
  query: string,
  calls: number,
  postmaster: number,
): Promise<Omit<Figure, "who" | "list">> {
  for (let call = 0; call < warmUp; call++) await ask(url, key, query);
  const begin = readCpuMs(postmaster);
  const answers = [];
  for (let call = 0; call < calls; call++) answers.push(await ask(url, key, query));
  const databaseCpuMs = (readCpuMs(postmaster) - begin) / calls;
  const samples = answers.map(({ ms }) => ms);
  return { items: answers[0]?.items ?? 0, p50Ms: percentile(samples, 0.5), p95Ms: percentile(samples, 0.95), databaseCpuMs };
}

/** All lists of both people, in a server of its own whose catalog is filled first. */
export async function measureCatalog(assetCount: number, calls: number): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "syla-bench-"));
  const config = loadConfig({ SYLA_DATA_DIR: dataDir, SYLA_PORT: "0", SYLA_RATE_LIMIT: "0", SYLA_WORKER_SLOTS: "0" });
  const server = await startServer(config, createLogger("silent"), {});
  try {
    const { personKey, adminKey } = await fillCatalog(server.context, assetCount);
    await server.context.database.runPrepared({ name: "analyze", text: "vacuum analyze" }, []);
    const postmaster = Number(readFileSync(join(dataDir, "postgres", "cluster", "postmaster.pid"), "utf8").split("\n")[0]);
    const figures: Figure[] = [];
    for (const [who, key] of Object.entries({ person: personKey, administrator: adminKey }))
      for (const [list, query] of Object.entries(lists))
        figures.push({ who, list, ...(await measureList(server.url, key, query, calls, postmaster)) });
    return figures;
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The figures for the page of results. */
export function describeCatalog(figures: readonly Figure[], assetCount: number): string {
  const lines = figures.map(
    ({ who, list, items, p50Ms, p95Ms, databaseCpuMs }) =>
      `| ${who} | ${list} | ${items} | ${p50Ms.toFixed(1)} | ${p95Ms.toFixed(1)} | ${databaseCpuMs.toFixed(1)} |`,
  );
  const slow = figures.filter(({ p95Ms }) => p95Ms >= goalMs).length;
  return [
    `A page of 50 out of ${assetCount.toLocaleString("en")} assets, over HTTP. Goal: below ${goalMs} ms; ${figures.length - slow} of ${figures.length} are, at the 95th percentile.`,
    "",
    "| who | list | items | p50 ms | p95 ms | processor ms of the database |",
    "|---|---|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

if (import.meta.main) {
  const options = { calls: { type: "string", default: "30" }, json: { type: "boolean", default: false } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const assetCount = Number(positionals[0] ?? 100_000);
  const figures = await measureCatalog(assetCount, Number(values.calls));
  console.log(values.json ? JSON.stringify({ assets: assetCount, goalMs, figures }) : describeCatalog(figures, assetCount));
}
