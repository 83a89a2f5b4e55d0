import type { Notification } from "@syla/contracts/notifications";
import { notify, notifyEach, type Message } from "@syla/server/notifications/service";
import pg from "pg";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { follow } from "./follow.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
});
afterAll(() => server[Symbol.asyncDispose]());

interface Person {
  readonly headers: { authorization: string };
  readonly id: string;
}

async function person(): Promise<Person> {
  const headers = await createPerson(server);
  const me = (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string };
  return { headers, id: me.id };
}

const tell = (userId: string, title: string, more: Partial<Message> = {}) =>
  server.context.database.queries.transaction().execute((work) => notify(work, { userId, type: "mention", title, ...more }));

async function list({ headers }: Person, query = ""): Promise<{ items: Notification[]; nextCursor: string | null }> {
  const answer = await server.fetch(`/api/v1/notifications${query}`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { items: Notification[]; nextCursor: string | null };
}

describe("the list of notifications", () => {
  it("is one's own, newest first, in pages and by filters", async () => {
    const [ann, other] = [await person(), await person()];
    for (const title of ["one", "two", "three"]) await tell(ann.id, title, { body: "said", link: "/runs", details: { a: 1 } });
    await tell(ann.id, "four", { type: "system" });
    await tell(other.id, "not hers");
    const first = await list(ann, "?limit=3");
    expect(first.items.map(({ title }) => title)).toEqual(["four", "three", "two"]);
    expect(first.items[1]).toMatchObject({ body: "said", link: "/runs", details: { a: 1 }, readAt: null, type: "mention" });
    const rest = await list(ann, `?limit=3&cursor=${first.nextCursor}`);
    expect(rest).toMatchObject({ items: [{ title: "one" }], nextCursor: null });
    expect((await list(ann, "?type=system")).items.map(({ title }) => title)).toEqual(["four"]);
    expect((await server.fetch("/api/v1/notifications?cursor=x", { headers: ann.headers })).status).toBe(400);
    expect((await server.fetch("/api/v1/notifications?type=x", { headers: ann.headers })).status).toBe(400);
    expect((await server.fetch("/api/v1/notifications", { headers: { authorization: "" } })).status).toBe(401);
  });

  it("is marked, counted and deleted, by its owner only", async () => {
    const [ann, other] = [await person(), await person()];
    for (const title of ["one", "two", "three"]) await tell(ann.id, title);
    const [third, second] = (await list(ann)).items;
    const path = `/api/v1/notifications/${third?.id}`;
    const count = async () =>
      (await (await server.fetch("/api/v1/notifications/unread", { headers: ann.headers })).json()) as { unread: number };
    expect(await count()).toEqual({ unread: 3, seq: 3 });
    expect((await server.send("PATCH", path, { read: true }, other.headers)).status).toBe(404);
    expect((await server.send("DELETE", path, undefined, other.headers)).status).toBe(404);
    expect((await server.send("PATCH", path, { read: "yes" }, ann.headers)).status).toBe(400);
    expect(await (await server.send("PATCH", path, { read: true }, ann.headers)).json()).toMatchObject({ readAt: expect.any(String) });
    expect((await list(ann, "?unread=true")).items).toHaveLength(2);
    expect(await (await server.send("PATCH", path, { read: false }, ann.headers)).json()).toMatchObject({ readAt: null });
    // What came after the screen was drawn stays unread.
    const upTo = second?.seq;
    expect(await (await server.send("POST", "/api/v1/notifications/read", { upTo }, ann.headers)).json()).toEqual({ marked: 2 });
    expect(await count()).toMatchObject({ unread: 1 });
    expect(await (await server.send("POST", "/api/v1/notifications/read", {}, ann.headers)).json()).toEqual({ marked: 1 });
    expect((await server.send("DELETE", path, undefined, ann.headers)).status).toBe(204);
    expect((await server.send("DELETE", path, undefined, ann.headers)).status).toBe(404);
    expect(await list(ann)).toMatchObject({ items: [{ title: "two" }, { title: "one" }] });
  });

  it("holds what was told in a transaction only if that is committed", async () => {
    const ann = await person();
    const failing = server.context.database.queries.transaction().execute(async (work) => {
      await notify(work, { userId: ann.id, type: "mention", title: "never" });
      throw new Error("undone");
    });
    await expect(failing).rejects.toThrow("undone");
    await tell(ann.id, "told");
    expect((await list(ann)).items).toMatchObject([{ title: "told", seq: 1 }]);
  });

  it("keeps a title to one line, and leaves out people who do not exist", async () => {
    const ann = await person();
    await server.context.database.queries
      .transaction()
      .execute((work) => notifyEach(work, [ann.id, "user_nobody"], { type: "mention", title: `a\r\nBcc: x\u2028${"é".repeat(300)}` }));
    const title = (await list(ann)).items[0]?.title ?? "";
    expect(title.startsWith("a Bcc: x é")).toBe(true);
    expect(title).toHaveLength(200);
  });
});

describe("the live connection", () => {
  it("says each notification once, in order, with the number of unread ones", async () => {
    const ann = await person();
    await tell(ann.id, "before");
    const live = await follow(server, ann.headers);
    expect(live.events).toEqual([{ type: "state", unread: 1, seq: 1 }]);
    await Promise.all(Array.from({ length: 30 }, (_, index) => tell(ann.id, String(index))));
    await expect.poll(() => live.titles()).toHaveLength(30);
    await expect.poll(() => live.events.at(-1)).toEqual({ type: "state", unread: 31, seq: 31 });
    const numbers = live.events.flatMap((event) => (event.type === "notification" ? [event.notification.seq] : []));
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => index + 2));
    await server.send("POST", "/api/v1/notifications/read", {}, ann.headers);
    await expect.poll(() => live.events.at(-1)).toMatchObject({ unread: 0 });
    live.close();
  });

  it("goes on where it was cut, without a gap or a double", async () => {
    const ann = await person();
    const first = await follow(server, ann.headers);
    const telling = (async () => {
      for (let index = 0; index < 60; index += 1) await tell(ann.id, String(index));
    })();
    const titles: string[] = [];
    let after = first.lastSeq();
    let live = first;
    while (titles.length + live.titles().length < 60) {
      await expect.poll(() => live.titles().length + titles.length).toBeGreaterThanOrEqual(Math.min(60, titles.length + 5));
      live.close();
      await live.closed;
      titles.push(...live.titles());
      after += live.titles().length;
      live = await follow(server, ann.headers, after);
    }
    await telling;
    await expect.poll(() => titles.length + live.titles().length).toBe(60);
    expect([...titles, ...live.titles()]).toEqual(Array.from({ length: 60 }, (_, index) => String(index)));
    live.close();
  });

  it("goes on after the connection to the database was cut", async () => {
    const ann = await person();
    const live = await follow(server, ann.headers);
    await cutListeners();
    await tell(ann.id, "while it was away");
    // Whether the account may still follow was perhaps not heard: everybody is asked again who they are.
    expect(await live.closed).toBe(4001);
    const again = await follow(server, ann.headers, live.lastSeq());
    await expect.poll(() => [...live.titles(), ...again.titles()]).toEqual(["while it was away"]);
    again.close();
  });

  it("is refused to nobody, to pages of others, and to bad numbers", async () => {
    const ann = await person();
    await expect(follow(server, {})).rejects.toThrow("closed");
    await expect(follow(server, { ...ann.headers }, -1)).rejects.toThrow("closed");
    await expect(follow(server, { cookie: "syla.session_token=x", origin: "http://evil.example" })).rejects.toThrow("closed");
  });

  it("is ended when what the account may do changes", async () => {
    const ann = await person();
    const live = await follow(server, ann.headers);
    expect((await server.send("POST", `/api/v1/users/${ann.id}/suspend`, { reason: "a test" })).status).toBe(200);
    expect(await live.closed).toBe(4001);
  });
});

