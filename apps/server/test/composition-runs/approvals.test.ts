import type { Approval, NodeRun } from "@syla/contracts/node-runs";
import type { Notification } from "@syla/contracts/notifications";
import { isFinal, type Run } from "@syla/contracts/runs";
import { WebhookPayload } from "@syla/contracts/webhooks";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { startWebhookReceiver, type WebhookReceiver } from "@syla/testkit/webhook-receiver";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf } from "../catalog/programs.ts";
import { graph, node } from "../compositions/graphs.ts";
import { compositionsOf, type Compositions } from "./setting.ts";

let server: TestServer;
let receiver: WebhookReceiver;
let ann: Person;
let of: Compositions;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0", SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1" });
  receiver = await startWebhookReceiver();
  ann = await createAccount(server);
  of = compositionsOf(server, ann);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** Asks twice, one after the other. */
const twice = graph(
  [
    node("in", "input", { name: "a", default: "tea" }),
    node("first", "approval", { message: "Good enough?" }),
    node("second", "approval", { message: "Really?" }),
    node("out", "output", { name: "z" }),
  ],
  "in.value -> first.value",
  "first.approved -> second.value",
  "second.approved -> out.value",
);
const inner = graph(
  [
    node("item", "input", { name: "item", type: "str" }),
    node("slow", "code", { language: "javascript", source: "return item;", inputs: [{ name: "item" }], returns: "Any" }),
    node("ask", "approval", {}, { label: "This one?" }),
    node("made", "output", { name: "made" }),
  ],
  "item.value -> slow.item",
  "slow.result -> ask.value",
  "ask.approved -> made.value",
);
/** Asks at two places at once. */
const beside = graph(
  [
    node("in", "input", { name: "a", type: "list[str]", default: ["tea", "coffee"] }),
    node("each", "map", { concurrency: 2 }, { body: { nodes: inner.nodes, edges: inner.edges } }),
    node("out", "output", { name: "z" }),
  ],
  "in.value -> each.items",
  "each.made -> out.value",
);
const places = ["each[0]/ask", "each[1]/ask"];
const waits =
  (attempt = 1) =>
  (run: Run) =>
    (run.status === "waiting" && run.attempt === attempt) || isFinal(run.status);
const begin = async (drawn: object, who = of) => await who.waitFor((await who.start(await who.make(drawn))).id, waits());
const decide = (who: Compositions, runId: string, path: string, approved = true) =>
  who.send("POST", `/runs/${runId}/decisions`, { path, approved });
const told = async (who: Compositions) =>
  (await who.json<{ items: Notification[] }>(who.send("GET", "/notifications?type=approval_needed"))).items;
const approvals = async (who: Compositions, query = "") =>
  await who.json<{ items: Approval[]; nextCursor: string | null }>(who.send("GET", `/approvals${query}`));

describe("a run that waits for a decision", () => {
  it("tells those who may decide, and nobody else; they find it, and one of them decides", async () => {
    const [bob, carol, dave] = [await createAccount(server), await createAccount(server), await createAccount(server)];
    const [his, hers, strangers] = [compositionsOf(server, bob), compositionsOf(server, carol), compositionsOf(server, dave)];
    const run = await begin(twice);
    expect(await told(of)).toMatchObject([
      {
        title: expect.stringMatching(/^Composition \d+ of .* waits for a decision$/) as string,
        body: "Good enough?",
        link: `/runs/${run.id}`,
        details: { runId: run.id, nodes: ["first"] },
      },
    ]);
    expect((await approvals(of)).items).toEqual([
      {
        runId: run.id,
        composition: { id: run.composition?.id, name: run.composition?.name },
        runOwner: { id: ann.id, name: expect.any(String) as string },
        path: "first",
        message: "Good enough?",
        inputs: { value: { value: "tea" } },
        since: expect.any(String) as string,
      },
    ]);
    expect([await told(his), (await approvals(his)).items]).toEqual([[], []]);

    await share(server, ann, { resourceType: "run", resourceId: run.id, email: bob.email, level: "edit" });
    await share(server, ann, { resourceType: "run", resourceId: run.id, email: carol.email, level: "run" });
    expect((await decide(of, run.id, "first")).status).toBe(200);
    await of.waitFor(run.id, waits(2));
    expect((await told(of)).map(({ body }) => body)).toEqual(["Really?", "Good enough?"]);
    expect((await told(his)).map(({ body }) => body)).toEqual(["Really?"]);
    expect((await approvals(his)).items).toMatchObject([{ runId: run.id, path: "second", runOwner: { id: ann.id } }]);
    expect([await told(hers), (await approvals(hers)).items]).toEqual([[], []]);
    expect([await told(strangers), (await approvals(strangers)).items]).toEqual([[], []]);

    expect(await errorOf(decide(hers, run.id, "second"))).toMatchObject({ code: "forbidden" });
    expect(await errorOf(decide(strangers, run.id, "second"))).toMatchObject({ code: "not_found" });
    const decided = await decide(his, run.id, "second", false);
    expect(await his.json<NodeRun>(decided)).toMatchObject({ approval: { approved: false, by: { id: bob.id } } });
    expect(await errorOf(decide(of, run.id, "second"))).toMatchObject({ code: "node_not_waiting" });
    expect((await of.waitFor(run.id)).status).toBe("succeeded");
    expect((await approvals(of)).items).toEqual([]);
  });

  it("is found no more when it was cancelled, and cannot be decided", async () => {
    const run = await begin(twice);
    expect((await approvals(of)).items.map(({ runId }) => runId)).toEqual([run.id]);
    await of.send("POST", `/runs/${run.id}/cancel`);
    expect((await of.waitFor(run.id)).status).toBe("cancelled");
    expect(await errorOf(decide(of, run.id, "first"))).toMatchObject({ code: "node_not_waiting" });
    expect((await approvals(of)).items).toEqual([]);
  });

  it("is told of once, wherever it waits at the same time, and listed at each place", async () => {
    const eve = await createAccount(server);
    const hers = compositionsOf(server, eve);
    const run = await begin(beside, hers);
    expect(await told(hers)).toMatchObject([
      { body: "This one?\nThis one?", details: { nodes: expect.arrayContaining(places) as string[] } },
    ]);
    const first = await approvals(hers, "?limit=1");
    const second = await approvals(hers, `?limit=1&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ path }) => path)).toEqual(places);
    expect(second.nextCursor).toBeNull();
    expect(await errorOf(hers.send("GET", "/approvals?cursor=bm90aGluZw"))).toMatchObject({ code: "invalid_cursor" });
    await decide(hers, run.id, "each[0]/ask");
    expect((await approvals(hers)).items.map(({ path }) => path)).toEqual(["each[1]/ask"]);
    await decide(hers, run.id, "each[1]/ask");
    expect((await hers.waitFor(run.id)).status).toBe("succeeded");
    expect(await told(hers)).toHaveLength(1);
  });

  it("is told to webhooks", async () => {
    const hook = { name: "Mine", url: receiver.url, events: ["run.waiting"] };
    expect((await of.send("POST", "/webhooks", hook)).status).toBe(201);
    const run = await begin(beside);
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(1);
    expect(WebhookPayload.parse(JSON.parse(receiver.received[0]?.body ?? ""))).toMatchObject({
      type: "run.waiting",
      data: { runId: run.id, kind: "composition", ownerId: ann.id, attempt: 1, nodes: places },
    });
    await of.send("POST", `/runs/${run.id}/cancel`);
  });
});
