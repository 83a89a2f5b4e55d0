import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset, AssetSummary } from "@syla/contracts/assets";
import type { Problem } from "@syla/contracts/problem";
import { createTestDatabase } from "@syla/testkit/database";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { expect, it } from "vitest";

const lock = 4242;
/** Where the server stands when it is killed: a trigger that waits there for a lock. */
const places = [
  ["before it was made", "before insert on assets for each row", 201],
  [
    "after it was made and before its answer was kept",
    "before update on idempotent_requests for each row when (new.status is not null)",
    409,
  ],
] as const;

it.each(places)(
  "a request whose server is killed %s makes one thing, however often it is sent",
  { timeout: 120_000 },
  async (_what, when, status) => {
    using directory = createTemporaryDirectory();
    await using database = await createTestDatabase();
    await using connected = new AsyncDisposableStack();
    const client = new pg.Client(database.url);
    connected.defer(() => client.end());
    await client.connect();
    await client.query(`create function stand_still() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(${lock}); return new; end $$`);
    await client.query(`create trigger stand_still ${when} execute function stand_still()`);
    await client.query("select pg_advisory_lock($1)", [lock]);

    const dataDir = join(directory.path, "data");
    const start = () => spawnServer(dataDir, { DATABASE_URL: database.url, SYLA_LOG_LEVEL: "error" });
    const send = async (url: string) =>
      await fetch(`${url}/api/v1/assets`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`,
          "content-type": "application/json",
          "idempotency-key": "one",
        },
        body: JSON.stringify({ type: "program", name: "Once", config: { runtime: "python", entrypoint: "main.py" } }),
      });
    const waiting = async () =>
      (await client.query<{ pid: number }>("select pid from pg_locks where locktype = 'advisory' and not granted")).rows.map(
        ({ pid }) => pid,
      );
    {
      await using first = start();
      const sent = send(await first.ready()).catch(() => null);
      await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
      first.child.kill("SIGKILL");
      expect(await sent).toBeNull();
    }
    // The database goes on with what a dead server has asked of it: as when the machine itself is gone, it does not.
    for (const pid of await waiting()) await client.query("select pg_terminate_backend($1, 10000)", [pid]);
    await client.query("select pg_advisory_unlock($1)", [lock]);
    await client.query(`drop function stand_still cascade`);

    await using second = start();
    const url = await second.ready();
    const answers = [await send(url), await send(url)];
    const made = (await client.query<AssetSummary>("select id, name from assets")).rows;
    expect(made).toMatchObject([{ name: "Once" }]);
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as (Asset | Problem)[];
    const told = bodies.map((body) => ("code" in body ? [body.code, body.details["id"]] : ["created", body.id]));
    const word = status === 201 ? "created" : "idempotency_answer_gone";
    expect(told).toEqual([1, 2].map(() => [word, made[0]?.id]));
  },
);
