import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset, BulkResult } from "@syla/contracts/assets";
import type { NotificationEvent } from "@syla/contracts/notifications";
import { purgeAssets } from "@syla/server/catalog/purge";
import { Syla } from "@syla/sdk";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "../../src/access/actor.ts";
import { exportZip } from "../../src/catalog/export.ts";
import { removeUnusedWords } from "../../src/catalog/store.ts";
import type { Blobs } from "../../src/platform/blobs.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "./programs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);
const bulk = async (person: Person, body: object) =>
  (await json<{ results: BulkResult[] }>(send(person, "POST", "/api/v1/assets/bulk", body))).results.map(({ id, ok, error }) => [
    id,
    ok || error?.code,
  ]);
const get = (person: Person, id: string) => send(person, "GET", `/api/v1/assets/${id}`);

describe("a change of many assets", () => {
  it("says how it went with each, and does what it can", async () => {
    const [one, two] = [await createProgram(server, ann, "One"), await createProgram(server, ann, "Two")];
    const his = await createProgram(server, bob, "His");
    await share(server, bob, { resourceType: "asset", resourceId: his.id, email: ann.email, level: "view" });
    const ids = [one.id, two.id, his.id, "prog_none"];
    expect(await bulk(ann, { action: "tag", ids, add: ["new", "old"] })).toEqual([
      [one.id, true],
      [two.id, true],
      [his.id, "forbidden"],
      ["prog_none", "not_found"],
    ]);
    await bulk(ann, { action: "tag", ids: [one.id], remove: ["old"] });
    expect(await json(get(ann, one.id))).toMatchObject({ tags: ["new"] });
    expect(await bulk(ann, { action: "share", ids: [one.id, his.id], email: bob.email, level: "run" })).toEqual([
      [one.id, true],
      [his.id, "forbidden"],
    ]);
    expect(await json(get(bob, one.id))).toMatchObject({ yourLevel: "run" });
    await bulk(ann, { action: "delete", ids });
    expect((await errorOf(get(bob, one.id))).code).toBe("not_found");
    expect(await bulk(ann, { action: "restore", ids: [one.id, two.id] })).toEqual([
      [one.id, true],
      [two.id, true],
    ]);
  });

  it("does not tag one with more than ten", async () => {
    const one = await createProgram(server, ann, "Ten", undefined, { tags: ["a", "b", "c", "d", "e", "f", "g", "h"] });
    expect(await bulk(ann, { action: "tag", ids: [one.id], add: ["x", "y", "z"] })).toEqual([[one.id, "too_many_tags"]]);
  });

  it.each([{}, { action: "burn", ids: ["a"] }, { action: "delete", ids: [] }, { action: "delete", ids: Array(201).fill("a") }])(
    "is refused as %j",
    async (body) => {
      expect((await errorOf(send(ann, "POST", "/api/v1/assets/bulk", body))).code).toBe("invalid_request");
    },
  );

  it("is a zip archive that other programs unpack", async () => {
    const one = await createProgram(server, ann, "One!", { "main.py": "print(1)\n", "a\\..\\b.txt": "odd", "ä/ö.txt": "umlaut" });
    const two = await createProgram(server, ann, "One?", { "main.sh": "echo 2\n" });
    const his = await createProgram(server, bob, "His");
    using directory = createTemporaryDirectory();
    const answer = await send(ann, "GET", `/api/v1/assets/export?ids=${one.id},${two.id},${his.id}`);
    expect(answer.headers.get("content-type")).toBe("application/zip");
    writeFileSync(join(directory.path, "a.zip"), Buffer.from(await answer.arrayBuffer()));
    execFileSync("python3", ["-m", "zipfile", "-e", "a.zip", "out"], { cwd: directory.path });
    const read = (path: string) => readFileSync(join(directory.path, "out", path), "utf8");
    expect(read("one/files/main.py")).toBe("print(1)\n");
    expect(read("one/files/ä/ö.txt")).toBe("umlaut");
    expect(read("one/files/a_.._b.txt")).toBe("odd");
    expect(read("one-2/files/main.sh")).toBe("echo 2\n");
    expect(JSON.parse(read("one/asset.json"))).toMatchObject({ id: one.id, name: "One!", config: { entrypoint: "main.py" } });
    expect(JSON.parse(read("results.json"))).toMatchObject({
      results: [{ ok: true }, { ok: true }, { ok: false, error: { code: "not_found" } }],
    });
  });
});

