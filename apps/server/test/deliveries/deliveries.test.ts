import type { Delivery } from "@syla/contracts/admin";
import { writeDueDigests } from "@syla/server/notifications/digests";
import { insertDeliveries, queueMail } from "@syla/server/deliveries/service";
import { newId } from "@syla/server/platform/ids";
import { notify, type PersonalMessage } from "@syla/server/notifications/service";
import { startMailServer, type TestMailServer } from "@syla/testkit/mail";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { startWebhookReceiver } from "@syla/testkit/webhook-receiver";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let mail: TestMailServer;
let server: TestServer;
beforeAll(async () => {
  mail = await startMailServer();
  server = await startTestServer({
    SYLA_SMTP_URL: mail.url,
    SYLA_MAIL_FROM: "Syla <syla@example.org>",
    SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1",
    SYLA_WORKER_SLOTS: "1",
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await mail[Symbol.asyncDispose]();
});

async function person(): Promise<{ headers: { authorization: string }; id: string; email: string }> {
  const headers = await createPerson(server);
  const { id, email } = (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string; email: string };
  return { headers, id, email };
}

type Person = Awaited<ReturnType<typeof person>>;
const queries = () => server.context.database.queries;
const tell = (message: PersonalMessage) =>
  queries()
    .transaction()
    .execute((work) => notify(work, message));
const prefer = (who: Person, change: object) => server.send("PATCH", "/api/v1/notification-preferences", change, who.headers);
const mailsTo = (email: string) => mail.received.filter(({ to }) => to.includes(email));
const deliveries = async (of: TestServer = server) =>
  ((await (await of.fetch("/api/v1/admin/deliveries?limit=200")).json()) as { items: Delivery[] }).items;
const deliveryTo = async (to: string, of: TestServer = server) => (await deliveries(of)).find((delivery) => delivery.to === to);

describe("e-mails", () => {
  it("arrive once, as text and as escaped HTML, and what they said is not kept", async () => {
    const ann = await person();
    await tell({ userId: ann.id, type: "share_received", title: "<b>Ann</b> & “you”", body: 'x" <script>', link: "/runs/run_1" });
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(1);
    const [{ from, text } = { from: "", text: "" }] = mailsTo(ann.email);
    expect(from).toBe("syla@example.org");
    const decoded = text.replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");
    expect(decoded).toContain(`${server.url}/runs/run_1`);
    expect(decoded).toContain("&lt;b&gt;Ann&lt;/b&gt; &amp;");
    expect(decoded).toContain("x&quot; &lt;script&gt;");
    await expect.poll(() => deliveryTo(ann.email)).toMatchObject({ state: "sent", attempts: 1 });
    const { id } = (await deliveryTo(ann.email)) as Delivery;
    expect(await (await server.fetch(`/api/v1/admin/deliveries/${id}`)).json()).toMatchObject({ text: null });
    expect((await server.send("POST", `/api/v1/admin/deliveries/${id}/retry`)).status).toBe(409);
  });

  it("are not sent to more people, or with more headers, by what they say", async () => {
    const written = { text: "a", html: "a" };
    for (const headers of [
      { to: "a@example.org", subject: "a\r\nBcc: b@example.org" },
      { to: "a@example.org\r\nBcc: b@example.org", subject: "a" },
      { to: "a@example.org, b@example.org", subject: "a" },
      { to: "a@example.org", subject: "a\u0000b" },
    ])
      await expect(queueMail(queries(), { ...headers, ...written })).rejects.toMatchObject({ code: "invalid_request" });
    const ann = await person();
    await tell({ userId: ann.id, type: "mention", title: "a\r\nBcc: evil@example.org", body: "\r\n.\r\nRSET" });
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(1);
    expect(mailsTo(ann.email)[0]?.to).toEqual([ann.email]);
    expect(mailsTo(ann.email)[0]?.text).not.toMatch(/^Bcc:/im);
  });

  it("are tried again after a refusal that may pass, and given up after one that does not", async () => {
    const [ann, other] = [await person(), await person()];
    mail.behave(451);
    await tell({ userId: ann.id, type: "mention", title: "again" });
    await expect.poll(() => deliveryTo(ann.email)).toMatchObject({ state: "due", attempts: 1, lastError: expect.stringContaining("451") });
    const { id, dueAt } = (await deliveryTo(ann.email)) as Delivery;
    expect(new Date(dueAt).getTime()).toBeGreaterThan(Date.now());
    expect(await (await server.fetch(`/api/v1/admin/deliveries/${id}`)).json()).toMatchObject({ text: expect.stringContaining("again") });
    mail.behave(550);
    await tell({ userId: other.id, type: "mention", title: "never" });
    await expect.poll(() => deliveryTo(other.email)).toMatchObject({ state: "failed", attempts: 1 });
    mail.behave("accept");
    expect(mailsTo(ann.email)).toEqual([]);
    expect((await server.send("POST", `/api/v1/admin/deliveries/${id}/retry`)).status).toBe(200);
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(1);
  });

  it("wait for no webhooks that never answer", async () => {
    await using stalling = await startWebhookReceiver();
    stalling.behave("stall");
    const people = await Promise.all(Array.from({ length: 10 }, person));
    const hooks = people.flatMap(({ id: userId }) =>
      Array.from({ length: 10 }, () => ({
        id: newId("msg"),
        channel: "webhook" as const,
        userId,
        notificationId: null,
        message: { url: stalling.url, generation: 0, subject: "stalls", payload: {} },
      })),
    );
    await insertDeliveries(queries(), hooks);
    // No owner has more than their part: there is some left.
    await expect.poll(() => stalling.received.length).toBe(32);
    const [ann] = people as [Person];
    await tell({ userId: ann.id, type: "mention", title: "passes by" });
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(1);
    await queries().deleteFrom("deliveries").where("channel", "=", "webhook").execute();
    stalling.behave({ status: 204 });
  });

  it("are sent once by several servers", async () => {
    const variables = { SYLA_SMTP_URL: mail.url, DATABASE_URL: server.context.config.databaseUrl?.reveal() ?? "", SYLA_WORKER_SLOTS: "0" };
    await using others = new AsyncDisposableStack();
    for (let count = 0; count < 2; count += 1) others.use(await startTestServer(variables));
    const people = await Promise.all(Array.from({ length: 12 }, person));
    await Promise.all(people.map(({ id: userId }) => tell({ userId, type: "mention", title: "once" })));
    await expect.poll(() => people.map(({ email }) => mailsTo(email).length)).toEqual(people.map(() => 1));
    await expect.poll(async () => (await deliveries()).filter(({ state }) => state === "due")).toEqual([]);
    expect(people.flatMap(({ email }) => mailsTo(email))).toHaveLength(people.length);
  });

  it("wait for the end of quiet hours, and are not written for types that are not wanted", async () => {
    const ann = await person();
    const soon = new Date(Date.now() + 3_600_000).toISOString().slice(11, 16);
    const before = new Date(Date.now() - 3_600_000).toISOString().slice(11, 16);
    expect((await prefer(ann, { quietHours: { from: before, to: soon }, timeZone: "UTC" })).status).toBe(200);
    await tell({ userId: ann.id, type: "mention", title: "later" });
    const waiting = (await deliveryTo(ann.email)) as Delivery;
    expect(waiting).toMatchObject({ state: "due", attempts: 0, dueAt: expect.stringContaining(`T${soon}:00`) });
    await prefer(ann, { quietHours: null, types: { mention: { inApp: false, email: false, webhook: false } } });
    await tell({ userId: ann.id, type: "mention", title: "unwanted" });
    expect((await deliveries()).filter(({ to }) => to === ann.email)).toHaveLength(1);
    const listed = (await (await server.fetch("/api/v1/notifications", { headers: ann.headers })).json()) as { items: unknown[] };
    expect(listed.items).toMatchObject([{ title: "later" }]);
  });

  it("come as one digest with what came since", async () => {
    const ann = await person();
    await tell({ userId: ann.id, type: "mention", title: "before" });
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(1);
    await prefer(ann, { digest: "daily" });
    for (const title of ["first", "second"]) await tell({ userId: ann.id, type: "mention", title });
    await tell({ userId: ann.id, type: "run_finished", title: "no e-mails for this" });
    const writeDue = () => writeDueDigests(server.context.database);
    await queries()
      .updateTable("notification_preferences")
      .set({ digest_due_at: new Date(0) })
      .where("user_id", "=", ann.id)
      .execute();
    await Promise.all([writeDue(), writeDue()]);
    await expect.poll(() => mailsTo(ann.email)).toHaveLength(2);
    const text = mailsTo(ann.email)[1]?.text ?? "";
    expect(text).toContain("Subject: 2 notifications from Syla");
    expect(text).toContain("first");
    expect(text).toContain("second");
    expect(text).not.toContain("before");
    expect(text).not.toContain("no e-mails");
    await queries()
      .updateTable("notification_preferences")
      .set({ digest_due_at: new Date(0) })
      .where("user_id", "=", ann.id)
      .execute();
    await writeDue();
    expect((await deliveries()).filter(({ to }) => to === ann.email)).toHaveLength(2);
  });

  it("can be tried by the person, and wait visibly where there is no SMTP server", async () => {
    const ann = await person();
    const test = () => server.send("POST", "/api/v1/notification-preferences/test", { channel: "email" }, ann.headers);
    expect(await (await test()).json()).toEqual({ sent: true, problem: null });
    expect(mailsTo(ann.email)).toHaveLength(1);
    for (let count = 1; count < 5; count += 1) await test();
    expect((await test()).status).toBe(429);

    await using quiet = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
    await queueMail(quiet.context.database.queries, { to: "ann@example.org", subject: "Come in", text: "the link", html: "the link" });
    const waiting = (await deliveryTo("ann@example.org", quiet)) as Delivery;
    expect(waiting).toMatchObject({ state: "due", attempts: 0, subject: "Come in" });
    expect(await (await quiet.fetch(`/api/v1/admin/deliveries/${waiting.id}`)).json()).toMatchObject({ text: "the link" });
    expect(await (await quiet.fetch("/api/v1/admin/overview")).json()).toMatchObject({ mail: false, deliveries: { due: 1 } });
    const headers = await createPerson(quiet);
    const refused = await quiet.send("POST", "/api/v1/notification-preferences/test", { channel: "email" }, headers);
    expect(await refused.json()).toMatchObject({ code: "mail_unavailable" });
    expect((await quiet.fetch("/api/v1/admin/deliveries", { headers })).status).toBe(403);
    expect((await quiet.fetch(`/api/v1/admin/deliveries/${waiting.id}`, { headers })).status).toBe(403);
  });
});

describe("webhooks", () => {
  it("are signed with a secret that is shown once", async () => {
    await using hook = await startWebhookReceiver();
    const ann = await person();
    expect((await prefer(ann, { webhookUrl: hook.url })).status).toBe(200);
    const rotate = async () =>
      (
        (await (await server.send("POST", "/api/v1/notification-preferences/webhook-secret", undefined, ann.headers)).json()) as {
          secret: string;
        }
      ).secret;
    const first = await rotate();
    const secret = await rotate();
    expect(secret).not.toBe(first);
    await tell({ userId: ann.id, type: "mention", title: "signed", details: { a: 1 } });
    await expect.poll(() => hook.received).toHaveLength(1);
    const [{ headers, body } = { headers: {} as Record<string, string>, body: "" }] = hook.received;
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: "mention", title: "signed", details: { a: 1 } });
    expect(() => new Webhook(first).verify(body, headers)).toThrow("No matching signature");
    expect(await (await server.send("POST", "/api/v1/notification-preferences/test", { channel: "webhook" }, ann.headers)).json()).toEqual({
      sent: true,
      problem: null,
    });
  });

  it("are tried again when the other side fails or sends elsewhere", async () => {
    await using hook = await startWebhookReceiver();
    const ann = await person();
    await prefer(ann, { webhookUrl: hook.url });
    for (const status of [500, 302]) {
      hook.behave({ status });
      await tell({ userId: ann.id, type: "run_finished", title: `answered ${status}` });
      await expect
        .poll(async () => (await deliveries()).find(({ subject }) => subject === `answered ${status}`))
        .toMatchObject({ state: "due", attempts: 1, lastError: `it answered with ${status}` });
    }
    expect(hook.received).toHaveLength(2);
  });

  it.each([
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://[::1]/",
    "http://0x7f.2/",
    "http://192.168.1.1:8080/",
    "http://localhost:1/",
  ])("are refused to %s", async (webhookUrl) => {
    await using strict = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
    const headers = await createPerson(strict);
    const refused = await strict.send("PATCH", "/api/v1/notification-preferences", { webhookUrl }, headers);
    expect(await refused.json()).toMatchObject({ code: "webhook_refused" });
  });

  it("that were saved under another rule are refused when they are sent", async () => {
    await using hook = await startWebhookReceiver();
    const ann = await person();
    await prefer(ann, { webhookUrl: hook.url });
    await using strict = await startTestServer({ SYLA_WORKER_SLOTS: "0", DATABASE_URL: server.context.config.databaseUrl?.reveal() ?? "" });
    const answer = await strict.send("POST", "/api/v1/notification-preferences/test", { channel: "webhook" }, ann.headers);
    expect(await answer.json()).toMatchObject({ sent: false, problem: expect.stringContaining("refused") });
    expect(hook.received).toEqual([]);
  });
});

