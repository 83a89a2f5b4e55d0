import { join } from "node:path";
import type { Credential, KeyRotation } from "@syla/contracts/credentials";
import type { Run } from "@syla/contracts/runs";
import { openKeyFile } from "@syla/server/credentials/key-file";
import { joinKeys, type MasterKeys } from "@syla/server/credentials/master-keys";
import { Credentials } from "@syla/server/credentials/service";
import { openTransitKeys, type TransitSettings } from "@syla/server/credentials/transit/keys";
import { newId } from "@syla/server/platform/ids";
import { Secret } from "@syla/server/platform/secret";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { startTransit, type TransitStandIn } from "@syla/testkit/transit";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram } from "../catalog/programs.ts";

let server: TestServer;
let transit: TransitStandIn;
let ann: Person;
const value = "planted-value-of-the-kms";

beforeAll(async () => {
  transit = await startTransit();
  server = await startTestServer({
    SYLA_CREDENTIAL_KEYS: "kms",
    SYLA_KMS_URL: transit.url,
    SYLA_KMS_ROLE_ID: transit.role.roleId,
    SYLA_KMS_SECRET_ID: transit.role.secretId,
    SYLA_KMS_SECONDS: "1",
  });
  ann = await createAccount(server);
});
afterEach(() => transit.behave({}));
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await transit[Symbol.asyncDispose]();
});

const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T;
const send = (method: string, path: string, body?: unknown) => server.send(method, `/api/v1${path}`, body, ann.headers);
const create = (more: object = {}) => send("POST", "/credentials", { kind: "model", name: newId("cred"), value, ...more });
const made = async (more: object = {}) => (await json<Credential>(create(more))).id;
const rotate = () => json<KeyRotation>(server.send("POST", "/api/v1/admin/credential-keys/rotate"));
const rowOf = (id: string) =>
  server.context.database.queries.selectFrom("credentials").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

/** The service as another server has it: nothing is remembered there yet. */
const settings = (more: Partial<TransitSettings> = {}): TransitSettings => ({
  url: transit.url,
  namespace: undefined,
  login: { token: new Secret(transit.token) },
  timeoutMs: 1000,
  mount: "transit",
  key: "syla",
  rememberMs: 60_000,
  ...more,
});
const withKeys = (keys: MasterKeys) => new Credentials({ database: server.context.database, keys, ownsTeam: () => Promise.resolve(false) });
const fresh = (more: Partial<TransitSettings> = {}) => withKeys(openTransitKeys(settings(more)));
const reveal = async (credentials: Credentials, id: string) => (await credentials.reveal(id, "model")).value.reveal();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: { code: string }) => error.code,
  );

