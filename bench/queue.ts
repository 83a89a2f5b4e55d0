import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "@syla/server/config";
import { createLogger } from "@syla/server/platform/logger";
import { newId } from "@syla/server/platform/ids";
import { claimRuns } from "@syla/server/runs/store";
import { startServer } from "@syla/server/server";
import type { Database } from "@syla/server/platform/database";
import { readCpuMs } from "./backend-cpu.ts";
import { percentile } from "./load.ts";
import { describeMachine, markdownTable, report } from "./results.ts";

/**
 * Measures what it costs to claim eight runs from queues of different lengths and makes. `node bench/queue.ts [LENGTH…] [--write]`; `--plan`
 * prints how PostgreSQL finds one person's next runs in the longest.
 */

/** Who waits, and for what: each run by its `place`, in SQL. */
interface Make {
  readonly name: string;
  readonly people: number;
  /** The number of the person, from 0. */
  readonly owner: string;
  readonly isLater: string;
  readonly priority: string;
}

const mixed = { owner: "place % people", isLater: "false", priority: "place * 7 % 10" };

const makes: readonly Make[] = [
  { ...mixed, name: "10 people", people: 10 },
  { ...mixed, name: "1,000 people", people: 1000 },
  {
    ...mixed,
    name: "1,000 people, one has nine tenths; of all a tenth is for later",
    people: 1000,
    owner: "CASE WHEN place % 10 > 0 THEN 0 ELSE 1 + place / 10 % (people - 1) END",
    isLater: "place * 13 % 100 < 10",
  },
  {
    ...mixed,
    name: "10 people, nine tenths are for soon, and urgent",
    people: 10,
    isLater: "place / 10 % 10 > 0",
    priority: "CASE WHEN place / 10 % 10 > 0 THEN 9 ELSE 0 END",
  },
  { ...mixed, name: "1,000 people, nine in ten have nothing but for later", people: 1000, isLater: "place % people % 10 > 0" },
];

interface Figure {
  readonly make: string;
  readonly queued: number;
  readonly claimed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly databaseCpuMs: number;
}

const claims = 200;
const atOnce = 8;
const roles = { end_user: 3, developer: 3, admin: -1 };

/** Queues runs until there are `length`; nothing is run. What is for later is to begin within minutes. */
async function fill(database: Database, people: readonly string[], make: Make, have: number, length: number): Promise<void> {
  const ids = Array.from({ length: length - have }, () => newId("run"));
  const text = `INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, priority, available_at, turn_at)
    SELECT id, 'execution', 'queued', ($1::text[])[1 + owner], 'bash', 'main.sh', '{}', 'none', priority, available_at,
      CASE WHEN available_at > now() THEN 'infinity' ELSE available_at - priority * interval '1 minute' END
    FROM (SELECT id, ${make.owner} AS owner, ${make.priority} AS priority,
      now() + CASE WHEN ${make.isLater} THEN interval '1 minute' + place % 420 * interval '1 second' ELSE (place - 1000000) * interval '1 millisecond' END AS available_at
      FROM unnest($2::text[]) WITH ORDINALITY AS new(id, place), cardinality($1::text[]) AS all_people(people)) wish`;
  await database.runPrepared({ name: "fill", text }, [[...people], ids]);
  await database.runPrepared({ name: "analyze_runs", text: "VACUUM (ANALYZE) runs" }, []);
}

/** Every claim is taken back, so that each finds the same queue. @returns how long it took, and how many it got */
async function claim({ queries }: Database, workerId: string): Promise<readonly [ms: number, claimed: number]> {
  const begin = performance.now();
  const undo = new Error("take it back");
  let claimed = 0;
  await queries
    .transaction()
    .execute(async (work) => {
      claimed = (await claimRuns(work, workerId, atOnce, { roles, installation: -1 })).length;
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return [performance.now() - begin, claimed];
}

/** The queue of a server of its own that runs nothing. */
async function measureQueue(lengths: readonly number[], make: Make, showPlan: boolean): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "syla-bench-"));
  const server = await startServer(
    loadConfig({ SYLA_DATA_DIR: dataDir, SYLA_PORT: "0", SYLA_WORKER_SLOTS: "0" }),
    createLogger("silent"),
    {},
  );
  try {
    const { database, workerId } = server.context;
    const people = Array.from({ length: make.people }, () => newId("user"));
    await database.queries
      .insertInto("users")
      .values(people.map((id) => ({ id, name: id, email: `${id}@example.org`, image: null })))
      .execute();
    await database.runPrepared({ name: "analyze_users", text: "VACUUM (ANALYZE) users" }, []);
    const postmaster = Number(readFileSync(join(dataDir, "postgres", "cluster", "postmaster.pid"), "utf8").split("\n")[0]);
    const figures: Figure[] = [];
    let have = 0;
    for (const queued of lengths) {
      await fill(database, people, make, have, queued);
      have = queued;
      for (let warm = 0; warm < 10; warm++) await claim(database, workerId);
      const begin = readCpuMs(postmaster);
      const samples: number[] = [];
      let claimed = 0;
      for (let index = 0; index < claims; index++) {
        const [ms, got] = await claim(database, workerId);
        samples.push(ms);
        claimed += got / claims;
      }
      const databaseCpuMs = (readCpuMs(postmaster) - begin) / claims;
      figures.push({ make: make.name, queued, claimed, p50Ms: percentile(samples, 0.5), p99Ms: percentile(samples, 0.99), databaseCpuMs });
    }
    if (showPlan) console.log(await planOf(database, people[0] ?? ""));
    return figures;
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function planOf(database: Database, owner: string): Promise<string> {
  const text = `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) SELECT id FROM runs
    WHERE hashtext(owner_id) = hashtext($1) AND owner_id = $1 AND status = 'queued' AND turn_at <= now() AND available_at <= now()
    ORDER BY turn_at, id LIMIT ${atOnce} FOR UPDATE SKIP LOCKED`;
  const rows = await database.runPrepared<Record<string, string>>({ name: "plan", text }, [owner]);
  return rows.map((row) => Object.values(row)[0]).join("\n");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { plan: { type: "boolean", default: false }, write: { type: "boolean" } },
});
const lengths = positionals.length === 0 ? [100, 1000, 10_000, 100_000] : positionals.map(Number);
const rows: string[][] = [];
for (const make of makes) {
  const figures = await measureQueue(lengths, make, values.plan);
  const [shortest] = figures;
  for (const { queued, claimed, p50Ms, p99Ms, databaseCpuMs } of figures)
    rows.push([
      make.name,
      queued.toLocaleString("en"),
      claimed.toFixed(1),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      databaseCpuMs.toFixed(2),
      `${(p50Ms / (shortest?.p50Ms ?? Number.NaN)).toFixed(2)}×`,
      `${(databaseCpuMs / (shortest?.databaseCpuMs ?? Number.NaN)).toFixed(2)}×`,
    ]);
}
report(
  "what a claim costs",
  `\`node bench/queue.ts\`, ${describeMachine()}. A claim of ${atOnce} runs by one of several servers, ${claims} times each, and taken back each time.\n\n${markdownTable(["who waits", "queued", "claimed", "p50 ms", "p99 ms", "processor ms of the database", "p50 to that of the shortest", "processor time to that"], rows)}`,
);