/** Ends the database connections that listen, as an operator or a network does. */
async function cutListeners(): Promise<void> {
  const client = new pg.Client(server.context.database.target);
  await client.connect();
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen %' and pid <> pg_backend_pid()",
  );
  await client.end();
}

describe("two servers on one database", () => {
  it("tell each other's people", async () => {
    const ann = await person();
    await using second = await startTestServer({ SYLA_WORKER_SLOTS: "0", DATABASE_URL: databaseUrl() });
    const live = await follow(second, ann.headers);
    await tell(ann.id, "from the first");
    await expect.poll(() => live.titles()).toEqual(["from the first"]);
    live.close();
  });
});

/** The database of the first server, as its configuration has it. */
function databaseUrl(): string {
  return server.context.config.databaseUrl?.reveal() ?? "";
}

describe("runs that have ended", () => {
  it("are told of when they failed and nobody waited", async () => {
    const ann = await person();
    await execute(server, { language: "bash", code: "exit 3" }, ann.headers);
    await execute(server, { language: "bash", code: "exit 0" }, ann.headers);
    const { id } = await submit(server, { language: "bash", code: "exit 4" }, ann.headers);
    await waitForRun(server, id, ({ status }) => status === "failed"); // asked for, and not waited for
    await expect
      .poll(async () => (await list(ann)).items)
      .toMatchObject([{ type: "run_finished", link: `/runs/${id}`, details: { runId: id } }]);
  });
});