describe("a key management service", () => {
  it("seals and opens the keys, and has seen no value", async () => {
    const id = await made();
    expect(await rowOf(id)).toMatchObject({ key_id: expect.stringMatching(/^kms:transit\/syla:v\d+$/) as string });
    expect((await rowOf(id)).data_key.toString()).toMatch(/^vault:v\d+:/);
    expect(await reveal(fresh(), id)).toBe(value);
    expect(await reveal(server.context.credentials, id)).toBe(value);
  });

  it("is asked once for what many need at once, and not again for a while", async () => {
    const id = await made();
    const credentials = fresh();
    transit.asked.length = 0;
    expect(await Promise.all(Array.from({ length: 20 }, () => reveal(credentials, id)))).toEqual(Array(20).fill(value));
    await reveal(credentials, id);
    expect(transit.asked).toEqual(["decrypt/syla"]);
    const forgetful = fresh({ rememberMs: 0 });
    await reveal(forgetful, id);
    await reveal(forgetful, id);
    expect(transit.asked).toHaveLength(3);
  });

  it.each([
    ["is sealed", { status: 503 }, "kms_unavailable"],
    ["is broken", { status: 500 }, "kms_unavailable"],
    ["stalls", { stall: true }, "kms_unavailable"],
    ["talks of something else", { lie: "json" }, "kms_unavailable"],
    ["does not stop talking", { lie: "endless" }, "kms_unavailable"],
    ["sends to another address", { redirectTo: "http://127.0.0.1:9/" }, "kms_unavailable"],
    ["forbids it", { status: 403 }, "kms_refused"],
    ["has no such key", { status: 404 }, "kms_refused"],
  ] as const)("is told of when it %s, while what is remembered goes on", async (_what, misbehaviour, code) => {
    const id = await made();
    const credentials = fresh();
    const cold = fresh();
    await reveal(credentials, id);
    transit.behave(misbehaviour);
    expect(await codeOf(reveal(cold, id))).toBe(code);
    const refused = await create();
    expect([refused.status, await json(refused)]).toMatchObject([503, { code }]);
    expect(await reveal(credentials, id)).toBe(value);
    transit.behave({});
    expect(await reveal(cold, id)).toBe(value);
  });

  it("that is gone is told of", async () => {
    const id = await made();
    expect(await codeOf(reveal(fresh({ url: "http://127.0.0.1:9" }), id))).toBe("kms_unavailable");
    expect(await codeOf(reveal(fresh({ login: { token: new Secret("wrong") } }), id))).toBe("kms_refused");
  });

  it("that lies loses nothing", async () => {
    const id = await made();
    transit.behave({ lie: "decrypt" });
    expect(await codeOf(reveal(fresh(), id))).toBe("credential_unreadable");
    transit.behave({ lie: "encrypt" });
    const name = newId("cred");
    expect(await json(create({ name }))).toMatchObject({ code: "kms_refused" });
    expect(await json(send("PATCH", `/credentials/${id}`, { value: "another" }))).toMatchObject({ code: "kms_refused" });
    transit.behave({ lie: "rewrap" });
    expect(await rotate()).toMatchObject({ unreadable: expect.arrayContaining([id]) as string[] });
    transit.behave({});
    expect(await reveal(fresh(), id)).toBe(value);
    expect((await create({ name })).status).toBe(201);
    expect(await rotate()).toMatchObject({ unreadable: [] });
    expect(await reveal(fresh(), id)).toBe(value);
  });

  it("gives a role another token when the one before was revoked", async () => {
    transit.revokeTokens();
    transit.asked.length = 0;
    const ids = await Promise.all([made(), made(), made()]);
    expect(ids.every((id) => id.startsWith("cred_"))).toBe(true);
    expect(transit.asked.filter((path) => path === "auth/approle/login").length).toBeGreaterThan(0);
  });

  it("does not open what was changed, or is no answer of it", async () => {
    const id = await made();
    const { queries } = server.context.database;
    for (const key_id of ["kms:transit/../sys/seal:v1", "kms:sys/seal:v1", "kms:transit/other:v1", "mk_none", "x"]) {
      await queries.updateTable("credentials").set({ key_id }).where("id", "=", id).execute();
      expect(["credential_unreadable", "kms_refused"]).toContain(await codeOf(reveal(fresh(), id)));
    }
    const data_key = Buffer.from("vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    await queries.updateTable("credentials").set({ key_id: "kms:transit/syla:v1", data_key }).where("id", "=", id).execute();
    expect(await codeOf(reveal(fresh(), id))).toBe("credential_unreadable");
    await queries.deleteFrom("credentials").where("id", "=", id).execute();
  });

  it("has a run with a secret wait for it, and end truthfully when it stays away", async () => {
    const secret = await made({ kind: "program" });
    const config = { runtime: "bash", entrypoint: "main.sh", secrets: [{ variable: "TOKEN", credentialId: secret }] };
    const { id: programId } = await createProgram(server, ann, "Needs a secret", { "main.sh": "echo ${#TOKEN}\n" }, { config });
    // Remembered from when it was stored: runs go on.
    transit.behave({ status: 503 });
    expect(await json(send("POST", "/runs?wait=true", { programId }))).toMatchObject({ status: "succeeded", stdout: `${value.length}\n` });
    // As after a restart.
    const { queries } = server.context.database;
    transit.behave({});
    await fresh().rotateKeys();
    transit.asked.length = 0;
    transit.behave({ status: 503 });
    const failed = await json<Run>(send("POST", "/runs?wait=true", { programId }));
    expect(failed).toMatchObject({ status: "failed", attempt: 3, error: { class: "infrastructure", code: "kms_unavailable" } });
    const started = await json<Run>(send("POST", "/runs", { programId }));
    const again = async () => await queries.selectFrom("runs").select(["attempt", "status"]).where("id", "=", started.id).execute();
    await expect.poll(again).toMatchObject([{ attempt: 2 }]);
    transit.behave({});
    await expect.poll(again, { timeout: 20_000 }).toMatchObject([{ status: "succeeded" }]);
  });
});

describe("a change of keys", () => {
  it("makes a new version, under which everything is, and the old ones may go", async () => {
    const id = await made();
    const before = (await rowOf(id)).key_id;
    const rotation = await rotate();
    expect(rotation.keyId).not.toBe(before);
    const { rows } = await sql<{ key_id: string }>`select distinct key_id from credentials`.execute(server.context.database.queries);
    expect(rows).toEqual([{ key_id: rotation.keyId }]);
    transit.dropVersionsBelow(Number(rotation.keyId.split(":v")[1]));
    expect(await reveal(fresh(), id)).toBe(value);
  });

  it("goes to a key file and back, is cut off when the service goes, and goes on after", async () => {
    const ids = [await made(), await made(), await made()];
    const file = join(server.dataDir, "moved-keys.json");
    const toFile = withKeys(joinKeys(openKeyFile(file), [openTransitKeys(settings())]));
    const toService = withKeys(joinKeys(openTransitKeys(settings()), [openKeyFile(file)]));
    const readAll = (credentials: Credentials) => Promise.all(ids.map((id) => reveal(credentials, id)));
    transit.behave({ status: 503, only: "decrypt" });
    expect(await codeOf(toFile.rotateKeys())).toBe("kms_unavailable");
    transit.behave({});
    const moved = await toFile.rotateKeys();
    expect(moved).toMatchObject({ keyId: expect.stringMatching(/^mk_/) as string, unreadable: [] });
    transit.behave({ status: 503 });
    expect(await readAll(withKeys(openKeyFile(file)))).toEqual([value, value, value]);
    expect(await codeOf(toService.rotateKeys())).toBe("kms_unavailable");
    expect(await readAll(toService)).toEqual([value, value, value]);
    transit.behave({});
    expect(await toService.rotateKeys()).toMatchObject({ keyId: expect.stringMatching(/^kms:/) as string, unreadable: [] });
    expect(await readAll(fresh())).toEqual([value, value, value]);
  });

  it("says which credentials cannot be opened, and keeps the keys that they need", async () => {
    const [good, bad] = [await made(), await made()];
    const { queries } = server.context.database;
    await queries
      .updateTable("credentials")
      .set({ data_key: Buffer.from("vault:v1:AAAA") })
      .where("id", "=", bad)
      .execute();
    expect(await rotate()).toMatchObject({ unreadable: [bad] });
    expect(await reveal(fresh(), good)).toBe(value);
    await queries.deleteFrom("credentials").where("id", "=", bad).execute();
  });

  it("goes on past one whose key has another name and is gone", async () => {
    const [lost, good] = [await made({ name: "a" }), await made({ name: "b" })];
    const { queries } = server.context.database;
    await queries.updateTable("credentials").set({ key_id: "kms:transit/former:v1" }).where("id", "=", lost).execute();
    const rotation = await rotate();
    expect(rotation.unreadable).toEqual([lost]);
    // What is sealed with another version is sealed anew only where some are left behind; the one that is lost is one.
    expect(await reveal(fresh(), good)).toBe(value);
    await queries.deleteFrom("credentials").where("id", "=", lost).execute();
    expect(await rotate()).toMatchObject({ unreadable: [] });
  });

  it.each(["file", "kms"] as const)("loses nothing while credentials are made, read, replaced and deleted (%s)", async (kind) => {
    const file = join(server.dataDir, `busy-${kind}.json`);
    // Each caller is a server of its own, with its own memory.
    const open = () =>
      withKeys(
        kind === "file"
          ? joinKeys(openKeyFile(file), [openTransitKeys(settings())])
          : joinKeys(openTransitKeys(settings()), [openKeyFile(join(server.dataDir, "busy-file.json"))]),
      );
    const actor = { userId: ann.id, role: "developer", via: "session" } as const;
    const input = (text: string) => ({ kind: "model", name: newId("cred"), value: text, username: null, expiresAt: null }) as const;
    const values = new Map<string, string>();
    const over = new AbortController();
    let steps = 0;
    const work = async (number: number) => {
      const credentials = open();
      for (let step = 0; !over.signal.aborted; step += 1, steps += 1) {
        const first = `first ${number} ${step}`;
        const { id } = await credentials.create(actor, input(first));
        expect(await reveal(credentials, id)).toBe(first);
        const second = `second ${number} ${step}`;
        await credentials.update(actor, id, { value: second });
        expect(await reveal(open(), id)).toBe(second);
        if (step % 2 === 0) await credentials.delete(actor, id, false);
        else values.set(id, second);
      }
    };
    const workers = Promise.allSettled([1, 2, 3, 4].map(work));
    const rotations: KeyRotation[] = [];
    try {
      // Two servers change the keys at the same time, again and again.
      const change = async () => {
        for (let count = 0; count < 3; count += 1) rotations.push(await open().rotateKeys());
      };
      await Promise.all([change(), change()]);
    } finally {
      over.abort();
    }
    expect((await workers).filter(({ status }) => status === "rejected")).toEqual([]);
    expect(steps).toBeGreaterThan(4);
    expect(rotations.flatMap(({ unreadable }) => unreadable)).toEqual([]);
    const after = open();
    for (const [id, text] of values) expect(await reveal(after, id)).toBe(text);
  });
});
