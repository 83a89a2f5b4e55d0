import type { Notification } from "@syla/contracts/notifications";
import type { Run } from "@syla/contracts/runs";
import {
  WebhookPayload,
  type Webhook as WebhookRecord,
  type WebhookDelivery,
  type WebhookDeliveryDetail,
  type WebhookEventType,
} from "@syla/contracts/webhooks";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { startWebhookReceiver, type WebhookReceiver } from "@syla/testkit/webhook-receiver";
import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { notify } from "../../src/platform/database.ts";
import { newId } from "../../src/platform/ids.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

let server: TestServer;
let receiver: WebhookReceiver;
let ann: Person;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_WORKER_SLOTS: "1" });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await startWebhookReceiver();
  ann = await createAccount(server);
  return () => receiver[Symbol.asyncDispose]();
});

type Made = WebhookRecord & { secret: string };
const base = "/api/v1/webhooks";
const send = (who: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, who.headers);
const create = (more: object = {}, who = ann) =>
  json<Made>(send(who, "POST", base, { name: "Mine", url: receiver.url, events: ["run.finished"], ...more }));
const changeAsset = async (id: string, change: object) => {
  const changed = await server.send("PATCH", `/api/v1/assets/${id}`, change, { ...ann.headers, "if-match": "*" });
  expect(changed.status).toBe(200);
};
const testIt = (id: string) => json<WebhookDelivery>(send(ann, "POST", `${base}/${id}/test`));
const log = async (id: string) => (await json<{ items: WebhookDelivery[] }>(send(ann, "GET", `${base}/${id}/deliveries`))).items;
const detail = (id: string, deliveryId: string) => json<WebhookDeliveryDetail>(send(ann, "GET", `${base}/${id}/deliveries/${deliveryId}`));
const told = (of = receiver): WebhookPayload[] => of.received.map(({ body }) => WebhookPayload.parse(JSON.parse(body)));
const types = (of = receiver): WebhookEventType[] => told(of).map(({ type }) => type);
const python = (code: string, who = ann) => execute(server, { language: "python", code }, who.headers);
const settled = async () => {
  const { queries } = server.context.database;
  const waiting = () =>
    queries.selectFrom("deliveries").select("id").where("channel", "=", "webhook").where("state", "=", "due").where("attempts", "=", 0);
  await expect.poll(() => queries.selectFrom("webhook_events").select("id").execute()).toEqual([]);
  await expect.poll(() => waiting().execute()).toEqual([]);
};

