import { once } from "node:events";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import type { SandboxPreview } from "@syla/contracts/sandboxes/ports";
import { createPerson } from "@syla/testkit/runs";
import { createSandbox } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSite } from "./programs.ts";

let server: TestServer;
let ann: { authorization: string };
let bob: { authorization: string };
let id: string;
let preview: SandboxPreview;
beforeAll(async () => {
  server = await startTestServer();
  ann = await createPerson(server);
  bob = await createPerson(server);
  ({ id } = await createSandbox(server, {}, ann));
  await startSite(server, id, ann);
  preview = await open(id);
});
afterAll(() => server[Symbol.asyncDispose]());

async function open(sandboxId: string, port = 8000, body: object = {}, person = ann): Promise<SandboxPreview> {
  const answer = await server.send("POST", `/api/v1/sandboxes/${sandboxId}/ports/${port}/preview`, body, person);
  expect(answer.status).toBe(201);
  return (await answer.json()) as SandboxPreview;
}

/** Begins a request as a browser would: to this machine, under the preview's name. */
function begin(url: string, options: RequestOptions = {}) {
  const { port, host, pathname, search } = new URL(url);
  const headers = { host, ...(options.headers as Record<string, string>) };
  return request({ host: "127.0.0.1", port, path: pathname + search, agent: false, ...options, headers });
}

async function answerOf(sent: ReturnType<typeof begin>): Promise<IncomingMessage> {
  return ((await once(sent, "response")) as [IncomingMessage])[0];
}

