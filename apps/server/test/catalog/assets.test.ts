import type { Asset, AssetSummary } from "@syla/contracts/assets";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
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

const send = (person: Person, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  server.send(method, path, body, { ...person.headers, ...headers });
const patch = (person: Person, asset: Asset, body: unknown, revision: string = `"${asset.revision}"`) =>
  send(person, "PATCH", `/api/v1/assets/${asset.id}`, body, { "if-match": revision });
const list = async (person: Person, query: string) =>
  (await json<{ items: AssetSummary[] }>(send(person, "GET", `/api/v1/assets?${query}`))).items.map((item) => item.name);

describe("a program", () => {
  it("is created from its files, with what they tell", async () => {
    const made = await createProgram(server, ann, "Wörter zählen", { "main.py": "print(1)\n", "lib/a.py": "" });
    expect(made).toMatchObject({
      type: "program",
      name: "Wörter zählen",
      slug: "worter-zahlen",
      revision: 1,
      version: null,
      visibility: "private",
      runtime: "python",
      yourLevel: "admin",
      isOwner: true,
      isShared: false,
      tree: { files: 2, bytes: 9 },
      config: { runtime: "python", entrypoint: "main.py", network: "none", profile: "small" },
      owner: { id: ann.id, type: "user" },
    });
    expect(made.id).toMatch(/^prog_/);
    const answer = await send(ann, "GET", `/api/v1/assets/${made.id}`);
    expect(answer.headers.get("etag")).toBe('"1"');
    expect(await json(answer)).toEqual(made);
  });

  it.each([
    ["no name", { type: "program" }],
    ["a name with a control character", { type: "program", name: "a\u0007b", files: [] }],
    ["a long name", { type: "program", name: "x".repeat(101), files: [] }],
    ["a bad tag", { type: "program", name: "a", tags: ["Bad Tag"], files: [] }],
    ["a config of another shape", { type: "program", name: "a", config: { runtime: "python" } }],
    ["a config with something unknown", { type: "program", name: "a", config: { runtime: "python", entrypoint: "m.py", more: 1 } }],
    [
      "files that do not tell what is run",
      {
        type: "program",
        name: "a",
        files: [
          { path: "a.txt", content: "" },
          { path: "b", content: "" },
        ],
      },
    ],
  ])("is refused with %s", async (_what, body) => {
    expect((await errorOf(send(ann, "POST", "/api/v1/assets", body))).code).toBe("invalid_request");
    expect(await list(ann, "view=mine")).toEqual([]);
  });

  it.each([
    ["../a", "invalid_path"],
    ["/a", "invalid_path"],
    ["a//b", "invalid_path"],
    ["a\0b", "invalid_path"],
  ])("is refused with a file at %j", async (path, code) => {
    const body = { type: "program", name: "a", files: [{ path, content: "" }] };
    expect((await errorOf(send(ann, "POST", "/api/v1/assets", body))).code).toBe(code);
  });

  it("is refused with paths that differ only in case, folders included", async () => {
    const files = [
      { path: "Lib/a.py", content: "" },
      { path: "lib/b.py", content: "" },
    ];
    const error = await errorOf(send(ann, "POST", "/api/v1/assets", { type: "program", name: "a", files }));
    expect(error).toMatchObject({ code: "invalid_path", fields: [{ path: "files.1.path" }] });
  });

  it("does not take content that somebody else has uploaded", async () => {
    const uploaded = await server.fetch("/api/v1/blobs", { method: "POST", headers: bob.headers, body: "print(1)" });
    const { sha256 } = await json<{ sha256: string }>(uploaded);
    const body = { type: "program", name: "a", files: [{ path: "main.py", blob: sha256 }] };
    expect((await errorOf(send(ann, "POST", "/api/v1/assets", body))).code).toBe("blob_unknown");
    expect((await send(bob, "POST", "/api/v1/assets", body)).status).toBe(201);
  });

  it("keeps its name to itself, and suggests another", async () => {
    await createProgram(server, ann, "Sums");
    const error = await errorOf(
      send(ann, "POST", "/api/v1/assets", { type: "program", name: "  sums ", files: [{ path: "main.py", content: "" }] }),
    );
    expect(error).toMatchObject({ code: "name_taken", details: { suggestion: "sums 2" } });
    expect((await createProgram(server, bob, "Sums")).slug).toBe("sums");
    expect((await createProgram(server, ann, "Sums!")).slug).toBe("sums-2");
  });

  it.each([
    ["ends in a number", "Sums 2", "Sums 3"],
    ["is as long as it may be", "x".repeat(100), `${"x".repeat(98)} 2`],
    ["is of characters of two units", "😀".repeat(50), `${"😀".repeat(49)} 2`],
  ])("gets the next name that is free when the wish %s", async (_what, wish, next) => {
    const first = await createProgram(server, ann, wish);
    const made: Asset[] = [];
    for (let count = 0; count < 10; count += 1) made.push(await json<Asset>(send(ann, "POST", `/api/v1/assets/${first.id}/clone`, {})));
    expect(made[0]?.name).toBe(next);
    expect(new Set(made.map(({ name }) => name)).size).toBe(10);
    expect(new Set(made.map(({ slug }) => slug)).size).toBe(10);
  });

  it("is created once when two create it at the same moment", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () =>
        send(ann, "POST", "/api/v1/assets", { type: "program", name: "Twins", files: [{ path: "main.py", content: "" }] }),
      ),
    );
    expect(made.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  });

  it("is changed by who has seen it, and by nobody who has not", async () => {
    const made = await createProgram(server, ann, "Before");
    expect((await errorOf(send(ann, "PATCH", `/api/v1/assets/${made.id}`, { name: "After" }))).code).toBe("revision_required");
    const changed = await json<Asset>(patch(ann, made, { name: "After", tags: ["b", "a", "b"], description: "What it does" }));
    expect(changed).toMatchObject({ name: "After", slug: "before", tags: ["b", "a"], description: "What it does", revision: 2 });
    const error = await errorOf(patch(ann, made, { name: "Later" }));
    expect(error).toMatchObject({ code: "revision_conflict", details: { current: { name: "After", revision: 2 } } });
    expect(await json(patch(ann, made, { slug: "later" }, "*"))).toMatchObject({ slug: "later", revision: 3 });
  });

  it("loses no change when many change it at once", async () => {
    const made = await createProgram(server, ann, "Busy");
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => patch(ann, made, { description: String(index) })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 412)).toHaveLength(9);
  });

  it("belongs to a team: members edit it, owners administer it, others do not see it", async () => {
    const team = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Readers" }));
    await server.context.database.queries
      .insertInto("team_members")
      .values({ team_id: team.id, user_id: bob.id, role: "member" })
      .execute();
    const carl = await createAccount(server);
    const made = await createProgram(server, bob, "Shared words", undefined, { ownerId: team.id });
    expect(made).toMatchObject({ owner: { id: team.id, type: "team", name: "Readers" }, yourLevel: "edit", isOwner: false });
    expect(await json(send(ann, "GET", `/api/v1/assets/${made.id}`))).toMatchObject({ yourLevel: "admin", isOwner: true });
    expect((await patch(bob, made, { name: "Our words" })).status).toBe(200);
    expect((await errorOf(send(bob, "DELETE", `/api/v1/assets/${made.id}`))).code).toBe("forbidden");
    expect((await errorOf(send(carl, "GET", `/api/v1/assets/${made.id}`))).code).toBe("not_found");
    expect((await errorOf(send(carl, "POST", "/api/v1/assets", { type: "program", name: "x", ownerId: team.id, files: [] }))).code).toBe(
      "not_found",
    );
    expect(await list(ann, "view=shared")).toEqual(["Our words"]);
    expect(await list(carl, "view=all")).toEqual([]);
  });

  it("of the system is run by everybody and changed by nobody", async () => {
    const admin = await createAccount(server, "admin");
    const made = await createProgram(server, admin, "Built in", undefined, { ownerId: "system" });
    expect(made).toMatchObject({ owner: { id: "system", type: "system" }, visibility: "public", yourLevel: "run", isOwner: false });
    expect((await errorOf(patch(admin, made, { name: "Mine" }))).code).toBe("forbidden");
    expect(await json(send(ann, "GET", `/api/v1/assets/${made.id}`))).toMatchObject({ yourLevel: "run" });
    expect((await errorOf(send(ann, "POST", "/api/v1/assets", { type: "program", name: "x", ownerId: "system", files: [] }))).code).toBe(
      "not_found",
    );
  });

  it("is shared, and found by whom it is shared with", async () => {
    const made = await createProgram(server, ann, "Shared sums");
    expect(await list(bob, "view=shared")).toEqual([]);
    await share(server, ann, { resourceType: "asset", resourceId: made.id, email: bob.email, level: "run" });
    expect(await list(bob, "view=shared")).toEqual(["Shared sums"]);
    expect(await json(send(bob, "GET", `/api/v1/assets/${made.id}`))).toMatchObject({ yourLevel: "run", isShared: true });
    expect((await errorOf(patch(bob, made, { name: "x" }))).code).toBe("forbidden");
  });

  it("is deleted and restored; meanwhile its name is free", async () => {
    const made = await createProgram(server, ann, "Old");
    expect((await send(ann, "DELETE", `/api/v1/assets/${made.id}`)).status).toBe(204);
    expect(await list(ann, "view=mine")).toEqual([]);
    expect(await list(ann, "view=deleted")).toEqual(["Old"]);
    const deleted = await json<Asset>(send(ann, "GET", `/api/v1/assets/${made.id}`));
    expect(Date.parse(deleted.purgeAt ?? "") - Date.parse(deleted.deletedAt ?? "")).toBe(30 * 86_400_000);
    expect((await errorOf(patch(ann, deleted, { name: "x" }))).code).toBe("asset_deleted");
    const other = await createProgram(server, ann, "Old");
    expect((await errorOf(send(ann, "POST", `/api/v1/assets/${made.id}/restore`))).code).toBe("name_taken");
    await patch(ann, other, { name: "New", slug: "new" });
    expect(await json(send(ann, "POST", `/api/v1/assets/${made.id}/restore`))).toMatchObject({ name: "Old", deletedAt: null });
    expect(await list(ann, "view=mine&sort=name")).toEqual(["New", "Old"]);
  });
});

