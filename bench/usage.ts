import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "@syla/server/config";
import type { Context } from "@syla/server/context";
import { createLogger } from "@syla/server/platform/logger";
import { newId } from "@syla/server/platform/ids";
import { startServer } from "@syla/server/server";
import { countRuns } from "@syla/server/usage/service";
import { sql } from "kysely";
import { percentile } from "./load.ts";

/**
 * Measures what usage costs: its share in the end of runs, and how long the figures take to be read, counted where runs end and summed from
 * the runs themselves. `node bench/usage.ts [RUNS]`; a fifth as many calls of models; 90 days, 1,000 people, 200 programs.
 */

interface Figure {
  readonly what: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

const days = 90;
const people = 1000;
const programs = 200;

async function fill({ database }: Context, runCount: number): Promise<void> {
  const { queries } = database;
  await sql`insert into users (id, name, email, email_verified, role)
    select 'user_' || lpad(n::text, 26, '0'), 'Person ' || n, n || '@example.org', true, 'developer' from generate_series(1, ${people}::int) n`.execute(
    queries,
  );
  // A run of which something is known, in the form in which runs are stored.
  const result = { runMs: 812.4, startMs: 7.2, usage: { cpuMs: 640, network: { sentBytes: 0, receivedBytes: 0 } }, phases: [] };
  const config = { version: null, args: [], env: {}, files: [], stdin: null, limits: {}, models: [], tier: "namespace", network: "none" };
  for (let from = 0; from < runCount; from += 100_000)
    await sql`insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, asset_id, created_at, finished_at, error, result)
      select 'run_' || lpad(n::text, 26, '0'), 'program', case when n % 10 = 0 then 'failed' when n % 25 = 0 then 'cancelled' else 'succeeded' end,
        'user_' || lpad((1 + (n::bigint * 7919) % ${people})::text, 26, '0'), 'python', 'main.py', ${JSON.stringify(config)}::jsonb, '',
        'prog_' || lpad((power(random(), 3) * ${programs})::int::text, 26, '0'), t, t,
        case when n % 10 = 0 then '{"class": "user_code", "code": "nonzero_exit"}'::jsonb end,
        ${JSON.stringify(result)}::jsonb || jsonb_build_object('runMs', exp(random() * 9))
      from (select n, now() - random() * ${days} * interval '1 day' as t
        from generate_series(${from + 1}::int, ${Math.min(from + 100_000, runCount)}::int) n) as numbered`.execute(queries);
  await sql`insert into llm_calls (id, user_id, model_id, model_name, model_owner_id, provider, upstream_model, program_id, protocol, operation, streamed,
      status, input_tokens, output_tokens, cached_tokens, cost, started_at, total_ms)
    select 'llm_' || lpad(n::text, 26, '0'), 'user_' || lpad((1 + (n::bigint * 7919) % ${people})::text, 26, '0'), 'model_' || n % 12, 'm', 'system', 'openai', 'm',
      'prog_' || lpad((power(random(), 3) * ${programs})::int::text, 26, '0'), 'openai', 'chat', false, 'succeeded', 900, 200, 100, 1300000,
      now() - random() * ${days} * interval '1 day', exp(random() * 9)
    from generate_series(1, ${Math.floor(runCount / 5)}::int) n`.execute(queries);
  await sql`vacuum analyze`.execute(queries);
}

async function timed(what: string, times: number, work: () => Promise<unknown>): Promise<Figure> {
  const samples: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const begin = performance.now();
    await work();
    samples.push(performance.now() - begin);
  }
  return { what, p50Ms: percentile(samples, 0.5), p95Ms: percentile(samples, 0.95) };
}