it("an archive of too many files is refused before any is looked at", async () => {
  const catalog = {
    get: async (_actor: Actor, id: string) => ({ id, tree: { sha256: "", files: 10_001, bytes: 0 } }) as unknown as Asset,
    files: () => Promise.reject(new Error("looked at")),
    hold: () => Promise.reject(new Error("held")),
  };
  const refused = exportZip({ catalog, blobs: {} as Blobs }, {} as Actor, ["a", "b"], new AbortController().signal);
  await expect(refused).rejects.toMatchObject({ code: "payload_too_large", hint: "Export fewer of them at once." });
});

describe("what was deleted", () => {
  it("is gone for good after 30 days, with its versions and grants", async () => {
    const files = { "main.py": "print(1)\n", "alone.txt": "of Gone alone" };
    const [kept, gone] = [await createProgram(server, ann, "Kept"), await createProgram(server, ann, "Gone", files)];
    await send(ann, "POST", `/api/v1/assets/${gone.id}/versions`, {});
    await share(server, ann, { resourceType: "asset", resourceId: gone.id, email: bob.email, level: "view" });
    await bulk(ann, { action: "delete", ids: [kept.id, gone.id] });
    const { queries } = server.context.database;
    const before = (days: number) => new Date(Date.now() - days * 86_400_000);
    await queries
      .updateTable("assets")
      .set({ deleted_at: before(30.01) })
      .where("id", "=", gone.id)
      .execute();
    await queries
      .updateTable("assets")
      .set({ deleted_at: before(29.99) })
      .where("id", "=", kept.id)
      .execute();
    const uploads = async () =>
      (await queries.selectFrom("uploads").select("sha256").where("owner_id", "=", ann.id).execute()).map(({ sha256 }) => sha256);
    const counted = async () => {
      const query = queries.selectFrom("usage_days").select((select) => select.fn.sum<string>("stored_bytes").as("bytes"));
      return Number((await query.where("user_id", "=", ann.id).executeTakeFirstOrThrow()).bytes);
    };
    const [main, alone] = Object.values(files).map((content) => hash("sha256", content));
    expect(await uploads()).toEqual(expect.arrayContaining([main, alone]));
    const stored = await counted();
    expect(await purgeAssets(server.context.database)).toBe(1);
    expect(await uploads()).toContain(main);
    expect(await uploads()).not.toContain(alone);
    expect(stored - (await counted())).toBe(files["alone.txt"].length);
    expect((await errorOf(get(ann, gone.id))).code).toBe("not_found");
    expect((await get(ann, kept.id)).status).toBe(200);
    expect(await queries.selectFrom("grants").select("id").where("resource_id", "=", gone.id).execute()).toEqual([]);
    expect(await queries.selectFrom("asset_versions").select("version").where("asset_id", "=", gone.id).execute()).toEqual([]);
  });

  it("leaves no word behind that mistyped ones are compared with", async () => {
    const { id } = await createProgram(server, ann, "Xylophone kept", undefined, { description: "quixotic" });
    const known = async () => {
      const { rows } = await sql<{
        word: string;
      }>`select word from asset_words where word in ('xylophone', 'quixotic') order by word`.execute(server.context.database.queries);
      return rows.map(({ word }) => word);
    };
    expect(await known()).toEqual(["quixotic", "xylophone"]);
    await server.send("PATCH", `/api/v1/assets/${id}`, { description: "" }, { ...ann.headers, "if-match": "*" });
    await removeUnusedWords(server.context.database.queries);
    expect(await known()).toEqual(["xylophone"]);
  });
});