describe("a request that creates something, with an idempotency key", () => {
  const draft = (name: string) => ({
    type: "program",
    name,
    config: { runtime: "python", entrypoint: "main.py" },
    files: [{ path: "main.py", content: "print(1)" }],
  });
  const create = (person: Person, key: string, body: object, path = "/api/v1/assets") =>
    send(person, "POST", path, body, { "idempotency-key": key });

  it("creates once, however often and fast it is sent", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(ann, "storm", draft("Once"))));
    const bodies = await Promise.all(answers.map((answer) => json<Asset>(answer)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true")).toHaveLength(5);
    expect(await list(ann, "type=program&owner=me")).toEqual(["Once"]);
    expect(await errorOf(create(ann, "storm", draft("Other")))).toMatchObject({ status: 409, code: "idempotency_conflict" });
    expect(await json(create(bob, "storm", draft("Other")))).toMatchObject({ name: "Other" });
    expect((await create(ann, "x".repeat(256), draft("Other"))).status).toBe(400);
    for (const [path, body] of [
      ["/api/v1/teams", { name: "Team" }],
      ["/api/v1/credentials", { kind: "model", name: "c", value: "planted-value-1" }],
      [`/api/v1/assets/${bodies[0]?.id}/clone`, { name: "Copy" }],
    ] as const) {
      const [one, two] = await Promise.all([1, 2].map(async () => await json<{ id: string }>(create(ann, path, body, path))));
      expect(one?.id).toMatch(/_/);
      expect(two).toEqual(one);
    }
    const rows = await server.context.database.queries.selectFrom("idempotent_requests").selectAll().execute();
    expect(JSON.stringify(rows)).not.toMatch(/planted-value|storm/);
  });

  it("may be sent again after it was refused", async () => {
    await create(ann, "first", draft("Taken"));
    expect(await errorOf(create(ann, "second", draft("Taken")))).toMatchObject({ code: "name_taken" });
    const { items } = await json<{ items: AssetSummary[] }>(send(ann, "GET", "/api/v1/assets?owner=me"));
    await send(ann, "DELETE", `/api/v1/assets/${items[0]?.id}`, undefined, { "if-match": "*" });
    expect((await create(ann, "second", draft("Taken"))).status).toBe(201);
  });

  it("shows a secret once: again, it says that it was done", async () => {
    const key = { name: "k", scopes: ["runs:read"] };
    const made = await json<{ key: string }>(create(ann, "key", key, "/api/v1/api-keys"));
    expect(made.key).toMatch(/^syla_/);
    expect(await errorOf(create(ann, "key", key, "/api/v1/api-keys"))).toMatchObject({ status: 409, code: "idempotency_answer_gone" });
    const rows = await server.context.database.queries.selectFrom("idempotent_requests").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(made.key);
  });

  it("goes on where a server was killed, and says so while another is at it", async () => {
    const { queries } = server.context.database;
    await create(ann, "killed", draft("First"));
    await queries
      .updateTable("idempotent_requests")
      .set({ status: null, answer: null, worker_id: "gone" })
      .where("owner_id", "=", ann.id)
      .execute();
    const gone = await errorOf(create(ann, "killed", draft("First")));
    expect(gone).toMatchObject({ status: 409, code: "idempotency_answer_gone", details: { id: expect.stringMatching(/^prog_/) } });
    await queries.updateTable("idempotent_requests").set({ made: null }).where("owner_id", "=", ann.id).execute();
    expect((await create(ann, "killed", draft("Second"))).status).toBe(201);
    const set = (status: number | null) =>
      queries.updateTable("idempotent_requests").set({ status }).where("owner_id", "=", ann.id).execute();
    await set(null);
    const waiting = create(ann, "killed", draft("Second"));
    await set(201);
    expect(await json(waiting)).toMatchObject({ name: "Second" });
  });
});
