import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WebhookPayload, type Webhook as WebhookRecord, type WebhookDelivery } from "@syla/contracts/webhooks";
import { createTestDatabase } from "@syla/testkit/database";
import { spawnServer } from "@syla/testkit/server-process";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startWebhookReceiver } from "@syla/testkit/webhook-receiver";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { createAccount, insertRun } from "../access/people.ts";
import { json } from "../catalog/programs.ts";

const allowed = { SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_WORKER_SLOTS: "0" };

test("several servers send each event once, and what a killed one was sending is sent by another under the same id", async () => {
  using directory = createTemporaryDirectory();
  await using database = await createTestDatabase();
  await using receiver = await startWebhookReceiver();
  const dataDir = join(directory.path, "first");
  const shared = { ...allowed, DATABASE_URL: database.url };
  await using first = spawnServer(dataDir, { ...shared, SYLA_LOG_LEVEL: "warn" });
  const url = await first.ready();
  const headers = { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`, "content-type": "application/json" };
  const post = async <T>(path: string, body: object): Promise<T> =>
    (await (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).json()) as T;
  const wish = { name: "Mine", url: receiver.url, events: ["run.finished"] };
  const made = await post<WebhookRecord & { secret: string }>("/api/v1/webhooks", wish);
  receiver.behave("stall");
  const { id } = await post<WebhookDelivery>(`/api/v1/webhooks/${made.id}/test`, {});
  await expect.poll(() => receiver.received).toHaveLength(1);
  first.child.kill("SIGKILL");
  await first.exited();
  receiver.behave({ status: 204 });

  const others = await Promise.all(
    ["second", "third"].map(async (name) => {
      // Servers that share a database share what secrets are derived from.
      const own = join(directory.path, name);
      mkdirSync(own, { mode: 0o700 });
      copyFileSync(join(dataDir, "secret"), join(own, "secret"));
      return await startTestServer({ ...shared, SYLA_DATA_DIR: own });
    }),
  );
  await using stack = new AsyncDisposableStack();
  for (const server of others) stack.use(server);
  const [server] = others;
  if (server === undefined) throw new Error("no server");
  const { queries } = server.context.database;
  const state = async () => (await queries.selectFrom("deliveries").select("state").where("id", "=", id).executeTakeFirst())?.state;
  expect(await state()).toBe("due");
  expect(receiver.received).toHaveLength(1);
  // The lease of the dead server runs out.
  await queries
    .updateTable("deliveries")
    .set({ lease_until: new Date(0) })
    .where("id", "=", id)
    .execute();
  await server.send("POST", `/api/v1/webhooks/${made.id}/test`);
  await expect.poll(state).toBe("sent");
  const again = receiver.received.filter(({ headers: sent }) => sent["webhook-id"] === id);
  expect(again).toHaveLength(2);
  for (const { body, headers: sent } of again) expect(new Webhook(made.secret).verify(body, sent)).toMatchObject({ type: "webhook.test" });

  const ann = await createAccount(server);
  const mine = await json<WebhookRecord>(server.send("POST", "/api/v1/webhooks", wish, ann.headers));
  const ids = await Promise.all(Array.from({ length: 40 }, () => insertRun(server, ann)));
  const told = () =>
    receiver.received.flatMap(({ body }) => {
      const { type, data } = WebhookPayload.parse(JSON.parse(body));
      return type === "run.finished" && data.ownerId === ann.id ? [data.runId] : [];
    });
  const open = () => queries.selectFrom("deliveries").select("id").where("webhook_id", "=", mine.id).where("state", "=", "due").execute();
  await expect.poll(() => new Set(told())).toEqual(new Set(ids));
  await expect.poll(open).toEqual([]);
  expect(told()).toHaveLength(ids.length);
}, 90_000);
