import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkspaceMirror } from "@syla/contracts/workspace-mirrors";
import type { Workspace, WorkspaceVersion } from "@syla/contracts/workspaces";
import { createTestDatabase } from "@syla/testkit/database";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commitTo } from "./upstream.ts";

let git: TestGitServer;
beforeAll(async () => {
  git = await startTestGitServer();
});
afterAll(() => git[Symbol.asyncDispose]());

const lock = 4244;
const patience = { timeout: 120_000, interval: 250 };
const standStill = `create function stand_still() returns trigger language plpgsql as $$
  begin perform pg_advisory_xact_lock(${lock}); return new; end $$`;

/** Lets a server stand still somewhere. */
interface Standing {
  readonly isThere: () => boolean | Promise<boolean>;
  readonly goOn: () => Promise<void>;
}

/** Where the server stands when it is killed. */
const places: Readonly<Record<string, (client: pg.Client) => Promise<Standing>>> = {
  "before the repository has said what it has": async () => {
    const held = Promise.withResolvers<void>();
    git.behaviour.held = held.promise;
    const asked = git.requests.length;
    return {
      isThere: () => git.requests.length > asked,
      goOn: async () => {
        delete git.behaviour.held;
        held.resolve();
      },
    };
  },
  "while the files come": async () => {
    git.behaviour.endless = "slowly";
    const asked = git.requests.length;
    return {
      // What there is, and then the files.
      isThere: () => git.requests.slice(asked).filter((address) => address.endsWith("/git-upload-pack")).length >= 2,
      goOn: async () => {
        delete git.behaviour.endless;
      },
    };
  },
  "when they are in, and nobody can see them yet": async (client) => {
    await client.query(standStill);
    await client.query(`create trigger stand_still before update on workspace_mirrors for each row
      when (new.commit_id is distinct from old.commit_id) execute function stand_still()`);
    await client.query("select pg_advisory_lock($1)", [lock]);
    return {
      isThere: async () => (await waiting(client)).length > 0,
      goOn: async () => {
        for (const pid of await waiting(client)) await client.query("select pg_terminate_backend($1, 10000)", [pid]);
        await client.query("select pg_advisory_unlock($1)", [lock]);
        await client.query("drop function stand_still cascade");
      },
    };
  },
};

async function waiting(client: pg.Client): Promise<number[]> {
  const found = await client.query<{ pid: number }>("select pid from pg_locks where locktype = 'advisory' and not granted");
  return found.rows.map(({ pid }) => pid);
}

it.each(Object.keys(places))("a mirror whose server is killed %s goes on with the next one", { timeout: 300_000 }, async (where) => {
  const name = where.replaceAll(/\W+/g, "-");
  using directory = createTemporaryDirectory();
  await using database = await createTestDatabase();
  await using connected = new AsyncDisposableStack();
  const client = new pg.Client(database.url);
  connected.defer(() => client.end());
  await client.connect();
  const dataDir = join(directory.path, "data");
  const variables = { DATABASE_URL: database.url, SYLA_LOG_LEVEL: "error", SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host };
  const start = () => spawnServer(dataDir, variables);
  const call = async <T>(url: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${url}/api/v1/workspaces${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const paths = async (url: string, id: string) =>
    (await call<{ items: { path: string }[] }>(url, `/${id}/files`)).items.map(({ path }) => path).toSorted();

  git.create(name, [{ files: { "a.txt": "1\n" } }]);
  const wish = { url: `${git.url}/${name}.git`, everyMinutes: 5 };
  const row = async () =>
    (await client.query<{ taken_until: Date | null; commit_id: string }>("select taken_until, commit_id from workspace_mirrors")).rows[0];
  let id: string;
  let first: string;
  let standing: Standing | undefined;
  {
    await using server = start();
    const url = await server.ready();
    ({ id } = await call<Workspace>(url, "", { name: "Followed", files: [{ path: "own.txt", content: "own\n" }] }));
    first = (await call<WorkspaceMirror>(url, `/${id}/mirror`, wish)).commit ?? "";
    expect(await paths(url, id)).toEqual(["a.txt", "own.txt"]);
    commitTo(git.folder(name), Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`more/${index}.txt`, `${index}\n`])));
    standing = await places[where]?.(client);
    await client.query("update workspace_mirrors set next_at = now()");
    await expect.poll(() => standing?.isThere(), patience).toBe(true);
    server.child.kill("SIGKILL");
    await server.exited();
  }
  await standing?.goOn();
  expect(await row()).toMatchObject({ commit_id: first, taken_until: expect.any(Date) as Date });

  // What an archive was read from.
  mkdirSync(join(dataDir, "spool/import-left"));
  writeFileSync(join(dataDir, "spool/import-left/archive"), "left");

  await using server = start();
  const url = await server.ready();
  expect(await paths(url, id)).toEqual(["a.txt", "own.txt"]);
  // By itself, and before anybody would lose patience.
  await expect.poll(() => paths(url, id), patience).toHaveLength(302);
  await expect.poll(row).toMatchObject({ taken_until: null });
  expect(await call(url, `/${id}/mirror`)).toMatchObject({ mirror: { state: "following", problem: null } });
  const { items } = await call<{ items: WorkspaceVersion[] }>(url, `/${id}/versions`);
  expect(items.map(({ cause }) => cause)).toEqual(["before_import", "before_import"]);
  expect(await waiting(client)).toEqual([]);
  expect(readdirSync(join(dataDir, "spool"))).toEqual([]);
  // It may be fetched again: nothing is in the way.
  expect(await call(url, `/${id}/mirror/fetch`, {})).toMatchObject({ state: "following" });
});
