import { request } from "node:http";
import type { LinkedThing } from "@syla/contracts/linked-things";
import { submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { redeemLink } from "../../src/access/sharing/store.ts";
import { hashToken } from "../../src/platform/one-time-token.ts";
import { createProgram } from "../catalog/programs.ts";
import { createAccount, insertRun, setStatus, share, type Person } from "./people.ts";

/** "Within about a second", on a machine that does other things too. */
const soonMs = 2500;

let server: TestServer;
let ann: Person;
let live: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_TRUST_PROXY: "true" });
  ann = await createAccount(server);
  await choose({ anonymousLinks: "true" });
  live = (await submit(server, { code: "echo begun; sleep 120", entrypoint: "a.sh", limits: { wallMs: 120_000 } }, ann.headers)).id;
});
beforeEach(() => choose({ anonymousLinks: "true" }));
afterAll(() => server[Symbol.asyncDispose]());

async function choose(values: Readonly<Record<string, string | null>>): Promise<void> {
  expect((await server.send("PATCH", "/api/v1/admin/settings", { values })).status).toBe(200);
}

interface Link {
  readonly token: string;
  readonly grant: { readonly id: string; readonly anonymous: boolean | null };
  readonly anonymous: boolean;
}

async function makeLink(resourceId: string, input: object = {}): Promise<Link> {
  const body = { resourceType: "run", resourceId, level: "view", ...input };
  return (await (await server.send("POST", "/api/v1/share-links", body, ann.headers)).json()) as Link;
}

const by = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });
const get = (path: string, token: string) => server.fetch(path, { headers: by(token) });
const codeOf = async (answer: Response | Promise<Response>) => ((await (await answer).json()) as { code: string }).code;
const revoke = (id: string) => server.fetch(`/api/v1/grants/${id}`, { method: "DELETE", headers: ann.headers });

/** Follows the run that goes on; `ended` resolves when the stream ends. */
async function follow(token: string) {
  const answer = await get(`/api/v1/runs/${live}/events`, token);
  expect(answer.status).toBe(200);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("there is no body");
  let text = "";
  while (!text.includes("begun")) text += (await reader.read()).value ?? "";
  const ended = (async () => {
    while (!(await reader.read()).done);
    return Date.now();
  })();
  return { ended };
}

async function endsAfter(ended: Promise<number>, change: () => Promise<unknown>): Promise<number> {
  const begun = Date.now();
  await change();
  return (await ended) - begun;
}