describe("preferences", () => {
  it("begin with defaults, and keep what was chosen by two at once", async () => {
    const ann = await person();
    const read = async () => (await server.fetch("/api/v1/notification-preferences", { headers: ann.headers })).json();
    expect(await read()).toMatchObject({ digest: "immediate", quietHours: null, timeZone: "UTC", webhookUrl: null });
    const off = { inApp: false, email: false, webhook: false };
    await Promise.all([
      prefer(ann, { types: { mention: off } }),
      prefer(ann, { types: { system: off } }),
      prefer(ann, { timeZone: "Asia/Tokyo" }),
    ]);
    expect(await read()).toMatchObject({ types: { mention: off, system: off }, timeZone: "Asia/Tokyo" });
  });

  it.each([
    { digest: "hourly" },
    { timeZone: "Mars/Phobos" },
    { timeZone: "+02:00" },
    { quietHours: { from: "25:00", to: "07:00" } },
    { types: { unknown: { inApp: true, email: true, webhook: true } } },
    { types: { mention: { inApp: true } } },
    { webhookUrl: "ftp://example.org" },
    { webhookUrl: "https://user:secret@example.org" },
    { other: 1 },
  ])("refuse %j", async (change) => {
    const ann = await person();
    expect((await prefer(ann, change)).status).toBe(400);
  });
});