/** The end of 20 runs of 20 people, as a busy worker writes it, with and without their being counted. */
async function measureEnds({ database: { queries } }: Context): Promise<Figure[]> {
  const statuses = sql`status in ('starting')`;
  const begin = async () => {
    const ids = Array.from({ length: 20 }, () => newId("run"));
    await sql`insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, worker_id, claimed_at, asset_id)
      select id, 'program', 'starting', 'user_' || lpad((1 + n)::text, 26, '0'), 'python', 'main.py', '{}', '', (select id from workers limit 1), now(),
        'prog_' || lpad((n % 5)::text, 26, '0')
      from unnest(${ids}::text[]) with ordinality as made(id, n)`.execute(queries);
    return ids;
  };
  const end = (ids: readonly string[], counted: boolean) => {
    const ended = sql`with ended as (update runs set status = 'succeeded', finished_at = now(),
      result = jsonb_build_object('runMs', exp(random() * 9), 'usage', '{"cpuMs": 12}'::jsonb) where id = any(${[...ids]}) and ${statuses} returning *)`;
    return counted
      ? sql`${ended}, counted as (${sql.raw(countRuns("ended"))}) select count(*) from ended`.execute(queries)
      : sql`${ended} select count(*) from ended`.execute(queries);
  };
  const samples = { false: [] as number[], true: [] as number[] };
  for (let round = 0; round < 400; round += 1) {
    const counted = round % 2 === 0;
    const ids = await begin();
    const began = performance.now();
    await end(ids, counted);
    if (round >= 40) samples[`${counted}`].push(performance.now() - began);
  }
  return ([false, true] as const).map((counted) => ({
    what: `the end of 20 runs, ${counted ? "counted" : "not counted"}`,
    p50Ms: percentile(samples[`${counted}`], 0.5),
    p95Ms: percentile(samples[`${counted}`], 0.95),
  }));
}

async function measure(runCount: number): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "syla-bench-"));
  const config = loadConfig({ SYLA_DATA_DIR: dataDir, SYLA_PORT: "0", SYLA_RATE_LIMIT: "0", SYLA_WORKER_SLOTS: "0" });
  const server = await startServer(config, createLogger("silent"), {});
  try {
    const { context, url } = server;
    const { queries } = context.database;
    await fill(context, runCount);
    const user = { id: `user_${"1".padStart(26, "0")}` };
    const admin = newId("user");
    await sql`insert into users (id, name, email, email_verified, role) values (${admin}, 'Admin', 'admin@example.org', true, 'admin')`.execute(
      queries,
    );
    const { key } = await context.accounts.createApiKey(
      { userId: admin, role: "admin", via: "local" },
      { name: "bench", expiresInDays: undefined },
    );
    const call = async (method: string, path: string) => {
      const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${key}` } });
      if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
      return await answer.text();
    };
    const figures = [await timed("counting everything anew", 1, () => call("POST", "/api/v1/usage/recount"))];
    await sql`vacuum analyze usage_counts`.execute(queries);
    const { rows } = await sql<{ rows: number; bytes: number }>`
      select count(*) as rows, pg_total_relation_size('usage_counts') as bytes from usage_counts`.execute(queries);
    console.error(`${rows[0]?.rows} counts, ${Math.round((rows[0]?.bytes ?? 0) / 1e6)} MB`);
    const from = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
    for (const by of ["day", "user", "program", "model"])
      for (const span of [7, 30, 90])
        figures.push(
          await timed(`everybody's last ${span} days by ${by}`, 5, () =>
            call("GET", `/api/v1/usage/groups?user=all&by=${by}&from=${from(span - 1)}`),
          ),
        );
    figures.push(
      await timed("a person's last 30 days by day", 20, () => call("GET", `/api/v1/usage/groups?user=${user.id}&by=day&from=${from(29)}`)),
      await timed("everybody's last 30 days by day, summed from the runs", 3, () =>
        sql`select day, sum(ended), sum(cpu_ms) from usage_recounted where day >= ${from(29)}::date group by day`.execute(queries),
      ),
      await timed("a person's last 30 days by day, summed from the runs", 3, () =>
        sql`select day, sum(ended), sum(cpu_ms) from usage_recounted where user_id = ${user.id} and day >= ${from(29)}::date group by day`.execute(
          queries,
        ),
      ),
      ...(await measureEnds(context)),
    );
    return figures;
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const { positionals } = parseArgs({ allowPositionals: true });
const runCount = Number(positionals[0] ?? 1_000_000);
const figures = await measure(runCount);
console.log(`Usage of ${runCount.toLocaleString("en")} runs.\n\n| what | p50 ms | p95 ms |\n|---|---:|---:|`);
for (const { what, p50Ms, p95Ms } of figures) console.log(`| ${what} | ${p50Ms.toFixed(1)} | ${p95Ms.toFixed(1)} |`);
