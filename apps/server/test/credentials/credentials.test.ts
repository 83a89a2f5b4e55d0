import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Credential } from "@syla/contracts/credentials";
import { openKeyFile } from "@syla/server/credentials/key-file";
import { warnOfExpiry } from "@syla/server/credentials/expiry-warnings";
import { Credentials } from "@syla/server/credentials/service";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";

let server: TestServer;
let ann: Person;
let bob: Person;

const planted = "sk-planted-c2VjcmV0LW9mLWFubg";

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);
const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T;
const codeOf = async (answer: Promise<Response>) => (await json<{ code: string }>(answer)).code;
const create = async (person: Person, more: object = {}) =>
  await json<Credential>(send(person, "POST", "/api/v1/credentials", { kind: "model", name: "key", value: planted, ...more }));
const reveal = async (id: string) => (await server.context.credentials.reveal(id, "model")).value.reveal();

/** A model that uses the credential. */
async function use(credentialId: string): Promise<string> {
  const config = { provider: "openai", modelId: "m", credentialId };
  return (await json<{ id: string }>(send(ann, "POST", "/api/v1/models", { name: "My model", config }))).id;
}

describe("a credential", () => {
  it("is stored, used, replaced and deleted, and never shown", async () => {
    const made = await create(ann, { value: `${planted}\n`, username: "ann" });
    expect(made).toMatchObject({ kind: "model", name: "key", username: "ann", useCount: 0, mayManage: true, lastUsedAt: null });
    expect(await reveal(made.id)).toBe(planted);
    const shown = [
      await json(send(ann, "GET", `/api/v1/credentials/${made.id}`)),
      await json(send(ann, "GET", "/api/v1/credentials")),
      await json(send(ann, "PATCH", `/api/v1/credentials/${made.id}`, { value: "another" })),
    ];
    expect(JSON.stringify([made, ...shown])).not.toContain(planted);
    expect(shown[0]).toMatchObject({ lastUsedAt: expect.any(String) as string });
    expect(await reveal(made.id)).toBe("another");
    expect((await send(ann, "DELETE", `/api/v1/credentials/${made.id}`)).status).toBe(204);
    await expect(reveal(made.id)).rejects.toMatchObject({ code: "credential_missing" });
  });

  it("is in clear nowhere: not in the database, the trail, an export, an error", async () => {
    const made = await create(ann);
    const refused = [
      await json(send(ann, "POST", "/api/v1/credentials", { kind: "model", name: "key", value: planted })),
      await json(send(ann, "POST", "/api/v1/credentials", { kind: "none", name: "", value: planted })),
      await json(send(ann, "PATCH", `/api/v1/credentials/${made.id}`, { value: planted, more: planted })),
    ];
    await send(ann, "PATCH", `/api/v1/credentials/${made.id}`, { value: planted, name: "renamed" });
    await server.context.audit.flushed();
    const { queries } = server.context.database;
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(queries);
    const dumps = await Promise.all(
      tables.map(async ({ name }) => (await sql<{ text: string }>`select t::text as text from ${sql.table(name)} t`.execute(queries)).rows),
    );
    const exported = await (await send(ann, "POST", "/api/v1/users/me/export")).text();
    const everything = JSON.stringify([refused, dumps, exported]);
    expect(everything.length).toBeGreaterThan(1000);
    for (const form of [planted, Buffer.from(planted).toString("base64").slice(0, -4), Buffer.from(planted).toString("hex")])
      expect(everything).not.toContain(form);
    expect(JSON.stringify(dumps)).toContain("credential.create");
  });

  it.each([
    {},
    { kind: "model", name: "a" },
    { kind: "model", name: "a\nb", value: "v" },
    { kind: "model", name: "a", value: "" },
    { kind: "model", name: "a", value: "v\0" },
    { kind: "model", name: "a", value: "x".repeat(16_385) },
    { kind: "model", name: "a", value: "v", expiresAt: "2001-01-01T00:00:00Z" },
    { kind: "git", name: "a", value: "v", username: "a:b", host: "git.example.org" },
    { kind: "git", name: "a", value: "v" },
    { kind: "model", name: "a", value: "v", host: "git.example.org" },
    { kind: "git", name: "a", value: "two\nlines", host: "git.example.org" },
    { kind: "index", name: "a", value: "two\nlines", host: "https://index.example.org" },
    ...["two\nlines", "two\r\nlines", "a\tb", "a\u007f", "a\u001b[0m", "ключ", "\n", "end\n\n"].map((text) => ({
      kind: "model",
      name: "a",
      value: text,
    })),
    ...["", "https://git.example.org/path", "https://ann@git.example.org", "ssh://git.example.org", "a b", "git.example.org?x"].map(
      (host) => ({
        kind: "git",
        name: "a",
        value: "v",
        host,
      }),
    ),
  ])("refuses %j", async (body) => {
    expect(await codeOf(send(ann, "POST", "/api/v1/credentials", body))).toBe("invalid_request");
  });

  it("keeps its value when another is refused; what is sent in no header may have lines", async () => {
    const made = await create(ann, { value: "Bearer one\r\n" });
    const refused = await send(ann, "PATCH", `/api/v1/credentials/${made.id}`, { value: "a\nb" });
    expect(await json(refused)).toMatchObject({ code: "invalid_request", fields: [{ path: "value" }] });
    expect(await reveal(made.id)).toBe("Bearer one");
    expect(await json(send(ann, "POST", "/api/v1/credentials", { kind: "program", name: "lines", value: "a\nb" }))).toMatchObject({
      name: "lines",
    });
  });

  it("is hidden from others, and is not theirs to use", async () => {
    const { id } = await create(ann);
    for (const [method, body] of [["GET"], ["PATCH", { name: "mine" }], ["DELETE"]] as const)
      expect(await codeOf(send(bob, method, `/api/v1/credentials/${id}`, body))).toBe("not_found");
    const actor = { userId: bob.id, role: "developer", via: "session" } as const;
    await expect(
      server.context.credentials.requireUsable(actor, id, { kind: "model", ownerId: bob.id, path: "credentialId" }),
    ).rejects.toMatchObject({ code: "credential_unusable" });
    const endUser = await createAccount(server, "end_user");
    expect(await codeOf(send(endUser, "POST", "/api/v1/credentials", { kind: "model", name: "a", value: "v" }))).toBe("forbidden");
  });

  it("can belong to a team: owners manage it, members see it", async () => {
    const team = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "T" }));
    const { queries } = server.context.database;
    await queries.insertInto("team_members").values({ team_id: team.id, user_id: bob.id, role: "member" }).execute();
    const { id } = await create(ann, { ownerId: team.id });
    expect(await json(send(bob, "GET", `/api/v1/credentials/${id}`))).toMatchObject({ mayManage: false, owner: { id: team.id } });
    expect(await codeOf(send(bob, "DELETE", `/api/v1/credentials/${id}`))).toBe("forbidden");
    expect(
      await codeOf(
        send(bob, "POST", "/api/v1/credentials", { kind: "git", name: "x", value: "v", host: "git.example.org", ownerId: team.id }),
      ),
    ).toBe("not_found");
    await send(ann, "DELETE", `/api/v1/teams/${team.id}`);
    expect(await queries.selectFrom("credentials").select("id").where("id", "=", id).execute()).toEqual([]);
  });

  it("keeps one name to one of an owner, also when two come at once", async () => {
    const answers = await Promise.all(
      ["a", "b"].map((value) => send(ann, "POST", "/api/v1/credentials", { kind: "model", name: "same", value })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it("is not deleted while something uses it, unless it is forced", async () => {
    const { id } = await create(ann);
    const modelId = await use(id);
    const refused = await json<{ code: string; details: { uses: { id: string }[] } }>(send(ann, "DELETE", `/api/v1/credentials/${id}`));
    expect(refused).toMatchObject({ code: "credential_in_use", details: { uses: [{ id: modelId, name: "My model", type: "model" }] } });
    expect(await json(send(ann, "GET", `/api/v1/credentials/${id}`))).toMatchObject({ useCount: 1, uses: [{ id: modelId }] });
    expect((await send(ann, "DELETE", `/api/v1/credentials/${id}?force=true`)).status).toBe(204);
  });

  it("does not open in another row, another kind or for another owner", async () => {
    const [first, second] = [await create(ann), await create(bob)];
    const { queries } = server.context.database;
    const row = await queries.selectFrom("credentials").selectAll().where("id", "=", first.id).executeTakeFirstOrThrow();
    const { sealed, data_key, key_id } = row;
    await queries.updateTable("credentials").set({ sealed, data_key, key_id }).where("id", "=", second.id).execute();
    await expect(reveal(second.id)).rejects.toMatchObject({ code: "credential_unreadable" });
    await queries.updateTable("credentials").set({ owner_id: bob.id, name: "stolen" }).where("id", "=", first.id).execute();
    await expect(reveal(first.id)).rejects.toMatchObject({ code: "credential_unreadable" });
    await queries.deleteFrom("credentials").where("id", "in", [first.id, second.id]).execute();
  });

  it("says a week before that it expires, once, and is not used after", async () => {
    const { id, name } = await create(ann, { expiresAt: new Date(Date.now() + 3 * 86_400_000).toISOString() });
    const warn = () => warnOfExpiry(server.context.database);
    expect(await warn()).toBeGreaterThan(0);
    expect(await warn()).toBe(0);
    const told = await json<{ items: { title: string; link: string }[] }>(send(ann, "GET", "/api/v1/notifications"));
    expect(told.items).toMatchObject([{ title: `The credential “${name}” expires soon`, link: "/credentials" }]);
    await sql`update credentials set expires_at = now() - interval '1 second' where id = ${id}`.execute(server.context.database.queries);
    await expect(reveal(id)).rejects.toMatchObject({ code: "credential_expired" });
  });
});

describe("the keys", () => {
  it("are changed under every credential, and the old one goes", async () => {
    const { id } = await create(ann);
    const file = join(server.dataDir, "credential-keys.json");
    const before = JSON.parse(readFileSync(file, "utf8")) as { current: string };
    const rotation = await json<{ keyId: string; rewrapped: number; retired: string[] }>(
      server.send("POST", "/api/v1/admin/credential-keys/rotate"),
    );
    expect(rotation).toMatchObject({ retired: [before.current] });
    expect(rotation.rewrapped).toBeGreaterThan(0);
    expect(await reveal(id)).toBe(planted);
    expect(readFileSync(file, "utf8")).not.toContain(before.current);
    expect(await codeOf(send(bob, "POST", "/api/v1/admin/credential-keys/rotate"))).toBe("forbidden");
  });

  it("go on changing after they were cut off, and a used one is kept until then", async () => {
    const ids = await Promise.all(["a", "b", "c"].map(async (name) => (await create(ann, { name })).id));
    const file = join(server.dataDir, "credential-keys.json");
    const keys = openKeyFile(file);
    // Cut off: there is a new key, and nothing is sealed with it yet.
    const begun = await keys.beginRotation();
    const context = { database: server.context.database, keys: openKeyFile(file), ownsTeam: () => Promise.resolve(false) };
    const again = new Credentials(context);
    expect(await Promise.all(ids.map(reveal))).toEqual([planted, planted, planted]);
    const late = (await create(ann, { name: "late" })).id;
    const rotation = await again.rotateKeys();
    expect(rotation.keyId).toBe(begun);
    expect(rotation.rewrapped).toBeGreaterThanOrEqual(3);
    expect(await Promise.all([...ids, late].map(reveal))).toEqual([planted, planted, planted, planted]);
    expect(Object.keys((JSON.parse(readFileSync(file, "utf8")) as { keys: object }).keys)).toEqual([begun]);
  });

  it("are refused when their file is damaged, without a word of what is in it", () => {
    const file = join(server.dataDir, "damaged.json");
    writeFileSync(file, `{"current":"mk_1","keys":{"mk_1":"${Buffer.from("short").toString("base64")}"}}`);
    expect(() => openKeyFile(file)).toThrow(/is damaged/);
  });
});
