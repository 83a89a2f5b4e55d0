import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Workspace } from "@syla/contracts/workspaces";
import { createTestDatabase } from "@syla/testkit/database";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { expect, it } from "vitest";
import { GitClient } from "./git-client.ts";

const lock = 4243;
/** Where the server stands when it is killed: a trigger that waits there for a lock. */
const places = [
  ["before anything was recorded", "before insert on workspace_versions for each row", "Made version 1."],
  ["before the commits were recorded", "before insert on workspace_packs for each row", "Made version 1."],
  ["before it was answered", "before insert on audit_events for each row when (new.action = 'workspace.push')", "Everything up-to-date"],
] as const;

it.each(places)("a push whose server is killed %s is done once, when it is done again", { timeout: 120_000 }, async (_what, when, said) => {
  using directory = createTemporaryDirectory();
  await using database = await createTestDatabase();
  await using connected = new AsyncDisposableStack();
  const client = new pg.Client(database.url);
  connected.defer(() => client.end());
  await client.connect();
  const dataDir = join(directory.path, "data");
  const start = () => spawnServer(dataDir, { DATABASE_URL: database.url, SYLA_LOG_LEVEL: "error" });
  const waiting = async () =>
    (await client.query<{ pid: number }>("select pid from pg_locks where locktype = 'advisory' and not granted")).rows.map(
      ({ pid }) => pid,
    );
  let git: GitClient | undefined;
  connected.defer(async () => git?.[Symbol.dispose]());
  let folder: string;
  let id: string;
  let commit: string;
  const headers = () => ({ authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}` });
  {
    await using first = start();
    const url = await first.ready();
    const body = JSON.stringify({ name: "Pushed", files: [{ path: "a.txt", content: "1\n" }] });
    const answer = await fetch(`${url}/api/v1/workspaces`, {
      method: "POST",
      headers: { ...headers(), "content-type": "application/json" },
      body,
    });
    ({ id } = (await answer.json()) as Workspace);
    git = new GitClient(url, { headers: headers() });
    folder = await git.clone(id);
    commit = await git.commit(folder, { "a.txt": "2\n" }, "two");
    await client.query(`create function stand_still() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(${lock}); return new; end $$`);
    await client.query(`create trigger stand_still ${when} execute function stand_still()`);
    await client.query("select pg_advisory_lock($1)", [lock]);
    const pushed = git.run(folder, "push", "origin", "main").catch(() => null);
    await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
    first.child.kill("SIGKILL");
    expect(await pushed).toBeNull();
  }
  for (const pid of await waiting()) await client.query("select pg_terminate_backend($1, 10000)", [pid]);
  await client.query("select pg_advisory_unlock($1)", [lock]);
  await client.query("drop function stand_still cascade");

  await using second = start();
  const url = await second.ready();
  await git.run(folder, "remote", "set-url", "origin", git.address(id, { headers: headers() }, url));
  expect(await git.run(folder, "push", "origin", "main")).toContain(said);
  const versions = (await client.query("select number, cause, commit_id from workspace_versions where workspace_id = $1", [id])).rows;
  expect(versions).toEqual([{ number: 1, cause: "push", commit_id: commit }]);
  const file = await fetch(`${url}/api/v1/workspaces/${id}/file?path=a.txt`, { headers: headers() });
  expect(await file.text()).toBe("2\n");
});
