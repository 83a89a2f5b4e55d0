import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import { createTestDatabase } from "@syla/testkit/database";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { describe, expect, it } from "vitest";

const scheduleCount = 30;

describe("three servers on one database", () => {
  // Three servers that start at once take a busy machine a minute.
  it(
    "begin each scheduled run once and drain without losing one, also when one of them is killed in the middle",
    { timeout: 240_000 },
    async () => {
      await using database = await createTestDatabase();
      using directory = createTemporaryDirectory();
      const start = (name: string, more: Readonly<Record<string, string>> = {}) => ({
        dataDir: join(directory.path, name),
        server: spawnServer(join(directory.path, name), {
          DATABASE_URL: database.url,
          SYLA_WORKER_SLOTS: "2",
          SYLA_LOG_LEVEL: "error",
          ...more,
        }),
      });
      const all = [start("a"), start("b"), start("c")] as const;
      await using killed = all[0].server;
      await using drained = all[1].server;
      await using last = all[2].server;
      const client = new pg.Client(database.address);
      await client.connect();
      await using connection = new AsyncDisposableStack();
      connection.defer(() => client.end());
      const query = async <T>(text: string, values: unknown[] = []) => (await client.query(text, values)).rows as T[];
      try {
        // Each server has its own content on disk: what was sent to all can run on all.
        const programs = await Promise.all(
          all.map(async ({ server, dataDir }, place) => {
            const url = await server.ready();
            const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
            const body = {
              type: "program",
              name: `Tick ${place}`,
              files: [{ path: "main.sh", content: "sleep 0.2; echo ticked" }],
              config: { runtime: "bash", entrypoint: "main.sh" },
            };
            const answer = await fetch(`${url}/api/v1/assets`, {
              method: "POST",
              headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
              body: JSON.stringify(body),
            });
            expect(answer.status).toBe(201);
            return (await answer.json()) as Asset;
          }),
        );
        const [program] = programs;
        await query(
          `INSERT INTO schedules (id, owner_id, name, program_id, run, cron, time_zone, overlap, missed, next_at)
        SELECT 'sched_' || n, owner_id, 'Tick', id, '{}', '@yearly', 'UTC', 'skip', 'once', now() - interval '366 days'
        FROM assets, generate_series(1, $2) n WHERE id = $1`,
          [program?.id, scheduleCount],
        );
        const runsOf = async () =>
          await query<{ schedule_id: string; status: string; worker_id: string | null; attempt: number; error: { code: string } | null }>(
            "SELECT schedule_id, status, worker_id, attempt, error FROM runs WHERE schedule_id IS NOT NULL",
          );
        await expect
          .poll(async () => (await runsOf()).filter(({ status }) => status === "succeeded").length, { timeout: 60_000 })
          .toBeGreaterThan(4);
        killed.child.kill("SIGKILL");
        drained.child.kill("SIGTERM"); // drains
        expect(await drained.exited()).toBe(0);
        const unfinished = async () => (await runsOf()).filter(({ status }) => !["succeeded", "failed"].includes(status)).length;
        await expect.poll(async () => [(await runsOf()).length, await unfinished()], { timeout: 90_000 }).toEqual([scheduleCount, 0]);
        const runs = await runsOf();
        expect(new Set(runs.map((run) => run.schedule_id)).size).toBe(scheduleCount);
        const workers = await query<{ id: string; pid: number; lost: boolean }>("SELECT id, pid, lost FROM workers");
        const lost = workers.find(({ pid }) => pid === killed.child.pid);
        expect(lost).toMatchObject({ lost: true });
        expect(last.child.exitCode).toBeNull();
        // What may have run on the killed one is not run again, and is said to be lost; nothing else failed: the one that drained lost none.
        const failed = runs.filter(({ status }) => status === "failed");
        expect(failed.map(({ worker_id: worker, error }) => [worker, error?.code])).toEqual(failed.map(() => [lost?.id, "worker_lost"]));
        expect(failed.length).toBeLessThanOrEqual(2);
        expect(await query("SELECT DISTINCT last_outcome FROM schedules")).toEqual([{ last_outcome: "started" }]);
      } catch (error) {
        throw new Error(all.map(({ server }) => server.output()).join("\n---\n"), { cause: error });
      }
    },
  );
});
