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

/**
 * Measures what it costs to claim eight runs from queues of different lengths, with few people waiting and with many.
 * `node bench/queue.ts [LENGTH…]`; `--plan` prints how PostgreSQL finds one person's next runs in the longest.
 */

interface Figure {
  readonly people: number;
  readonly queued: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly databaseCpuMs: number;
}

const claims = 30;
const atOnce = 8;
const roles = { end_user: 3, developer: 3, admin: -1 };

/** Queues up to `length` runs of so many people, with every priority; nothing is run. */
async function fill(database: Database, people: readonly string[], have: number, length: number): Promise<void> {
  const ids = Array.from({ length: length - have }, () => newId("run"));
  const text = `INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, priority, turn_at)
    SELECT new.id, 'execution', 'queued', ($1::text[])[1 + new.place % cardinality($1::text[])], 'bash', 'main.sh', '{}', 'none', new.place % 10,
      now() - (new.place % 10) * interval '1 minute' - (1000000 - new.place) * interval '1 millisecond'
    FROM unnest($2::text[]) WITH ORDINALITY AS new(id, place)`;
  await database.runPrepared({ name: "fill", text }, [[...people], ids]);
  await database.runPrepared({ name: "analyze_runs", text: "VACUUM (ANALYZE) runs" }, []);
}

/** Every claim is taken back, so that each finds the same queue. */
async function claim({ queries }: Database, workerId: string): Promise<number> {
  const begin = performance.now();
  const undo = new Error("take it back");
  await queries
    .transaction()
    .execute(async (work) => {
      const rows = await claimRuns(work, workerId, atOnce, { roles, installation: -1 });
      if (rows.length !== atOnce) throw new Error(`${rows.length} runs were claimed`);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return performance.now() - begin;
}

/** The queue of a server of its own that runs nothing. */
async function measureQueue(lengths: readonly number[], peopleCount: number, showPlan: boolean): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "syla-bench-"));
  const server = await startServer(
    loadConfig({ SYLA_DATA_DIR: dataDir, SYLA_PORT: "0", SYLA_WORKER_SLOTS: "0" }),
    createLogger("silent"),
    {},
  );
  try {
    const { database, workerId } = server.context;
    const people = Array.from({ length: peopleCount }, () => newId("user"));
    await database.queries
      .insertInto("users")
      .values(people.map((id) => ({ id, name: id, email: `${id}@example.org`, image: null })))
      .execute();
    await database.runPrepared({ name: "analyze_users", text: "VACUUM (ANALYZE) users" }, []);
    const postmaster = Number(readFileSync(join(dataDir, "postgres", "cluster", "postmaster.pid"), "utf8").split("\n")[0]);
    const figures: Figure[] = [];
    let have = 0;
    for (const queued of lengths) {
      await fill(database, people, have, queued);
      have = queued;
      for (let warm = 0; warm < 10; warm++) await claim(database, workerId);
      const begin = readCpuMs(postmaster);
      const samples = [];
      for (let index = 0; index < claims; index++) samples.push(await claim(database, workerId));
      const databaseCpuMs = (readCpuMs(postmaster) - begin) / claims;
      figures.push({ people: peopleCount, queued, p50Ms: percentile(samples, 0.5), p95Ms: percentile(samples, 0.95), databaseCpuMs });
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

const { values, positionals } = parseArgs({ allowPositionals: true, options: { plan: { type: "boolean", default: false } } });
const lengths = positionals.length === 0 ? [100, 1000, 10_000, 100_000] : positionals.map(Number);
console.log(`| people who wait | queued | claim of ${atOnce}, p50 ms | p95 ms | processor ms of the database |`);
console.log("|---:|---:|---:|---:|---:|");
for (const people of [10, 1000])
  for (const { queued, p50Ms, p95Ms, databaseCpuMs } of await measureQueue(lengths, people, values.plan))
    console.log(`| ${Math.min(people, queued)} | ${queued} | ${p50Ms.toFixed(1)} | ${p95Ms.toFixed(1)} | ${databaseCpuMs.toFixed(2)} |`);