describe("a webhook", () => {
  it("is told of runs and of the catalog, signed, without what they were given or have said", async () => {
    const events = ["run.started", "run.finished", "asset.created", "asset.updated", "asset.published", "asset.deleted"];
    const made = await create({ events });
    const program = await createProgram(server, ann, "Told of", { "main.py": "import sys; print('0utput'); sys.exit(3)" });
    await changeAsset(program.id, { description: "changed" });
    await send(ann, "POST", `/api/v1/assets/${program.id}/versions`, { version: "1.0.0" });
    const run = await json<Run>(
      send(ann, "POST", "/api/v1/runs?wait=true", { programId: program.id, stdin: "st-d1n", env: { A: "s3cr3t" }, args: ["4rg"] }),
    );
    await send(ann, "DELETE", `/api/v1/assets/${program.id}`);
    await expect
      .poll(() => types().toSorted())
      .toEqual(
        expect.arrayContaining(["asset.created", "asset.deleted", "asset.published", "asset.updated", "run.finished", "run.started"]),
      );
    await settled();
    const finished = told().filter(({ type }) => type === "run.finished");
    expect(finished).toMatchObject([
      { version: 1, data: { runId: run.id, status: "failed", exitCode: 3, program: { id: program.id, name: "Told of", version: null } } },
    ]);
    for (const { headers, body } of receiver.received) {
      expect(new Webhook(made.secret).verify(body, headers)).toEqual(JSON.parse(body));
      expect(body).not.toMatch(/s3cr3t|st-d1n|4rg|0utput/);
      expect(headers["content-type"]).toBe("application/json");
    }
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(receiver.received.length);
    expect(await log(made.id)).toHaveLength(receiver.received.length);
  });

  it("is told of each time that a schedule could not begin its run", async () => {
    await create({ events: ["schedule.failed"] });
    const program = await createProgram(server, ann, "Nightly", { "main.py": "print(1)" });
    const wish = { name: "Nightly", programId: program.id, cron: "@yearly", missed: "once" };
    const { id } = await json<{ id: string }>(send(ann, "POST", "/api/v1/schedules", wish));
    expect((await server.send("PATCH", `/api/v1/quotas/${ann.id}`, { runsPerDay: 0 })).status).toBe(200);
    for (const count of [1, 2]) {
      const days = 366 * count;
      await sql`UPDATE schedules SET next_at = now() - ${days} * interval '1 day', last_at = null WHERE id = ${id}`.execute(
        server.context.database.queries,
      );
      await expect.poll(() => types(), { timeout: 20_000 }).toHaveLength(count);
    }
    expect(told()[0]).toMatchObject({
      type: "schedule.failed",
      data: { scheduleId: id, name: "Nightly", programId: program.id, errorCode: "quota_exceeded", willRetry: false, disabled: false },
    });
  });

  it("is told of what it asked for alone", async () => {
    const [one, other] = await Promise.all([
      createProgram(server, ann, "One", { "main.py": "raise SystemExit(1)" }),
      createProgram(server, ann, "Other", { "main.py": "print(1)" }),
    ]);
    await using failures = await startWebhookReceiver();
    await using everything = await startWebhookReceiver();
    await create({ programIds: [other.id] });
    await create({ url: failures.url, runStatuses: ["failed", "timed_out"] });
    await create({ url: everything.url });
    for (const programId of [one.id, other.id]) await send(ann, "POST", "/api/v1/runs?wait=true", { programId });
    await python("print(2)");
    await expect.poll(() => told(everything)).toHaveLength(3);
    await settled();
    expect(told()).toMatchObject([{ data: { program: { id: other.id } } }]);
    expect(told(failures)).toMatchObject([{ data: { program: { id: one.id }, status: "failed" } }]);
    const stranger = await createAccount(server);
    await python("print(3)", stranger);
    await settled();
    expect(told(everything)).toHaveLength(3);
  });

  it("of a team is told of its members' runs of its programs; members see it and owners manage it", async () => {
    const [member, stranger] = await Promise.all([createAccount(server), createAccount(server)]);
    const team = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "A" }));
    await server.context.database.queries
      .insertInto("team_members")
      .values({ team_id: team.id, user_id: member.id, role: "member" })
      .execute();
    const program = await createProgram(server, ann, "Of the team", { "main.py": "print(1)" }, { ownerId: team.id });
    await changeAsset(program.id, { visibility: "public" });
    const made = await create({ ownerId: team.id });
    expect(made).toMatchObject({ owner: { id: team.id, name: "A" }, mayManage: true });
    for (const who of [member, stranger])
      expect((await send(who, "POST", "/api/v1/runs?wait=true", { programId: program.id })).status).toBe(200);
    await python("print('of nobody else')", member);
    await expect.poll(() => told()).toHaveLength(1);
    await settled();
    expect(told()).toMatchObject([{ data: { ownerId: member.id, program: { id: program.id } } }]);
    expect(await json<WebhookRecord>(send(member, "GET", `${base}/${made.id}`))).toMatchObject({ mayManage: false });
    expect((await send(member, "GET", `${base}/${made.id}/deliveries`)).status).toBe(200);
    for (const [method, path, body] of [
      ["PATCH", "", { enabled: false }],
      ["DELETE", "", undefined],
      ["POST", "/rotate", undefined],
      ["POST", "/test", undefined],
      ["POST", "/replay", { since: "2026-01-01T00:00:00Z" }],
    ] as const) {
      expect((await errorOf(send(member, method, `${base}/${made.id}${path}`, body))).code).toBe("forbidden");
      expect((await errorOf(send(stranger, method, `${base}/${made.id}${path}`, body))).code).toBe("not_found");
    }
    expect((await errorOf(send(stranger, "GET", `${base}/${made.id}`))).code).toBe("not_found");
    const wish = { name: "x", url: receiver.url, events: ["run.finished"], ownerId: team.id };
    expect((await errorOf(send(member, "POST", base, wish))).code).toBe("forbidden");
    expect((await errorOf(send(stranger, "POST", base, wish))).code).toBe("not_found");
    const mine = await testIt((await create()).id);
    expect((await errorOf(send(ann, "GET", `${base}/${made.id}/deliveries/${mine.id}`))).code).toBe("not_found");
  });

  it("has a new secret when it is asked for, and for a day the one before", async () => {
    const made = await create();
    const { secret } = await json<Made>(send(ann, "POST", `${base}/${made.id}/rotate`));
    expect(secret).not.toBe(made.secret);
    await testIt(made.id);
    await expect.poll(() => receiver.received).toHaveLength(1);
    const [{ body, headers } = { body: "", headers: {} }] = receiver.received;
    for (const known of [secret, made.secret]) expect(new Webhook(known).verify(body, headers)).toMatchObject({ type: "webhook.test" });
    await server.context.database.queries
      .updateTable("webhooks")
      .set({ previous_secret_until: new Date(0) })
      .where("id", "=", made.id)
      .execute();
    await testIt(made.id);
    await expect.poll(() => receiver.received).toHaveLength(2);
    const last = receiver.received[1] ?? { body: "", headers: {} };
    expect(() => new Webhook(made.secret).verify(last.body, last.headers)).toThrow("No matching signature");
    expect(JSON.stringify(await json(send(ann, "GET", `${base}/${made.id}`)))).not.toContain("whsec_");
    expect(JSON.stringify(await server.context.database.queries.selectFrom("webhooks").selectAll().execute())).not.toContain(secret);
  });
});