describe("the assets of a team", () => {
  it("keep it from being deleted, until somebody gets them", async () => {
    const { id } = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Leaving" }));
    const program = await createProgram(server, ann, "Ours", undefined, { ownerId: id });
    await createProgram(server, ann, "ours");
    expect(await errorOf(send(ann, "DELETE", `/api/v1/teams/${id}`))).toMatchObject({ code: "team_owns_assets", details: { count: 1 } });
    expect((await errorOf(send(ann, "DELETE", `/api/v1/teams/${id}?transferTo=${bob.id}`))).code).toBe("not_found");
    expect((await send(ann, "DELETE", `/api/v1/teams/${id}?transferTo=me`)).status).toBe(204);
    expect(await json(get(ann, program.id))).toMatchObject({ owner: { id: ann.id }, name: "Ours 2", slug: "ours-2" });
  });
});

describe("the assets of an account", () => {
  it("go with it, or to whom an administrator chooses; a team's whose last member it is, too", async () => {
    const admin = await createAccount(server, "admin");
    const { id: teamId } = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Alone" }));
    const [own, teams] = [
      await createProgram(server, ann, "Own"),
      await createProgram(server, ann, "Team’s", undefined, { ownerId: teamId }),
    ];
    await createProgram(server, bob, "Own");
    expect(await json(send(admin, "GET", `/api/v1/users/${ann.id}`))).toMatchObject({ holdings: { assets: 1 } });
    expect((await send(admin, "DELETE", `/api/v1/users/${ann.id}?transferTo=${bob.id}`)).status).toBe(204);
    expect(await json(get(bob, own.id))).toMatchObject({ name: "Own 2", owner: { id: bob.id }, createdBy: null });
    expect(await json(get(bob, teams.id))).toMatchObject({ owner: { id: bob.id } });
    expect((await send(admin, "DELETE", `/api/v1/users/${bob.id}`)).status).toBe(204);
    expect((await errorOf(get(admin, own.id))).code).toBe("not_found");
  });

  it("are in what a person can download about themselves", async () => {
    const made = await createProgram(server, ann, "Exported", undefined, { description: "mine" });
    const exported = await json<{ assets: object[] }>(send(ann, "POST", "/api/v1/users/me/export"));
    expect(exported.assets).toMatchObject([{ id: made.id, name: "Exported", description: "mine" }]);
  });
});

describe("who is connected", () => {
  /** What somebody is told of the catalog, as it comes. */
  function listen(person: Person, leaving: AbortSignal): { readonly told: NotificationEvent[]; readonly ready: Promise<void> } {
    const syla = new Syla({ baseUrl: server.url, apiKey: person.headers.authorization.replace("Bearer ", "") });
    const told: NotificationEvent[] = [];
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const follow = async () => {
      for await (const event of syla.notifications.follow({ signal: leaving })) {
        if (event.type === "state") resolve();
        if (event.type === "assets") told.push(event);
      }
    };
    void follow();
    return { told, ready };
  }

  it("is told what changes of what they may see, and of nothing else", async () => {
    const leaving = new AbortController();
    const [hers, his] = [listen(ann, leaving.signal), listen(bob, leaving.signal)];
    await Promise.all([hers.ready, his.ready]);
    const program = await createProgram(server, ann, "Followed");
    await expect.poll(() => hers.told).toContainEqual({ type: "assets", ids: [program.id] });
    expect(his.told).toEqual([]);
    const grantId = await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "view" });
    await expect.poll(() => his.told).toContainEqual({ type: "assets", ids: [program.id] });
    his.told.length = 0;
    await send(ann, "DELETE", `/api/v1/grants/${grantId}`);
    await expect.poll(() => his.told).toContainEqual({ type: "assets", ids: null });
    his.told.length = 0;
    hers.told.length = 0;
    await server.send("PATCH", `/api/v1/assets/${program.id}`, { name: "Secret" }, { ...ann.headers, "if-match": "*" });
    await expect.poll(() => hers.told).toContainEqual({ type: "assets", ids: [program.id] });
    expect(his.told).toEqual([]);
    leaving.abort();
  });
});