async function get(path: string, headers: Record<string, string> = {}, base = preview.url) {
  const answer = await answerOf(begin(new URL(path, base).href, { headers }).end());
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

describe("a preview", () => {
  it("shows what a program serves, under a name of its own", async () => {
    expect(new URL(preview.url).hostname).toMatch(/^8000-[0-9a-f]{32}\.localhost$/);
    expect(new URL(preview.url).port).not.toBe(new URL(server.url).port);
    expect(await get("/")).toMatchObject({ status: 200, body: "hello from inside" });
  });

  it("tells the program who asks, believes nothing, and keeps the product's cookies and keys to itself", async () => {
    const { body } = await get("/headers?a=%20b", {
      authorization: "Bearer syla_0123",
      cookie: "syla.session_token=abc; own=1; __Secure-syla.session_token=d",
      "x-forwarded-for": "8.8.8.8",
      "x-forwarded-proto": "gopher",
      forwarded: "for=8.8.8.8",
      connection: "close, x-private",
      "x-private": "1",
      te: "trailers",
    });
    const { headers, url } = JSON.parse(body) as { url: string; headers: Record<string, string> };
    const { host } = new URL(preview.url);
    expect(url).toBe("/headers?a=%20b");
    expect(headers).toEqual({
      host,
      cookie: "own=1",
      connection: "close",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": host,
      "x-forwarded-proto": "http",
    });
    const own = JSON.parse((await get("/headers", { authorization: "Basic YTpi" })).body) as { headers: object };
    expect(own.headers).toMatchObject({ authorization: "Basic YTpi" });
  });

  it("lets no answer act beyond its own origin", async () => {
    const { headers } = await get("/hostile");
    expect(headers["set-cookie"]).toEqual(["own=1; Path=/"]);
    expect(headers).toMatchObject({ "referrer-policy": "same-origin", "x-robots-tag": "noindex" });
    for (const name of ["clear-site-data", "strict-transport-security", "x-secret"]) expect(headers[name]).toBeUndefined();
  });

  it("carries large bodies both ways", async () => {
    const bytes = 64 * 1024 * 1024;
    const down = await answerOf(begin(new URL(`/bytes?n=${bytes}`, preview.url).href).end());
    expect((await buffer(down)).length).toBe(bytes);
    const up = begin(new URL("/count", preview.url).href, { method: "POST" });
    const counted = answerOf(up);
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < bytes; sent += chunk.length) if (!up.write(chunk)) await once(up, "drain");
    up.end();
    expect(await text(await counted)).toBe(String(bytes));
    expect(await text(await answerOf(begin(new URL("/count", preview.url).href, { method: "PUT" }).end()))).toBe("0");
  });

  it("streams: an event arrives before the next one is sent", async () => {
    const answer = await answerOf(begin(new URL("/events", preview.url).href).end());
    const [first] = (await once(answer, "data")) as [Buffer];
    expect(first.toString()).toBe("data: 1\n\n");
    const rest = text(answer);
    expect((await get("/more")).body).toBe("told");
    expect(await rest).toBe("data: 2\n\n");
  });

  it("becomes a WebSocket when the program agrees, and tells when it does not", async () => {
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    const sent = begin(preview.url, { headers: upgrade }).end();
    const [answer, socket, head] = (await once(sent, "upgrade")) as [IncomingMessage, Duplex, Buffer];
    expect(answer.statusCode).toBe(101);
    socket.write("and back");
    let seen = head.toString();
    while (!seen.includes("and back")) seen += ((await once(socket, "data")) as [Buffer])[0].toString();
    expect(seen).toBe("welcome and back");
    socket.destroy();
    expect(await get("/no", upgrade)).toMatchObject({ status: 403, body: "no" });
    expect(await get("/", { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c" })).toMatchObject({ status: 200 });
  });

  it("keeps a connection for the next request", async () => {
    const { port, host } = new URL(preview.url);
    const socket = connect(Number(port), "127.0.0.1");
    const ask = async () => {
      socket.write(`GET /headers HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return ((await once(socket, "data")) as [Buffer])[0].toString();
    };
    expect([await ask(), await ask()].map((told) => told.split("\r\n", 1)[0])).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
    socket.destroy();
  });

  it("says so when nothing listens, when the program talks nonsense, and when the sandbox is paused", async () => {
    expect(await get("/", {}, (await open(id, 8001)).url)).toMatchObject({
      status: 502,
      body: expect.stringContaining("Nothing listens") as string,
    });
    expect(await get("/nonsense")).toMatchObject({ status: 502, body: expect.stringContaining("no answer") as string });
    await server.send("POST", `/api/v1/sandboxes/${id}/pause`, undefined, ann);
    expect(await get("/")).toMatchObject({ status: 503, body: expect.stringContaining("The sandbox is paused") as string });
    await server.send("POST", `/api/v1/sandboxes/${id}/resume`, undefined, ann);
    expect(await get("/")).toMatchObject({ status: 200 });
  });

  it("is use: it wakes an idle sandbox, and an open connection alone keeps none awake", async () => {
    const sandbox = await createSandbox(server, { idleTimeoutMs: 1000 }, ann);
    await startSite(server, sandbox.id, ann);
    const { url } = await open(sandbox.id);
    const state = async () =>
      ((await (await server.fetch(`/api/v1/sandboxes/${sandbox.id}`, { headers: ann })).json()) as { status: string }).status;
    const sent = begin(url, { headers: { connection: "Upgrade", upgrade: "websocket" } }).end();
    const [, socket] = (await once(sent, "upgrade")) as [IncomingMessage, Duplex];
    await expect.poll(state, { timeout: 20_000 }).toBe("paused");
    expect(await get("/", {}, url)).toMatchObject({ status: 200 });
    await expect.poll(state, { timeout: 20_000 }).toBe("paused");
    const woken = once(socket, "data");
    socket.write("awake?");
    await woken;
    socket.destroy();
    await server.send("DELETE", `/api/v1/sandboxes/${sandbox.id}`, undefined, ann);
  });
});

describe("the right to a preview", () => {
  const gone = { status: 404, body: expect.stringContaining("has expired") as string };

  it("lasts as long as it was asked for, longer when asked again, and cuts what is open at its end", async () => {
    const first = await open(id, 8000, { lastsMs: 60_000 });
    expect(first.url).toBe(preview.url);
    const short = await open(id, 8000, { lastsMs: 1000 });
    const answer = await answerOf(begin(new URL("/forever", short.url).href).end());
    const cut = once(answer, "error");
    answer.resume();
    await cut;
    expect(await get("/", {}, short.url)).toMatchObject(gone);
    preview = await open(id);
    expect(preview.url).not.toBe(short.url);
    expect(Date.parse(preview.expiresAt) - Date.now()).toBeGreaterThan(3_500_000);
  });

  it("is given to those who may use the sandbox, and can be taken back", async () => {
    const path = `/api/v1/sandboxes/${id}/ports/8000/preview`;
    expect((await server.send("POST", path, {}, bob)).status).toBe(404);
    expect((await server.send("DELETE", path, undefined, bob)).status).toBe(404);
    expect((await server.send("POST", `/api/v1/sandboxes/${id}/ports/70000/preview`, {}, ann)).status).toBe(400);
    expect((await server.send("POST", path, { lastsMs: 1 }, ann)).status).toBe(400);
    expect((await server.send("DELETE", path, undefined, ann)).status).toBe(204);
    expect(await get("/")).toMatchObject(gone);
    preview = await open(id);
  });

  it("is for one port of one sandbox: no other token, port or name leads anywhere", async () => {
    const theirs = await createSandbox(server, {}, bob);
    await startSite(server, theirs.id, bob);
    const other = await open(theirs.id, 8000, {}, bob);
    const token = new URL(other.url).hostname.slice(5, 37);
    const named = (host: string) => get("/", { host });
    expect(await get("/", {}, other.url)).toMatchObject({ status: 200 });
    expect(await named(`8001-${token}.localhost`)).toMatchObject(gone);
    expect(await named(`8000-${"0".repeat(32)}.localhost`)).toMatchObject(gone);
    for (const host of [
      "localhost",
      "127.0.0.1",
      "attacker.example",
      `8000-${token}.localhost.attacker.example`,
      `8000-${token}.attacker.example`,
    ])
      expect(await named(host)).toMatchObject({ status: 421 });
    await server.send("DELETE", `/api/v1/sandboxes/${theirs.id}`, undefined, bob);
    expect(await get("/", {}, other.url)).toMatchObject(gone);
  });

  it("shows nothing of the product, whatever is asked for and whoever asks", async () => {
    for (const host of [new URL(preview.url).host, "localhost"])
      for (const path of ["/api/v1/session", "/setup", "/openapi.json"])
        expect(JSON.stringify(await get(path, { ...ann, host }))).not.toMatch(/"role"|openapi/i);
  });

  it("a page in a preview cannot act as the person who looks at it", async () => {
    const { origin } = new URL(preview.url);
    const answer = await server.fetch("/api/v1/sandboxes", {
      method: "POST",
      headers: { origin, cookie: "syla.session_token=x" },
      body: "{}",
    });
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: "cross_origin" }]);
    const read = await server.fetch("/api/v1/session", { headers: { origin, ...ann } });
    expect(read.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("faults", () => {
  it("a sandbox that ends in the middle of a download cuts it, so that it does not look whole", async () => {
    const sandbox = await createSandbox(server, {}, ann);
    await startSite(server, sandbox.id, ann);
    const { url } = await open(sandbox.id);
    const answer = await answerOf(begin(new URL("/bytes?n=9000000000", url).href).end());
    const cut = once(answer, "error");
    await once(answer, "readable");
    answer.resume();
    await server.send("DELETE", `/api/v1/sandboxes/${sandbox.id}`, undefined, ann);
    await cut;
    expect((await get("/", {}, url)).status).toBe(404);
  });

  it("too many connections are refused, and room is made when they go", async () => {
    const held = Array.from({ length: 100 }, () => begin(new URL("/forever", preview.url).href).end());
    const answers = await Promise.all(held.map(answerOf));
    expect(await get("/")).toMatchObject({ status: 503 });
    for (const answer of answers) answer.destroy();
    await expect.poll(async () => (await get("/")).status).toBe(200);
  });

  it("headers without end are refused", async () => {
    const { port, host } = new URL(preview.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nx: ${"a".repeat(40_000)}\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 431 /);
  });

  it("a server that drains takes no more, and cuts what is open when it stops", async () => {
    await using own = await startTestServer();
    const sandbox = await createSandbox(own);
    await startSite(own, sandbox.id, {});
    const made = await own.send("POST", `/api/v1/sandboxes/${sandbox.id}/ports/8000/preview`, {});
    const { url } = (await made.json()) as SandboxPreview;
    const answer = await answerOf(begin(new URL("/forever", url).href).end());
    const cut = once(answer, "error");
    answer.resume();
    own.context.state.draining = true;
    expect(await get("/", {}, url)).toMatchObject({ status: 503, body: expect.stringContaining("shutting down") as string });
    await own.running.stop();
    await cut;
  });
});
