import { randomBytes } from "node:crypto";
import { newId } from "@syla/server/platform/ids";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { purgeAssets } from "../../src/catalog/purge.ts";
import type { Work } from "../../src/platform/database.ts";
import { settleStoredOf } from "../../src/quotas/store.ts";
import { createAccount, type Person } from "../access/people.ts";
import { insertModelCall } from "../access/things.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;

/** What a person has stored, from the list of whose content is what, and not as quotas count it. Each content once. */
async function recount(userId: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    with held as (
      select sha256, size from uploads where owner_id = ${userId}
      union select a.sha256, a.size from artifacts a join runs r on r.id = a.run_id where r.owner_id = ${userId}
      union select log_sha256, log_size from runs where owner_id = ${userId} and log_sha256 is not null
      union select f ->> 'sha256', (f ->> 'size')::bigint from runs, jsonb_array_elements(config -> 'files') f
        where owner_id = ${userId} and kind <> 'analysis'
      union select b.sha256, b.size from tree_blobs b where b.tree_sha256 in (
        select tree_sha256 from assets where owner_id = ${userId}
        union select v.tree_sha256 from asset_versions v join assets s on s.id = v.asset_id where s.owner_id = ${userId}))
    select coalesce(sum(size), 0)::bigint as bytes from (select distinct sha256, size from held) each_once`.execute(queries());
  return rows[0]?.bytes ?? 0;
}

/** What decides whether more is let in. */
async function counted(userId: string): Promise<number> {
  const { rows } = await sql<{
    bytes: number;
  }>`select coalesce(sum(stored_bytes), 0)::bigint as bytes from usage_days where user_id = ${userId}`.execute(queries());
  return rows[0]?.bytes ?? 0;
}

/** What the person is shown, megabytes to two places. */
async function shown({ headers }: Person): Promise<number> {
  const { items } = (await (await server.fetch("/api/v1/quotas", { headers })).json()) as { items: { name: string; used: number }[] };
  return items.find(({ name }) => name === "storageMb")?.used ?? -1;
}

/** Numbers that look like chance, and are the same for the same seed (mulberry32). */
function createChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Kept {
  readonly id: string;
  owner: string;
}

describe("what people have stored", () => {
  it.each([1, 2, 3])(
    "adds up after each of many steps of two people and a team (%i)",
    async (seed) => {
      const chance = createChance(seed);
      const [ann, bob] = [await createAccount(server), await createAccount(server)];
      const people = [ann, bob];
      const send = async <T>(person: Person, method: string, path: string, body?: object): Promise<T> => {
        const answer = await server.send(method, path, body, { ...person.headers });
        if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        return (answer.status === 204 ? undefined : await answer.json()) as T;
      };
      const team = await send<{ id: string }>(ann, "POST", "/api/v1/teams", { name: newId("test") });
      await queries().insertInto("team_members").values({ team_id: team.id, user_id: bob.id, role: "owner" }).execute();
      /** A few contents, so that the same comes again by other ways. */
      const contents = Array.from({ length: 5 }, (_, n) => randomBytes(2000 + n * 500).toString("hex"));
      const pick = <T>(list: readonly T[]): T => list[chance(list.length)] as T;
      const assets: Kept[] = [];
      const deleted: Kept[] = [];
      const runs: { id: string; owner: Person }[] = [];
      const personOf = (owner: string): Person => people.find(({ id }) => id === owner) ?? pick(people);
      const file = (path = `${chance(3)}.txt`) => ({ path, content: pick(contents) });

      const steps: Readonly<Record<string, (person: Person) => Promise<void>>> = {
        async upload({ headers }) {
          const answer = await server.fetch("/api/v1/blobs", {
            method: "POST",
            body: pick(contents),
            headers: { ...headers, "content-type": "application/octet-stream" },
          });
          expect(answer.status).toBe(201);
        },
        async create(person) {
          const owner = chance(3) === 0 ? team.id : person.id;
          const files = [{ path: "main.py", content: "print(1)" }, file()];
          const { id } = await send<{ id: string }>(person, "POST", "/api/v1/assets", {
            type: "program",
            name: newId("test"),
            files,
            ownerId: owner,
          });
          assets.push({ id, owner });
        },
        async write() {
          const asset = pick(assets);
          const person = personOf(asset.owner);
          await change(person, asset, [{ op: "write", file: file() }]);
        },
        async writeForAnother() {
          const asset = pick(assets);
          const [other] = people.filter(({ id }) => id !== asset.owner);
          if (other === undefined || asset.owner === team.id) return;
          await send(personOf(asset.owner), "POST", "/api/v1/grants", {
            resourceType: "asset",
            resourceId: asset.id,
            email: other.email,
            level: "edit",
          });
          await change(other, asset, [{ op: "write", file: { ...file(), content: randomBytes(700).toString("hex") } }]);
        },
        async remove() {
          const asset = pick(assets);
          const person = personOf(asset.owner);
          const { items } = await send<{ items: { path: string }[] }>(person, "GET", `/api/v1/programs/${asset.id}/files`);
          const gone = items.find(({ path }) => path !== "main.py");
          if (gone !== undefined) await change(person, asset, [{ op: "delete", path: gone.path }]);
        },
        async publish() {
          const asset = pick(assets);
          await send(personOf(asset.owner), "POST", `/api/v1/assets/${asset.id}/versions`, {});
        },
        async clone(person) {
          const asset = pick(assets);
          if (asset.owner !== team.id && asset.owner !== person.id)
            await send(personOf(asset.owner), "POST", "/api/v1/grants", {
              resourceType: "asset",
              resourceId: asset.id,
              email: person.email,
              level: "view",
            });
          const { id } = await send<{ id: string }>(person, "POST", `/api/v1/assets/${asset.id}/clone`, { name: newId("test") });
          assets.push({ id, owner: person.id });
        },
        async transfer() {
          const asset = pick(assets);
          const to = pick(people);
          await send(personOf(asset.owner), "POST", `/api/v1/assets/${asset.id}/transfer`, { email: to.email });
          asset.owner = to.id;
        },
        async delete() {
          const asset = assets.splice(chance(assets.length), 1)[0];
          if (asset === undefined) return;
          await send(personOf(asset.owner), "DELETE", `/api/v1/assets/${asset.id}`);
          deleted.push(asset);
        },
        async restore() {
          const asset = deleted.pop();
          if (asset === undefined) return;
          await send(personOf(asset.owner), "POST", `/api/v1/assets/${asset.id}/restore`);
          assets.push(asset);
        },
        async purge() {
          deleted.splice(0);
          await purgeAssets(server.context.database, undefined, new Date(Date.now() + 40 * 86_400_000));
        },
        async run(person) {
          const code = `echo ${chance(3)}; printf %s ${pick(contents).slice(0, 4000)} > /output/a.txt; echo x > /output/${chance(2)}.txt`;
          const { id } = await execute(server, { language: "bash", code }, { ...person.headers });
          runs.push({ id, owner: person });
        },
        async deleteRun() {
          const run = runs.splice(chance(runs.length), 1)[0];
          if (run !== undefined) await send(run.owner, "DELETE", `/api/v1/runs/${run.id}`);
        },
      };
      async function change(person: Person, { id }: Kept, changes: object[]): Promise<void> {
        const { revision } = await send<{ revision: number }>(person, "GET", `/api/v1/assets/${id}`);
        const answer = await server.send(
          "POST",
          `/api/v1/programs/${id}/files`,
          { changes },
          { ...person.headers, "if-match": `"${revision}"` },
        );
        if (answer.status >= 300) throw new Error(`${answer.status} ${await answer.text()}`);
      }

      /** Programs are looked at in runs of their own, which nobody waits for. */
      const ended = async () =>
        await expect
          .poll(async () => await queries().selectFrom("runs").select("id").where("finished_at", "is", null).execute(), { timeout: 20_000 })
          .toEqual([]);
      /** What there is, and what is said of it before and after somebody has looked. */
      const measure = async (person: Person) => {
        for (;;) {
          await ended();
          const truth = await recount(person.id);
          const [before, seen, after] = [await counted(person.id), await shown(person), await counted(person.id)];
          if ((await recount(person.id)) === truth) return { truth, before, seen, after };
        }
      };
      const taken: string[] = [];
      for (let count = 0; count < 30; count += 1) {
        const name = assets.length === 0 ? "create" : pick(Object.keys(steps));
        taken.push(name);
        await steps[name]?.(pick(people));
        for (const person of people) {
          const { truth, before, seen, after } = await measure(person);
          // What is counted while it comes is never too little; content that came twice may be counted twice until somebody looks.
          expect([taken, before >= truth]).toEqual([taken, true]);
          expect([taken, seen]).toEqual([taken, Math.round(truth / 10_000) / 100]);
          expect([taken, after]).toEqual([taken, truth]);
        }
      }
      expect(new Set(taken).size).toBeGreaterThan(8);
    },
    240_000,
  );

  it("adds up for those who brought something to what goes with somebody's account", async () => {
    const [ann, bob] = [await createAccount(server), await createAccount(server)];
    const made = await server.send("POST", "/api/v1/teams", { name: newId("test") }, { ...ann.headers });
    const { id: teamId } = (await made.json()) as { id: string };
    await queries().insertInto("team_members").values({ team_id: teamId, user_id: bob.id, role: "member" }).execute();
    const files = [{ path: "main.py", content: `print("${randomBytes(2000).toString("hex")}")` }];
    const input = { type: "program", name: newId("test"), files, ownerId: teamId };
    expect((await server.send("POST", "/api/v1/assets", input, { ...bob.headers })).status).toBe(201);
    await queries().deleteFrom("team_members").where("user_id", "=", bob.id).execute();
    const call = await insertModelCall(server, newId("ast"), bob);
    await queries().updateTable("llm_calls").set({ user_id: ann.id, request_text: "what was asked" }).where("id", "=", call).execute();
    await settleStoredOf(server.context.database.queries as Work, [bob.id]);
    expect(await counted(bob.id)).toBeGreaterThan(4000);
    await expect.poll(async () => (await server.send("DELETE", `/api/v1/users/${ann.id}`)).status, { timeout: 20_000 }).toBe(204);
    expect([await counted(bob.id), await recount(bob.id)]).toEqual([0, 0]);
  });
});