describe("a delivery", () => {
  it.each([
    [
      "a failure",
      { status: 500, body: "no whsec_c2VjcmV0c2VjcmV0 for you", headers: { "x-own": "1", server: "nginx" } },
      "it answered with 500",
      { status: 500, head: "no whsec_[redacted] for you", headers: { server: "nginx" } },
    ],
    ["a redirection", { status: 302, headers: { location: "http://127.0.0.1:1/" } }, "it answered with 302", { status: 302, head: "x" }],
    ["no answer at all", "hang-up" as const, "socket hang up", { status: null, head: "", headers: {} }],
  ])("is tried again after %s, and says what was answered", async (_what, how, lastError, answered) => {
    const made = await create();
    receiver.behave(how);
    const { id } = await testIt(made.id);
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "due", attempts: 1, lastError });
    const seen = await detail(made.id, id);
    expect(new Date(seen.dueAt).getTime()).toBeGreaterThan(Date.now());
    expect(JSON.parse(seen.request.body)).toMatchObject({ type: "webhook.test" });
    expect(seen.request.headers).toMatchObject({ "webhook-id": id });
    expect(seen.tries).toHaveLength(1);
    expect(seen.tries[0]).toMatchObject(answered);
    expect(seen.tries[0]?.headers).not.toHaveProperty("x-own");
    expect(await json(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({ failingSince: expect.any(String), enabled: true });
    receiver.behave({ status: 200, body: "ok" });
    expect((await send(ann, "POST", `${base}/${made.id}/deliveries/${id}/replay`)).status).toBe(202);
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "sent", lastStatus: 200, lastError: null });
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([id]));
    expect((await detail(made.id, id)).tries.map(({ status }) => status)[0]).toBe(200);
    expect(await json(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({ failingSince: null, lastTakenAt: expect.any(String) });
  });

  it("waits as long as the other side asks", async () => {
    const made = await create();
    receiver.behave({ status: 429, headers: { "retry-after": "3600" } });
    const { id } = await testIt(made.id);
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "due", attempts: 1, lastStatus: 429 });
    expect(new Date((await detail(made.id, id)).dueAt).getTime()).toBeGreaterThan(Date.now() + 3_500_000);
  });

  it("that is answered with 410 is the last one, until the webhook is switched on again", async () => {
    const made = await create();
    receiver.behave({ status: 410 });
    const { id } = await testIt(made.id);
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "failed", lastStatus: 410 });
    expect(await json(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({
      enabled: false,
      disabledReason: expect.stringContaining("410"),
    });
    const { items } = await json<{ items: Notification[] }>(send(ann, "GET", "/api/v1/notifications"));
    expect(items).toMatchObject([{ type: "system", title: "The webhook “Mine” was switched off", link: `/webhooks/${made.id}` }]);
    await python("print(1)");
    await settled();
    expect(receiver.received).toHaveLength(1);
    receiver.behave({ status: 204 });
    expect((await errorOf(send(ann, "POST", `${base}/${made.id}/deliveries/${id}/replay`))).code).toBe("conflict");
    await testIt(made.id);
    await expect.poll(() => receiver.received).toHaveLength(2);
    const on = await json(send(ann, "PATCH", `${base}/${made.id}`, { enabled: true }));
    expect(on).toMatchObject({ enabled: true, disabledReason: null });
    expect(await json(send(ann, "POST", `${base}/${made.id}/replay`, { since: new Date(0).toISOString() }))).toEqual({ replayed: 1 });
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "sent" });
  });

  it("that nobody has taken for a day is given up, and the webhook with it", async () => {
    const made = await create();
    receiver.behave({ status: 503 });
    const { id } = await testIt(made.id);
    // A try counts from its beginning: it is over when it is known what came of it.
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "due", attempts: 1, lastStatus: 503 });
    const { queries } = server.context.database;
    const longAgo = new Date(Date.now() - 25 * 3_600_000);
    await queries.updateTable("webhooks").set({ failing_since: longAgo }).where("id", "=", made.id).execute();
    await queries.updateTable("deliveries").set({ attempts: 19, due_at: new Date(), tries_from: longAgo }).where("id", "=", id).execute();
    await testIt(made.id); // wakes the queue
    await expect.poll(() => detail(made.id, id)).toMatchObject({ state: "failed", attempts: 20 });
    expect(await json(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({
      enabled: false,
      disabledReason: expect.stringContaining("24 hours"),
    });
  });

  it("is made of every event for every webhook, however many, but of none that makes no sense", async () => {
    const { queries } = server.context.database;
    const { id: ownerId } = ann;
    const columns = { owner_id: ownerId, name: "Many", url: receiver.url, events: ["quota.warning"], created_by: ownerId };
    const hooks = Array.from({ length: 70 }, () => ({ ...columns, id: newId("whk") }));
    await queries.insertInto("webhooks").values(hooks).execute();
    receiver.behave("stall");
    const event = { owner_ids: [ownerId], program_id: null, run_status: null, asset_type: null };
    const good = { userId: ownerId, quota: "runsPerDay", limit: 1, used: 1 };
    await queries.transaction().execute(async (work) => {
      const events = Array.from({ length: 100 }, (_, index) => ({
        ...event,
        type: "quota.warning",
        data: JSON.stringify(index === 7 ? { nonsense: true } : good),
      }));
      await work.insertInto("webhook_events").values(events).execute();
    });
    await queries.transaction().execute((work) => notify(work, "webhook_events", ""));
    await expect.poll(() => queries.selectFrom("webhook_events").select("id").execute(), { timeout: 20_000 }).toEqual([]);
    const { count } = await queries
      .selectFrom("deliveries")
      .select((select) => select.fn.countAll<number>().as("count"))
      .where("owner_id", "=", ownerId)
      .executeTakeFirstOrThrow();
    expect(count).toBe(99 * 70);
    await queries.deleteFrom("webhooks").where("owner_id", "=", ownerId).execute();
  });

  it("waits for no other receiver that never answers", async () => {
    await using stalling = await startWebhookReceiver();
    stalling.behave("stall");
    const slow = await create({ url: stalling.url });
    const quick = await create();
    for (let count = 0; count < 12; count += 1) await testIt(slow.id);
    await expect.poll(() => stalling.received.length).toBeGreaterThanOrEqual(4);
    await testIt(quick.id);
    await expect.poll(() => receiver.received).toHaveLength(1);
    expect((await log(slow.id)).filter(({ state }) => state === "due")).toHaveLength(12);
    stalling.behave({ status: 204 });
    await expect.poll(async () => (await log(slow.id)).filter(({ state }) => state === "sent")).toHaveLength(12);
    expect(stalling.received).toHaveLength(12);
  });

  it("is listed page after page, and forgotten with its webhook", async () => {
    const made = await create();
    const sent = [(await testIt(made.id)).id, (await testIt(made.id)).id, (await testIt(made.id)).id];
    const first = await json<{ items: WebhookDelivery[]; nextCursor: string }>(send(ann, "GET", `${base}/${made.id}/deliveries?limit=2`));
    const second = await json<{ items: WebhookDelivery[]; nextCursor: null }>(
      send(ann, "GET", `${base}/${made.id}/deliveries?limit=2&cursor=${first.nextCursor}`),
    );
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(sent.toReversed());
    expect(second.nextCursor).toBeNull();
    expect((await errorOf(send(ann, "GET", `${base}/${made.id}/deliveries?cursor=x`))).code).toBe("invalid_cursor");
    await settled();
    expect((await send(ann, "DELETE", `${base}/${made.id}`)).status).toBe(204);
    const { queries } = server.context.database;
    expect(await queries.selectFrom("deliveries").select("id").where("webhook_id", "=", made.id).execute()).toEqual([]);
  });
});

describe("an address", () => {
  it.each(["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://localhost:1/", "http://0x7f.2/"])(
    "in a private network is refused: %s",
    async (url) => {
      await using strict = await startTestServer({
        SYLA_WORKER_SLOTS: "0",
        DATABASE_URL: server.context.config.databaseUrl?.reveal() ?? "",
      });
      const refused = await strict.send("POST", base, { name: "x", url, events: ["run.finished"] }, ann.headers);
      expect(await refused.json()).toMatchObject({ code: "webhook_refused", fields: [{ path: "url" }] });
    },
  );

  it.each([
    { url: "ftp://example.org" },
    { url: "https://user:word@example.org" },
    { events: [] },
    { events: ["run.exploded"] },
    { events: ["webhook.test"] },
    { runStatuses: ["running"] },
    { name: "a\nb" },
    { other: 1 },
  ])("and the rest are checked: %j", async (more) => {
    expect((await errorOf(send(ann, "POST", base, { name: "x", url: receiver.url, events: ["run.finished"], ...more }))).code).toBe(
      "invalid_request",
    );
  });
});
