import { createHmac } from "node:crypto";
import type { Asset } from "@syla/contracts/assets";
import type { Notification } from "@syla/contracts/notifications";
import type { Trigger, TriggerAnswer, TriggerCall } from "@syla/contracts/triggers";
import { waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, setStatus, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

let server: TestServer;
let ann: Person;
let program: Asset;
const echo = `import os, sys
path = "input/event.json"
body = open(path, "rb").read() if os.path.exists(path) else sys.stdin.buffer.read()
print(len(body), body[:40].decode("latin1"), os.environ.get("SYLA_EVENT_HEADERS", "-"))`;

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "1" });
  ann = await createAccount(server);
  program = await createProgram(server, ann, "Echo", { "main.py": echo });
});
afterAll(() => server[Symbol.asyncDispose]());

type Made = Trigger & { secret: string };
const base = "/api/v1/triggers";
const send = (who: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, who.headers);
const create = (more: object = {}, who = ann) => json<Made>(send(who, "POST", base, { name: "Mine", programId: program.id, ...more }));
const calls = async (id: string) => (await json<{ items: TriggerCall[] }>(send(ann, "GET", `${base}/${id}/calls`))).items;
const post = (id: string, body: string, headers: Record<string, string>, query = "") =>
  server.fetch(`${base}/${id}/calls${query}`, { method: "POST", body, headers: { authorization: "", ...headers } });

function signed(secret: string, body: string, id: string, at = new Date()): Record<string, string> {
  const signature = new Webhook(secret).sign(id, at, body);
  return { "webhook-id": id, "webhook-timestamp": String(Math.floor(at.getTime() / 1000)), "webhook-signature": signature };
}
const github = (secret: string, body: string, id: string) => ({
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  "x-github-delivery": id,
  "x-github-event": "push",
  "content-type": "application/json",
});
const callOnce = (made: Made, id: string, body = "{}", query = "") => post(made.id, body, signed(made.secret, body, id), query);