describe("a share link without an account", () => {
  it("shows the run, its log and what it left; not what its environment held", async () => {
    const input = { code: "echo out; echo x > /output/a.txt", entrypoint: "a.sh", env: { CITY: "Paris" } };
    const { id } = await submit(server, input, ann.headers);
    await waitForRun(server, id);
    const { token, anonymous } = await makeLink(id);
    expect(anonymous).toBe(true);
    const leadsTo = await (await get("/api/v1/share-links/current", token)).json();
    const thing = { resourceType: "run", resourceId: id, name: "a.sh", level: "view", expiresAt: null, asset: null, sandbox: null };
    expect(leadsTo).toEqual(thing);
    const run = await get(`/api/v1/runs/${id}`, token);
    expect([run.headers.get("cache-control"), run.headers.get("referrer-policy")]).toEqual(["no-store", "no-referrer"]);
    expect(await run.json()).toMatchObject({ id, status: "succeeded", stdout: "out\n", env: {}, idempotencyKey: null });
    expect(await (await get(`/api/v1/runs/${id}/log`, token)).text()).toBe("out\n");
    const events = await (await get(`/api/v1/runs/${id}/events`, token)).text();
    expect([events.includes('"type":"end"'), events.includes("Paris")]).toEqual([true, false]);
    const { items } = (await (await get(`/api/v1/runs/${id}/artifacts`, token)).json()) as { items: { id: string }[] };
    const artifact = await get(`/api/v1/runs/${id}/artifacts/${items[0]?.id}`, token);
    expect([await artifact.text(), artifact.headers.get("cache-control")]).toEqual(["x\n", "private, no-store"]);
    expect(await (await server.fetch(`/api/v1/runs/${id}`, { headers: ann.headers })).json()).toMatchObject({ env: { CITY: "Paris" } });
  });

  it("lets nothing be done, whatever level it gives to people with an account", async () => {
    const id = await insertRun(server, ann);
    const { token } = await makeLink(id, { level: "admin" });
    for (const [method, path, body] of [
      ["POST", `/api/v1/runs/${id}/rerun`],
      ["POST", `/api/v1/runs/${id}/cancel`],
      ["PATCH", `/api/v1/runs/${id}`, { visibility: "public" }],
      ["POST", "/api/v1/executions", { language: "bash", code: "1" }],
      ["POST", "/api/v1/share-links", { resourceType: "run", resourceId: id, level: "view" }],
      ["POST", "/api/v1/share-links/redeem", { token }],
      ["POST", "/api/v1/api-keys", { name: "x" }],
      ["GET", "/api/v1/runs"],
      ["GET", `/api/v1/runs/${id}/file?path=main.sh`],
      ["GET", "/api/v1/users/me"],
      ["GET", `/api/v1/access?resourceType=run&resourceId=${id}`],
    ] as const)
      expect([method, path, await codeOf(server.send(method, path, body, by(token)))]).toEqual([method, path, "unauthenticated"]);
    expect(await codeOf(server.send("POST", "/api/v1/tokens", { grantType: "api_key", apiKey: token }))).toBe("invalid_api_key");
  });

  it("leads to what it was made for and nowhere else", async () => {
    const [id, other, open] = [await insertRun(server, ann), await insertRun(server, ann), await insertRun(server, ann, "public")];
    const { token } = await makeLink(id);
    expect((await get(`/api/v1/runs/${id}`, token)).status).toBe(200);
    for (const path of [other, open, live, "run_none", "%00"]) expect(await codeOf(get(`/api/v1/runs/${path}`, token))).toBe("not_found");
    for (const path of ["events", "log", "artifacts", "artifacts/art_1"])
      expect(await codeOf(get(`/api/v1/runs/${other}/${path}`, token))).toBe("not_found");
  });

  it("is refused when a character of it is missing, added or another", async () => {
    const { token } = await makeLink(await insertRun(server, ann));
    const last = token.at(-1) === "A" ? "B" : "A";
    for (const wrong of [token.slice(0, -1), `${token}A`, token.slice(0, -1) + last, "syla_share_", `syla_share_${"A".repeat(5000)}`])
      expect(await codeOf(get("/api/v1/share-links/current", wrong))).toBe("share_link_invalid");
    for (const wrong of [token.slice("syla_share_".length), token.toUpperCase(), token.slice(0, 8)])
      expect((await get("/api/v1/share-links/current", wrong)).status).toBeGreaterThanOrEqual(401);
    const stored = await server.context.database.queries.selectFrom("share_links").selectAll().execute();
    for (const { token_hash, start } of stored)
      for (const wrong of [token_hash, start]) expect((await get("/api/v1/share-links/current", wrong)).status).toBeGreaterThanOrEqual(401);
  });

  it("ends with its time, and with being revoked, also for what is open", async () => {
    const expiresAt = new Date(Date.now() + 1500);
    const short = await makeLink(live, { expiresAt: expiresAt.toISOString() });
    const late = await follow(short.token);
    expect(Math.abs((await late.ended) - expiresAt.getTime())).toBeLessThan(soonMs);
    expect(await codeOf(get(`/api/v1/runs/${live}`, short.token))).toBe("share_link_invalid");
    const { token, grant } = await makeLink(live);
    const { ended } = await follow(token);
    expect(await endsAfter(ended, () => revoke(grant.id))).toBeLessThan(soonMs);
    expect(await codeOf(get(`/api/v1/runs/${live}/events`, token))).toBe("share_link_invalid");
  });

  it("goes on for those who have another link", async () => {
    const [one, two] = [await makeLink(live), await makeLink(live)];
    const staying = await follow(two.token);
    const { ended } = await follow(one.token);
    expect(await endsAfter(ended, () => revoke(one.grant.id))).toBeLessThan(soonMs);
    await expect(Promise.race([staying.ended, new Promise((resolve) => setTimeout(resolve, 300, "open"))])).resolves.toBe("open");
    await revoke(two.grant.id);
    await staying.ended;
  });

  it("is nothing while an administrator does not allow it, and ends what is open when they forbid it", async () => {
    const { token } = await makeLink(live);
    const { ended } = await follow(token);
    expect(await endsAfter(ended, () => choose({ anonymousLinks: null }))).toBeLessThan(soonMs);
    for (const given of [token, "syla_share_never"]) {
      const answer = await get(`/api/v1/runs/${live}`, given);
      expect([answer.status, await codeOf(answer)]).toEqual([401, "unauthenticated"]);
    }
    expect((await makeLink(live)).anonymous).toBe(false);
    const access = await server.fetch(`/api/v1/access?resourceType=run&resourceId=${live}`, { headers: ann.headers });
    expect(await access.json()).toMatchObject({ anonymousLinks: false });
    const bob = await createAccount(server);
    expect((await server.send("POST", "/api/v1/share-links/redeem", { token }, bob.headers)).status).toBe(200);
  });

  it("to a sandbox shows that it is there and how it stands, and nothing of what happens in it", async () => {
    const { queries } = server.context.database;
    const id = "sbx_00000000000000000000000001";
    const times = { idle_timeout_ms: 60_000, expires_at: new Date(Date.now() + 3_600_000), worker_id: server.context.workerId };
    const look = {
      name: "bench",
      language: "bash",
      tier: "namespace",
      network: "none",
      status: "running" as const,
      requested_limits: "{}",
    };
    await queries
      .insertInto("sandboxes")
      .values({ id, owner_id: ann.id, ...look, ...times })
      .execute();
    const { token, anonymous } = await makeLink(id, { resourceType: "sandbox", level: "edit" });
    expect(anonymous).toBe(true);
    const shown = (await (await get("/api/v1/share-links/current", token)).json()) as LinkedThing;
    expect(shown).toMatchObject({ resourceType: "sandbox", resourceId: id, name: "bench", asset: null });
    expect(shown.sandbox).toEqual({
      status: "running",
      language: "bash",
      createdAt: expect.any(String),
      expiresAt: times.expires_at.toISOString(),
      endedAt: null,
    });
    for (const path of ["", "/files?path=%2F", "/processes", "/stats", "/ports", "/network"])
      expect(await codeOf(get(`/api/v1/sandboxes/${id}${path}`, token))).toBe("unauthenticated");
    await queries.updateTable("sandboxes").set({ status: "stopped" }).where("id", "=", id).execute();
  });

  it("to a program shows its files and versions, and nothing of how it is run, whose it is and where it came from", async () => {
    const config = { runtime: "bash", entrypoint: "main.sh", args: ["Paris"] };
    const program = await createProgram(server, ann, "Lined up", { "main.sh": "echo 1\n", "README.md": "# Lined up\n" }, { config });
    await server.send("POST", `/api/v1/assets/${program.id}/versions`, { version: "1.0.0", message: "First" }, ann.headers);
    await server.send("PATCH", `/api/v1/assets/${program.id}`, { description: "Says one" }, { ...ann.headers, "if-match": "*" });
    const { token } = await makeLink(program.id, { resourceType: "asset", level: "admin" });
    const shown = (await (await get("/api/v1/share-links/current", token)).json()) as LinkedThing;
    expect(shown.asset).toEqual({
      type: "program",
      description: "Says one",
      tags: [],
      runtime: "bash",
      columns: null,
      rowCount: null,
      versions: [{ version: "1.0.0", message: "First", createdAt: expect.any(String) }],
      updatedAt: expect.any(String),
    });
    expect(JSON.stringify(shown)).not.toMatch(/Paris|user_|example\.org/);
    const files = (await (await get(`/api/v1/programs/${program.id}/files`, token)).json()) as { items: { path: string }[] };
    expect(files.items.map(({ path }) => path)).toEqual(["README.md", "main.sh"]);
    expect(await (await get(`/api/v1/programs/${program.id}/file?path=main.sh&version=1.0.0`, token)).text()).toBe("echo 1\n");
    for (const [method, path, body] of [
      ["GET", `/api/v1/assets/${program.id}`],
      ["GET", `/api/v1/assets/${program.id}/versions`],
      ["GET", `/api/v1/programs/${program.id}/analysis`],
      ["GET", `/api/v1/programs/${program.id}/environment`],
      ["POST", `/api/v1/programs/${program.id}/files`, { changes: [{ op: "delete", path: "main.sh" }] }],
      ["POST", `/api/v1/assets/${program.id}/clone`, {}],
      ["POST", "/api/v1/runs", { programId: program.id }],
    ] as const)
      expect([method, path, await codeOf(server.send(method, path, body, by(token)))]).toEqual([method, path, "unauthenticated"]);
    await server.fetch(`/api/v1/assets/${program.id}`, { method: "DELETE", headers: ann.headers });
    expect(await codeOf(get("/api/v1/share-links/current", token))).toBe("not_found");
    expect(await codeOf(get(`/api/v1/programs/${program.id}/files`, token))).toBe("not_found");
  });

  it("leads to no program that is everybody's or the system's but its own", async () => {
    const [open, systems] = [
      await createProgram(server, ann, "Open", undefined, { visibility: "public" }),
      await createProgram(server, ann, "S"),
    ];
    const { queries } = server.context.database;
    await queries.updateTable("assets").set({ owner_id: "system", visibility: "public" }).where("id", "=", systems.id).execute();
    const { token } = await makeLink(await insertRun(server, ann));
    for (const { id } of [open, systems]) {
      expect((await server.fetch(`/api/v1/programs/${id}/files`, { headers: ann.headers })).status).toBe(200);
      expect(await codeOf(get(`/api/v1/programs/${id}/files`, token))).toBe("not_found");
    }
  });

  it("to a dataset shows its columns and rows, and to a model what it is called and no more", async () => {
    const made = await server.fetch("/api/v1/datasets?name=Towns", {
      method: "POST",
      headers: { ...ann.headers, "content-type": "application/octet-stream" },
      body: "town,people\nOslo,700000\n",
    });
    const { id } = (await made.json()) as { id: string };
    const rows = await makeLink(id, { resourceType: "asset" });
    const shown = (await (await get("/api/v1/share-links/current", rows.token)).json()) as LinkedThing;
    expect(shown.asset).toMatchObject({ type: "dataset", rowCount: 1, columns: [{ name: "town" }, { name: "people" }] });
    const read = (await (await get(`/api/v1/datasets/${id}/rows`, rows.token)).json()) as { items: { values: object }[] };
    expect(read.items.map(({ values }) => values)).toEqual([{ town: "Oslo", people: 700_000 }]);
    for (const path of ["export", "statistics"])
      expect(await codeOf(get(`/api/v1/datasets/${id}/${path}`, rows.token))).toBe("unauthenticated");

    const config = { provider: "ollama", modelId: "hidden-one", baseUrl: "http://127.0.0.1:1", prices: { input: 1, output: 1 } };
    const model = await server.send("POST", "/api/v1/models", { name: "Ours", description: "Fast", config }, ann.headers);
    expect(model.status).toBe(201);
    const modelId = ((await model.json()) as { id: string }).id;
    const link = await makeLink(modelId, { resourceType: "asset", level: "run" });
    const said = await (await get("/api/v1/share-links/current", link.token)).text();
    expect((JSON.parse(said) as LinkedThing).asset).toMatchObject({
      type: "model",
      description: "Fast",
      tags: [],
      versions: [],
      columns: null,
    });
    expect(said).not.toMatch(/hidden-one|ollama|127\.0\.0\.1/);
    expect(await codeOf(get(`/api/v1/models/${modelId}`, link.token))).toBe("unauthenticated");
    expect(await codeOf(get(`/api/v1/programs/${modelId}/files`, link.token))).toBe("not_found");
  });

  it("is nobody's where it was made for people with an account, who take it as ever", async () => {
    const id = await insertRun(server, ann);
    const { token, anonymous, grant } = await makeLink(id, { needsAccount: true });
    expect([anonymous, grant.anonymous]).toEqual([false, false]);
    expect(await codeOf(get("/api/v1/share-links/current", token))).toBe("unauthenticated");
    expect(await codeOf(get(`/api/v1/runs/${id}`, token))).toBe("unauthenticated");
    const bob = await createAccount(server);
    expect((await server.send("POST", "/api/v1/share-links/redeem", { token }, bob.headers)).status).toBe(200);
  });

  it("is made anew: the one before ends, what people took by it stays, and it is still one link", async () => {
    const bob = await createAccount(server);
    const { token, grant } = await makeLink(live, { level: "edit" });
    await server.send("POST", "/api/v1/share-links/redeem", { token }, bob.headers);
    const { ended } = await follow(token);
    const renew = (id: string, headers = ann.headers) => server.send("POST", `/api/v1/grants/${id}/link`, undefined, headers);
    expect(await codeOf(renew(grant.id, bob.headers))).toBe("forbidden");
    let next = "";
    const renewed = async () => {
      const answer = await renew(grant.id);
      expect(answer.status).toBe(201);
      const made = (await answer.json()) as Link;
      expect(made.grant).toMatchObject({ id: grant.id, level: "edit", useCount: 1, anonymous: true });
      next = made.token;
    };
    expect(await endsAfter(ended, renewed)).toBeLessThan(soonMs);
    expect(await codeOf(get(`/api/v1/runs/${live}`, token))).toBe("share_link_invalid");
    expect((await get(`/api/v1/runs/${live}`, next)).status).toBe(200);
    expect((await server.fetch(`/api/v1/runs/${live}`, { headers: bob.headers })).status).toBe(200);
    const both = await Promise.all([renew(grant.id), renew(grant.id)]);
    const tokens = await Promise.all(both.map(async (answer) => ((await answer.json()) as Link).token));
    const good = await Promise.all(tokens.map(async (one) => (await get("/api/v1/share-links/current", one)).status));
    expect(good.toSorted((a, b) => a - b)).toEqual([200, 403]);
    expect((await server.fetch(`/api/v1/runs/${live}`, { headers: bob.headers })).status).toBe(200);
    await revoke(grant.id);
    expect((await server.fetch(`/api/v1/runs/${live}`, { headers: bob.headers })).status).toBe(404);
    const direct = await share(server, ann, { resourceType: "run", resourceId: live, email: bob.email, level: "view" });
    expect(await codeOf(renew(direct))).toBe("conflict");
    await revoke(direct);
  });

  it("is made anew after whoever is redeeming it, who keeps what they got", async () => {
    const bob = await createAccount(server);
    const { token, grant } = await makeLink(live);
    const { queries } = server.context.database;
    const [redeemed, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const redeeming = queries.transaction().execute(async (work) => {
      await redeemLink(work, hashToken(token), bob.id);
      redeemed.resolve();
      await goOn.promise;
    });
    await redeemed.promise;
    const renewed = server.send("POST", `/api/v1/grants/${grant.id}/link`, undefined, ann.headers);
    const waiting = sql<object>`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await waiting.execute(queries)).rows.length).toBeGreaterThan(0);
    goOn.resolve();
    await redeeming;
    expect(await (await renewed).json()).toMatchObject({ grant: { useCount: 1 } });
    expect((await server.fetch(`/api/v1/runs/${live}`, { headers: bob.headers })).status).toBe(200);
    await revoke(grant.id);
  });

  it("is for GET and HEAD alone", async () => {
    const { token } = await makeLink(await insertRun(server, ann));
    const head = await server.fetch("/api/v1/share-links/current", { method: "HEAD", headers: by(token) });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const refused = await server.fetch(`/api/v1/runs/${live}`, { method: "HEAD", headers: by(token) });
    expect([refused.status, await refused.text()]).toEqual([404, ""]);
    const options = await server.fetch("/api/v1/share-links/current", { method: "OPTIONS", headers: by(token) });
    expect([options.status, options.headers.get("access-control-allow-origin")]).toEqual([404, null]);
  });

  it("outlives the suspension of who made it, which lets them in no further", async () => {
    const bob = await createAccount(server);
    const run = await insertRun(server, bob);
    const answer = await server.send("POST", "/api/v1/share-links", { resourceType: "run", resourceId: run, level: "view" }, bob.headers);
    const { token } = (await answer.json()) as Link;
    await setStatus(server, bob, "suspended");
    expect((await get(`/api/v1/runs/${run}`, token)).status).toBe(200);
    await expect.poll(() => codeOf(server.fetch(`/api/v1/runs/${run}`, { headers: bob.headers }))).toBe("account_suspended");
  });

  it("is in the audit trail with the link and the address, once in a while, and never with its token", async () => {
    const id = await insertRun(server, ann);
    const { token, grant } = await makeLink(id);
    for (let index = 0; index < 3; index += 1) await get(`/api/v1/runs/${id}`, token);
    await server.send("POST", `/api/v1/runs/${id}/cancel`, undefined, by(token));
    await server.context.audit.flushed();
    const { queries } = server.context.database;
    const events = await queries.selectFrom("audit_events").selectAll().where("resource_id", "=", id).orderBy("id").execute();
    const row = await queries.selectFrom("grants").select("subject_id").where("id", "=", grant.id).executeTakeFirstOrThrow();
    const facts = events.map(({ action, via, actor_id, actor_role, outcome, ip }) => [action, via, actor_id, actor_role, outcome, ip]);
    expect(facts).toEqual([
      ["share.link_create", "api-key", ann.id, "developer", "ok", "127.0.0.1"],
      ["run.read", "link", null, null, "ok", "127.0.0.1"],
      ["run.cancel", "link", null, null, "denied", "127.0.0.1"],
    ]);
    expect(events.slice(1).map(({ details }) => (details as { linkId: string }).linkId)).toEqual([row.subject_id, row.subject_id]);
    expect(JSON.stringify(await queries.selectFrom("audit_events").selectAll().execute())).not.toContain(token);
  });

  it("is counted by address, good tokens and bad ones together", async () => {
    const { token } = await makeLink(await insertRun(server, ann));
    await choose({ rateLimitAnonymous: "5" });
    const statuses: number[] = [];
    const ask = async (given: string, from: string) =>
      (await server.fetch("/api/v1/share-links/current", { headers: by(given, { "x-forwarded-for": from }) })).status;
    for (const given of [token, "syla_share_1", token, "syla_share_2", token, token, "syla_share_3"])
      statuses.push(await ask(given, "203.0.113.7"));
    expect(statuses).toEqual([200, 403, 200, 403, 200, 429, 429]);
    expect(await ask(token, "203.0.113.8")).toBe(200);
    expect((await server.fetch("/api/v1/users/me", { headers: { ...ann.headers, "x-forwarded-for": "203.0.113.7" } })).status).toBe(200);
    await choose({ rateLimitAnonymous: null });
  });

  it("does not become a WebSocket", async () => {
    const { token } = await makeLink(await insertRun(server, ann));
    const headers = by(token, {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    });
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${server.url}/api/v1/notifications/live`, { agent: false, headers });
      sent.on("error", reject).on("upgrade", () => resolve("upgraded"));
      sent.on("response", (answer) => resolve(answer.resume().statusCode)).end();
    });
    expect(status).toBeGreaterThanOrEqual(401);
  });
});