describe("a call", () => {
  it("that is signed starts a run as the owner, with the body on stdin", async () => {
    const made = await create();
    expect(made.url).toBe(`${server.url}${base}/${made.id}/calls`);
    const answer = await callOnce(made, "msg_1", '{"a":1}');
    expect(answer.status).toBe(202);
    const { runId, ...rest } = await json<TriggerAnswer>(answer);
    expect(rest).toMatchObject({ duplicate: false, stdout: null });
    expect(await waitForRun(server, runId)).toMatchObject({ stdout: '7 {"a":1} -\n', program: { id: program.id } });
    const { owner_id } = await server.context.database.queries
      .selectFrom("runs")
      .select("owner_id")
      .where("id", "=", runId)
      .executeTakeFirstOrThrow();
    expect(owner_id).toBe(ann.id);
    expect(await calls(made.id)).toMatchObject([{ outcome: "started", deliveryId: "msg_1", runId, bytes: 7 }]);
    expect(await json(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({ lastCalledAt: expect.any(String) });
  });

  it("of GitHub brings a file and the headers that were chosen", async () => {
    const made = await create({ auth: "github", input: "file", headers: ["X-GitHub-Event", "content-type"] });
    expect(made.headers).toEqual(["x-github-event", "content-type"]);
    const body = '{"ref":"refs/heads/main"}';
    const answer = await post(made.id, body, github(made.secret, body, "d-1"), "?wait=30");
    expect(answer.status).toBe(200);
    expect(await json(answer)).toMatchObject({
      status: "succeeded",
      exitCode: 0,
      stdout: `25 ${body} {"x-github-event":"push","content-type":"application/json"}\n`,
    });
    // The id is not signed: the same body under another one is the same call.
    const again = await json<TriggerAnswer>(post(made.id, body, github(made.secret, body, "d-2")));
    expect(again).toMatchObject({ duplicate: true });
    expect((await calls(made.id)).map(({ outcome }) => outcome)).toEqual(["duplicate", "started"]);
  });

  it("with the secret as a token starts a run, and each one without a name another", async () => {
    const made = await create({ auth: "bearer" });
    const headers = { authorization: `Bearer ${made.secret}` };
    const [one, two] = [await json<TriggerAnswer>(post(made.id, "x", headers)), await json<TriggerAnswer>(post(made.id, "x", headers))];
    expect(one.runId).not.toBe(two.runId);
    const named = { ...headers, "idempotency-key": "k" };
    const [three, four] = [await json<TriggerAnswer>(post(made.id, "x", named)), await json<TriggerAnswer>(post(made.id, "x", named))];
    expect(four).toMatchObject({ runId: three.runId, duplicate: true });
  });

  it("that comes several times at once starts one run", async () => {
    const made = await create();
    const answers = await Promise.all(Array.from({ length: 6 }, () => callOnce(made, "same", "{}")));
    const runs = await Promise.all(answers.map((answer) => json<TriggerAnswer>(answer)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
    expect(runs.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect((await calls(made.id)).filter(({ outcome }) => outcome === "started")).toHaveLength(1);
  });

  it("of GitHub that comes at once under many names starts one run", async () => {
    const made = await create({ auth: "github", headers: ["x-github-event"] });
    const body = '{"at":"once"}';
    const sendAs = (id: string) =>
      post(made.id, body, { ...github(made.secret, body, id), "x-github-event": id.endsWith("0") ? "push" : "other" });
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => json<TriggerAnswer>(sendAs(`d-${index}`))));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    const { "x-github-delivery": _, ...nameless } = github(made.secret, body, "d");
    expect((await post(made.id, body, nameless)).status).toBe(401);
  });

  it("that comes again when its run has been deleted is answered, and switches nothing off", async () => {
    const made = await create();
    const { runId } = await json<TriggerAnswer>(callOnce(made, "gone", "{}", "?wait=30"));
    await server.context.database.queries.deleteFrom("runs").where("id", "=", runId).execute();
    expect(await json<TriggerAnswer>(callOnce(made, "gone"))).toEqual({
      runId,
      status: null,
      duplicate: true,
      exitCode: null,
      stdout: null,
    });
    expect(await json<Trigger>(send(ann, "GET", `${base}/${made.id}`))).toMatchObject({ enabled: true });
  });

  it("is refused when it is not proved, is old or too long, and starts nothing", async () => {
    const made = await create();
    const hook = await create({ auth: "github" });
    const token = await create({ auth: "bearer" });
    const before = await server.context.database.queries.selectFrom("runs").select("id").execute();
    const old = new Date(Date.now() - 301_000);
    const soon = new Date(Date.now() + 310_000);
    const good = signed(made.secret, "{}", "m");
    const refused: [string, string, Record<string, string>][] = [
      [made.id, "{}", {}],
      [made.id, "{}", signed(hook.secret, "{}", "m")],
      [made.id, "{ }", good],
      [made.id, "{}", { ...good, "webhook-id": "n" }],
      [made.id, "{}", signed(made.secret, "{}", "m", old)],
      [made.id, "{}", signed(made.secret, "{}", "m", soon)],
      [made.id, "{}", { ...good, "webhook-timestamp": "NaN" }],
      [made.id, "{}", { ...good, "webhook-signature": "v1," }],
      [made.id, "{}", { authorization: `Bearer ${made.secret}` }],
      [hook.id, "{}", { "x-hub-signature-256": "sha256=" }],
      [hook.id, "{}", github(made.secret, "{}", "d")],
      [token.id, "{}", { authorization: "Bearer x" }],
      [token.id, "{}", { authorization: `Basic ${made.secret}` }],
    ];
    for (const [id, body, headers] of refused) {
      const answer = await post(id, body, headers);
      expect([answer.status, (await json<{ code: string }>(answer)).code]).toEqual([401, "signature_invalid"]);
    }
    const long = "x".repeat(1024 * 1024 + 1);
    expect((await errorOf(post(made.id, long, signed(made.secret, long, "m")))).code).toBe("payload_too_large");
    expect((await errorOf(post("trg_none", "{}", good))).code).toBe("not_found");
    expect(await server.context.database.queries.selectFrom("runs").select("id").execute()).toHaveLength(before.length);
    const seen = await calls(made.id);
    expect(seen.map(({ outcome }) => outcome)).toEqual(seen.map(() => "unauthenticated"));
    expect(new Set(seen.map(({ errorCode }) => errorCode))).toEqual(new Set(["missing", "wrong", "too_old"]));
    expect(JSON.stringify(await server.context.database.queries.selectFrom("trigger_calls").selectAll().execute())).not.toMatch(
      /whsec_|v1,/,
    );
  });

  it("is bounded by the rate of its trigger, and by the quotas of its owner", async () => {
    const made = await create({ ratePerMinute: 2 });
    for (const id of ["a", "b"]) expect((await callOnce(made, id)).status).toBe(202);
    const third = await callOnce(made, "c");
    expect([third.status, Number(third.headers.get("retry-after"))]).toEqual([429, expect.any(Number)]);
    const bob = await createAccount(server);
    expect((await server.send("PATCH", `/api/v1/quotas/${bob.id}`, { runsPerDay: 1 })).status).toBe(200);
    const own = await createProgram(server, bob, "Bounded", { "main.py": "print(1)" });
    const bounded = await create({ programId: own.id }, bob);
    expect((await callOnce(bounded, "a")).status).toBe(202);
    expect((await errorOf(callOnce(bounded, "b"))).code).toBe("quota_exceeded");
    const { items } = await json<{ items: TriggerCall[] }>(send(bob, "GET", `${base}/${bounded.id}/calls`));
    expect(items[0]).toMatchObject({ outcome: "refused", errorCode: "quota_exceeded", runId: null });
  });
});

describe("a trigger", () => {
  it("is switched off with its reason when its owner may not run the program any more", async () => {
    const bob = await createAccount(server);
    const grant = { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" };
    const { id: grantId } = await json<{ id: string }>(send(ann, "POST", "/api/v1/grants", grant));
    const made = await create({}, bob);
    expect((await callOnce(made, "a")).status).toBe(202);
    expect((await send(ann, "DELETE", `/api/v1/grants/${grantId}`)).status).toBe(204);
    expect((await errorOf(callOnce(made, "b"))).code).toBe("trigger_disabled");
    const now = await json<Trigger>(send(bob, "GET", `${base}/${made.id}`));
    expect(now).toMatchObject({ enabled: false, disabledReason: expect.stringContaining("may not run") });
    const { items } = await json<{ items: Notification[] }>(send(bob, "GET", "/api/v1/notifications?type=system"));
    expect(items).toMatchObject([{ title: "The trigger “Mine” was switched off" }]);
    expect((await errorOf(send(bob, "PATCH", `${base}/${made.id}`, { enabled: true }))).code).toBe("not_found");
    await send(ann, "POST", "/api/v1/grants", grant);
    expect(await json(send(bob, "PATCH", `${base}/${made.id}`, { enabled: true }))).toMatchObject({ enabled: true, disabledReason: null });
    expect((await callOnce(made, "b")).status).toBe(202);
    await setStatus(server, bob, "suspended");
    expect((await errorOf(callOnce(made, "c"))).code).toBe("trigger_disabled");
  });

  it("is its owner's alone, and made for what they may run", async () => {
    const [made, bob] = [await create(), await createAccount(server)];
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { enabled: false }],
      ["DELETE", "", undefined],
      ["POST", "/rotate", undefined],
      ["GET", "/calls", undefined],
    ] as const)
      expect((await errorOf(send(bob, method, `${base}/${made.id}${path}`, body))).code).toBe("not_found");
    expect((await errorOf(send(bob, "POST", base, { name: "x", programId: program.id }))).code).toBe("not_found");
    expect((await json<{ items: Trigger[] }>(send(bob, "GET", base))).items).toEqual([]);
    const { items } = await json<{ items: Trigger[] }>(send(ann, "GET", `${base}?programId=${program.id}`));
    expect(items.map(({ id }) => id)).toContain(made.id);
    expect(JSON.stringify(items)).not.toContain("whsec_");
  });

  it("has a new secret when it is asked for, and for a day the one before; none when it is off", async () => {
    const made = await create();
    const next = await json<Made>(send(ann, "POST", `${base}/${made.id}/rotate`));
    expect((await callOnce({ ...made, secret: next.secret }, "a")).status).toBe(202);
    expect((await callOnce(made, "b")).status).toBe(202);
    const { queries } = server.context.database;
    await queries
      .updateTable("triggers")
      .set({ previous_secret_until: new Date(0) })
      .where("id", "=", made.id)
      .execute();
    expect((await callOnce(made, "c")).status).toBe(401);
    await send(ann, "PATCH", `${base}/${made.id}`, { enabled: false });
    expect((await errorOf(callOnce({ ...made, secret: next.secret }, "d"))).code).toBe("trigger_disabled");
    expect((await send(ann, "DELETE", `${base}/${made.id}`)).status).toBe(204);
    expect(await queries.selectFrom("trigger_calls").select("id").where("trigger_id", "=", made.id).execute()).toEqual([]);
  });

  it("keeps the last calls, and no more", async () => {
    const made = await create({ auth: "bearer" });
    for (let count = 0; count < 60; count += 1) await post(made.id, "", { authorization: "Bearer wrong" });
    await post(made.id, "", { authorization: `Bearer ${made.secret}` });
    const { items } = await json<{ items: TriggerCall[] }>(send(ann, "GET", `${base}/${made.id}/calls?limit=200`));
    expect(items).toHaveLength(51);
    expect(items[0]).toMatchObject({ outcome: "started", bytes: 0 });
  });

  it.each([
    { name: "" },
    { headers: ["authorization"] },
    { headers: ["webhook-signature"] },
    { headers: ["a b"] },
    { auth: "none" },
    { ratePerMinute: 0 },
    { other: 1 },
  ])("is refused with %j", async (more) => {
    expect((await errorOf(send(ann, "POST", base, { name: "x", programId: program.id, ...more }))).code).toBe("invalid_request");
  });
});
