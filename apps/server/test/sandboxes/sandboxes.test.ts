import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { SandboxFile } from "@syla/contracts/sandboxes/files";
import type { SandboxExecResult, SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
import type { Route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import { createPerson } from "@syla/testkit/runs";
import { createSandbox, readEvents } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import Client from "ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
let ann: { authorization: string };
let bob: { authorization: string };
let sandbox: Sandbox;
let base: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_SANDBOX_LIMIT: "3" });
  ann = await createPerson(server);
  bob = await createPerson(server);
  sandbox = await createSandbox(
    server,
    { name: "bench", files: [{ path: "a/hello.txt", content: "hello" }], env: { COLOUR: "blue" } },
    ann,
  );
  base = `/api/v1/sandboxes/${sandbox.id}`;
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (method: string, path: string, body?: unknown, person = ann) => server.send(method, path, body, person);
const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;
const exec = (command: unknown, more: object = {}, at = base) => json<SandboxExecResult>(send("POST", `${at}/exec`, { command, ...more }));
const codeOf = async (response: Response | Promise<Response>) => {
  const given = await response;
  return [given.status, ((await given.json()) as { code: string }).code];
};
const get = (path: string, headers: Record<string, string> = {}) => server.fetch(path, { headers: { ...ann, ...headers } });

describe("a sandbox", () => {
  it("is created, read, listed, renamed and deleted", async () => {
    expect(sandbox).toMatchObject({
      status: "running",
      name: "bench",
      language: "python",
      tier: "namespace",
      network: "none",
      endedAt: null,
    });
    expect(sandbox.limits?.memoryBytes.value).toBe(2 * 1024 ** 3);
    expect(await json(send("GET", base))).toMatchObject({ id: sandbox.id });
    const second = await createSandbox(server, {}, ann);
    const list = await json<{ items: Sandbox[]; nextCursor: string }>(send("GET", "/api/v1/sandboxes?limit=1"));
    expect(list.items.map(({ id }) => id)).toEqual([second.id]);
    const next = await json<{ items: Sandbox[]; nextCursor: null }>(send("GET", `/api/v1/sandboxes?limit=1&cursor=${list.nextCursor}`));
    expect([next.items.map(({ id }) => id), next.nextCursor]).toEqual([[sandbox.id], null]);
    expect(await json(send("PATCH", `/api/v1/sandboxes/${second.id}`, { name: "other", idleTimeoutMs: 60_000 }))).toMatchObject({
      name: "other",
      idleTimeoutMs: 60_000,
    });
    expect((await send("DELETE", `/api/v1/sandboxes/${second.id}`)).status).toBe(204);
    expect((await send("DELETE", `/api/v1/sandboxes/${second.id}`)).status).toBe(204);
    expect(await json(send("GET", `/api/v1/sandboxes/${second.id}`))).toMatchObject({ status: "stopped", endReason: "deleted" });
    expect(await codeOf(send("POST", `/api/v1/sandboxes/${second.id}/exec`, { command: "true" }))).toEqual([409, "sandbox_ended"]);
    expect(await codeOf(send("GET", "/api/v1/sandboxes?cursor=x"))).toEqual([400, "invalid_cursor"]);
  });

  it("is not made beyond the limit of its owner, two at once neither, and others are not touched by that", async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => send("POST", "/api/v1/sandboxes", {})));
    expect(results.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 409, 409, 409]);
    const theirs = await createSandbox(server, {}, bob);
    for (const response of results.filter(({ status }) => status === 201))
      await send("DELETE", `/api/v1/sandboxes/${(await json<Sandbox>(response)).id}`);
    await send("DELETE", `/api/v1/sandboxes/${theirs.id}`, undefined, bob);
  });

  it("is refused with what is wrong", async () => {
    expect(await codeOf(send("POST", "/api/v1/sandboxes", { language: "klingon" }))).toEqual([400, "unknown_language"]);
    expect(await codeOf(send("POST", "/api/v1/sandboxes", { tier: "kubernetes" }))).toEqual([400, "tier_unavailable"]);
    expect(await codeOf(send("POST", "/api/v1/sandboxes", { files: [{ path: "../x", content: "" }] }))).toEqual([400, "invalid_path"]);
    expect(await codeOf(send("POST", "/api/v1/sandboxes", { files: [{ path: "x", blob: "0".repeat(64) }] }))).toEqual([
      400,
      "blob_unknown",
    ]);
    expect(await codeOf(send("POST", "/api/v1/sandboxes", { hardEndMs: 1e12 }))).toEqual([400, "invalid_request"]);
    expect(await codeOf(send("POST", `${base}/exec`, { command: [] }))).toEqual([400, "invalid_request"]);
    expect(await codeOf(send("POST", `${base}/exec`, { command: ["/no/such"] }))).toEqual([404, "path_not_found"]);
    expect(await codeOf(send("GET", "/api/v1/sandboxes/sbx_nothing"))).toEqual([404, "not_found"]);
  });

  it.each(Object.entries<Route>(routes).filter(([, { tag, path }]) => tag === "sandboxes" && path.includes(":id")))(
    "of another user is not there: %s",
    async (_name, route) => {
      const path = route.path.replace(":id", sandbox.id).replace(":pid", "5").replace(":contextId", "ctx_1").replace(":port", "80");
      const bodies: Readonly<Record<string, unknown>> = {
        "/exec": { command: "true" },
        "/exec/stream": { command: "true" },
        "/processes": { command: "true" },
        "/run": { code: "1" },
        "/move": { path: "b" },
        "/folders": { path: "b" },
      };
      const body =
        route.method === "GET" || route.method === "DELETE" || route.body === "bytes"
          ? undefined
          : (Object.entries(bodies).find(([end]) => path.endsWith(end))?.[1] ?? (route.path.endsWith("/file") ? { mode: 420 } : {}));
      const query = route.path.includes("/file") ? "?path=a" : "";
      const asSocket = async () => [await openSocket(path, bob), "not_found"];
      const told = "websocket" === route.responses[200] ? asSocket() : codeOf(send(route.method, path + query, body, bob));
      expect(await told).toEqual(["websocket" === route.responses[200] ? "refused 404" : 404, "not_found"]);
      expect((await server.fetch(path + query, { method: route.method, headers: { authorization: "" } })).status).toBe(401);
    },
  );
});

describe("the end of a sandbox", () => {
  const rowOf = (id: string) =>
    server.context.database.queries.selectFrom("sandboxes").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

  it("is written down later when the database does not take it now", async () => {
    const { queries } = server.context.database;
    const { id } = await createSandbox(server, {}, ann);
    await sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$`.execute(queries);
    await sql`create trigger refuse before update on sandboxes for each row execute function refuse()`.execute(queries);
    try {
      expect((await send("DELETE", `/api/v1/sandboxes/${id}`)).status).toBe(204);
      expect(await rowOf(id)).toMatchObject({ ended_at: null });
    } finally {
      await sql`drop trigger refuse on sandboxes`.execute(queries);
    }
    await expect.poll(() => rowOf(id)).toMatchObject({ status: "stopped", end_reason: "deleted", ended_at: expect.any(Date) as Date });
  });

  it("comes by deleting it, also when this server has nothing of it any more", async () => {
    const { queries } = server.context.database;
    const { id } = await createSandbox(server, {}, ann);
    await send("DELETE", `/api/v1/sandboxes/${id}`);
    await queries.updateTable("sandboxes").set({ ended_at: null, status: "running", end_reason: null }).where("id", "=", id).execute();
    expect((await send("DELETE", `/api/v1/sandboxes/${id}`)).status).toBe(204);
    expect(await rowOf(id)).toMatchObject({ status: "stopped", end_reason: "deleted", ended_at: expect.any(Date) as Date });
  });
});

describe("commands in a sandbox", () => {
  it("are run to their end with what they print", async () => {
    expect(await exec('echo "$COLOUR"; cat a/hello.txt; echo no >&2; exit 3')).toEqual({
      exitCode: 3,
      signal: null,
      timedOut: false,
      stdout: "blue\nhello",
      stderr: "no\n",
      truncated: false,
    });
    expect(await exec(["cat"], { stdin: "typed", cwd: "/tmp" })).toMatchObject({ stdout: "typed" });
    expect(await exec("sleep 60", { timeoutMs: 100 })).toMatchObject({ signal: "SIGKILL", timedOut: true });
    const flood = await exec("head -c 9000000 /dev/zero | tr '\\0' x; echo end");
    expect([flood.truncated, flood.stdout.endsWith("xend\n"), flood.stdout.length < 5_000_000]).toEqual([true, true, true]);
  });

  it("are followed, and end when nobody follows them any more", async () => {
    const response = await send("POST", `${base}/exec/stream`, { command: "echo on; sleep 987" });
    await readEvents<SandboxProcessEvent>(response, (events) => events.length === 1);
    await expect.poll(async () => (await exec("pgrep -f 'sleep 98[7]' | wc -l")).stdout).toBe("0\n");
    const events = await readEvents<SandboxProcessEvent>(await send("POST", `${base}/exec/stream`, { command: "printf '\\377'; exit 4" }));
    expect(events).toEqual([
      { type: "output", stream: "stdout", data: "/w==" },
      { type: "exit", exitCode: 4, signal: null, timedOut: false },
    ]);
  });

  it("go on by themselves as processes, with input, signals and their recent output", async () => {
    const { pid } = await json<{ pid: number }>(send("POST", `${base}/processes`, { command: ["cat"] }));
    const input = (text: string, end = false) =>
      server.fetch(`${base}/processes/${pid}/input?end=${end}`, {
        method: "POST",
        headers: { ...ann, "content-type": "application/octet-stream" },
        body: text,
      });
    expect((await input("one\n")).status).toBe(204);
    const seen = await readEvents<SandboxProcessEvent>(await get(`${base}/processes/${pid}/output`), (events) => events.length > 0);
    expect(seen).toEqual([{ type: "output", stream: "stdout", data: btoa("one\n") }]);
    expect((await json<{ items: { pid: number; followed: boolean }[] }>(get(`${base}/processes`))).items).toContainEqual(
      expect.objectContaining({ pid, followed: true, terminal: false, command: ["cat"] }),
    );
    await input("two\n", true);
    const all = await readEvents<SandboxProcessEvent>(await get(`${base}/processes/${pid}/output`));
    expect(all.at(-1)).toMatchObject({ type: "exit", exitCode: 0 });
    const sleeper = await json<{ pid: number }>(send("POST", `${base}/processes`, { command: "sleep 600" }));
    expect((await send("POST", `${base}/processes/${sleeper.pid}/signal`, {})).status).toBe(204);
    expect((await readEvents<SandboxProcessEvent>(await get(`${base}/processes/${sleeper.pid}/output`))).at(-1)).toMatchObject({
      type: "exit",
      signal: "SIGTERM",
    });
  });
});

/** Opens a terminal; says how it was refused, or hands over the socket. */
async function openSocket(
  path: string,
  headers: Record<string, string>,
  hear: (text: string) => void = () => {},
): Promise<Client | string> {
  return await new Promise((resolve) => {
    const socket = new Client(server.url.replace("http", "ws") + path, { headers });
    socket.on("unexpected-response", (_request, response) => resolve(`refused ${response.statusCode}`));
    socket.on("open", () => resolve(socket));
    socket.on("error", () => {});
    socket.on("message", (data: Buffer) => hear(data.toString()));
  });
}

describe("a terminal", () => {
  it("takes keys, is resized, outlives its connection, and ends with its program", async () => {
    const { pid } = await json<{ pid: number }>(
      send("POST", `${base}/processes`, { command: ["/bin/bash", "--norc"], terminal: { columns: 80, rows: 24 } }),
    );
    const path = `${base}/processes/${pid}/terminal`;
    let seen = "";
    const hear = (text: string) => void (seen += text);
    const first = (await openSocket(path, ann, hear)) as Client;
    first.send(JSON.stringify({ columns: 111, rows: 33 }));
    first.send(Buffer.from("stty size; echo mark$((40+2))\n"));
    await expect.poll(() => seen).toMatch(/33 111[\s\S]*mark42/);
    first.close();
    seen = "";
    const second = (await openSocket(path, ann, hear)) as Client;
    await expect.poll(() => seen).toContain("mark42");
    second.send(Buffer.from("exit 5\n"));
    await expect.poll(() => seen).toContain('"exitCode":5');
  });

  it("is refused to another site, to strangers, and without a socket", async () => {
    const { pid } = await json<{ pid: number }>(
      send("POST", `${base}/processes`, { command: ["cat"], terminal: { columns: 80, rows: 24 } }),
    );
    const path = `${base}/processes/${pid}/terminal`;
    const cookie = { cookie: "syla.session_token=x" };
    expect(await openSocket(path, { ...cookie, origin: "https://evil.example" })).toBe("refused 403");
    expect(await openSocket(path, { ...cookie, "sec-fetch-site": "cross-site" })).toBe("refused 403");
    expect(await openSocket(path, {})).toBe("refused 401");
    expect(await openSocket(path, bob)).toBe("refused 404");
    expect(await openSocket(`${base}/processes/2/terminal`, ann)).toBe("refused 404");
    expect(await codeOf(get(path))).toEqual([400, "invalid_request"]);
    await send("POST", `${base}/processes/${pid}/signal`, { signal: "SIGKILL" });
  });
});

describe("files of a sandbox", () => {
  const file = (path: string, query = "") => `${base}/file${query}?path=${encodeURIComponent(path)}`;
  const upload = (path: string, body: NonNullable<RequestInit["body"]>, more = "") =>
    server.fetch(file(path, "/content") + more, {
      method: "POST",
      headers: { ...ann, "content-type": "application/octet-stream" },
      body,
      duplex: "half",
    });

  it("go up and down byte for byte, whole and in parts, whatever they are called", async () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    for (const path of ["x y/ü\n.bin", "100%25", "-", "empty"]) {
      const content = path === "empty" ? Buffer.alloc(0) : bytes;
      const saved = await json<SandboxFile>(upload(path, content, "&mode=600"));
      expect(saved).toMatchObject({ path: `/workspace/${path}`, pathBase64: null, size: content.length, mode: 0o600, kind: "file" });
      expect(Buffer.from(await (await get(file(path, "/content"))).arrayBuffer())).toEqual(content);
    }
    const part = async (range: string) => {
      const response = await get(file("-", "/content"), { range });
      return [response.status, response.headers.get("content-range"), (await response.arrayBuffer()).byteLength];
    };
    expect(await part("bytes=10-19")).toEqual([206, "bytes 10-19/1000", 10]);
    expect(await part("bytes=990-")).toEqual([206, "bytes 990-999/1000", 10]);
    expect(await part("bytes=-5")).toEqual([206, "bytes 995-999/1000", 5]);
    expect(await part("bytes=5000-")).toEqual([200, null, 1000]);
    const odd = Buffer.from([0xff, 0x61]).toString("base64");
    await server.fetch(`${base}/file/content?pathBase64=${encodeURIComponent(odd)}`, {
      method: "POST",
      headers: { ...ann, "content-type": "application/octet-stream" },
      body: "odd",
    });
    const { items } = await json<{ items: SandboxFile[] }>(get(`${base}/files`));
    const found = items.find(({ pathBase64 }) => pathBase64 !== null);
    expect(await (await get(`${base}/file/content?pathBase64=${encodeURIComponent(found?.pathBase64 ?? "")}`)).text()).toBe("odd");
  });

  it("are listed, moved, given rights and removed, and refused with a code", async () => {
    await send("POST", `${base}/folders`, { path: "tree/deep" });
    await upload("tree/deep/leaf", "1");
    const paths = async (query: string) =>
      (await json<{ items: SandboxFile[] }>(get(`${base}/files${query}`))).items.map((entry) => entry.path);
    expect(await paths("?path=tree&depth=3")).toEqual(["/workspace/tree/deep", "/workspace/tree/deep/leaf"]);
    expect(await json(send("POST", file("tree/deep/leaf", "/move"), { path: "tree/leaf" }))).toMatchObject({
      path: "/workspace/tree/leaf",
    });
    expect(await json(send("PATCH", file("tree/leaf"), { mode: 0o700 }))).toMatchObject({ mode: 0o700 });
    expect(await codeOf(send("DELETE", file("tree")))).toEqual([400, "path_refused"]);
    expect((await send("DELETE", `${file("tree")}&recursive=true`)).status).toBe(204);
    expect(await codeOf(get(file("tree")))).toEqual([404, "path_not_found"]);
    expect(await codeOf(get(file("a", "/content")))).toEqual([400, "path_refused"]);
    expect(await codeOf(upload("/etc/x", "1"))).toEqual([400, "path_refused"]);
    expect(await codeOf(get(`${base}/file`))).toEqual([400, "invalid_request"]);
    expect(await codeOf(get(`${base}/file?path=a&pathBase64=YQ==`))).toEqual([400, "invalid_request"]);
  });

  it("are as before when the client is cut off in the middle of an upload", async () => {
    await upload("kept", "old");
    const stop = new AbortController();
    let sent = 0;
    const endless = new ReadableStream({
      async pull(controller) {
        await setImmediate();
        controller.enqueue(new Uint8Array(65_536));
        if ((sent += 1) === 20) stop.abort();
      },
    });
    await expect(
      fetch(`${server.url}${file("kept", "/content")}`, {
        method: "POST",
        headers: { ...ann, "content-type": "application/octet-stream" },
        body: endless,
        duplex: "half",
        signal: stop.signal,
      }),
    ).rejects.toThrow("aborted");
    await expect
      .poll(async () => (await json<{ items: SandboxFile[] }>(get(`${base}/files`))).items.filter(({ name }) => name.startsWith(".syla")))
      .toEqual([]);
    expect(await (await get(file("kept", "/content"))).text()).toBe("old");
  });

  it("of many megabytes are streamed", { timeout: 30_000 }, async () => {
    const sent = createHash("sha256");
    const received = createHash("sha256");
    async function* pieces() {
      for (let index = 0; index < 32; index += 1) {
        const piece = Buffer.alloc(1 << 20, index);
        sent.update(piece);
        yield piece;
      }
    }
    expect((await upload("big", ReadableStream.from(pieces()) as unknown as NonNullable<RequestInit["body"]>)).status).toBe(200);
    for await (const piece of (await get(file("big", "/content"))).body ?? []) received.update(piece);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    await send("DELETE", file("big"));
  });

  it("are watched", async () => {
    const response = await get(`${base}/files/watch?path=.`);
    const events = readEvents<{ changes?: { path: string; type: string }[] }>(response, (all) =>
      all.some((event) => event.changes?.some(({ path }) => path.endsWith("/watched"))),
    );
    await exec("echo 1 > watched");
    expect((await events)[0]).toEqual({ type: "ready" });
  });
});

describe("contexts of a sandbox", () => {
  const run = async (id: string, code: string) =>
    await readEvents<SandboxContextEvent>(await send("POST", `${base}/contexts/${id}/run`, { code }));

  it("keep their variables, several beside one another, until they are restarted or deleted", async () => {
    const python = await json<{ id: string }>(send("POST", `${base}/contexts`, {}));
    const javascript = await json<{ id: string }>(send("POST", `${base}/contexts`, { language: "javascript" }));
    await run(python.id, "x = 'ü'");
    const told = await run(python.id, "print(x)\nx * 2");
    expect(told.map((event) => (event.type === "output" ? event.text : "")).join("")).toBe("ü\n");
    expect(told.filter((event) => event.type !== "output")).toEqual([
      { type: "result", data: { "text/plain": "'üü'" }, omitted: [] },
      { type: "done", status: "ok" },
    ]);
    expect(await run(javascript.id, "typeof x")).toContainEqual({ type: "result", data: { "text/plain": "'undefined'" }, omitted: [] });
    expect((await json<{ items: { id: string }[] }>(get(`${base}/contexts`))).items.map(({ id }) => id)).toEqual([
      python.id,
      javascript.id,
    ]);
    expect(await json(send("POST", `${base}/contexts/${python.id}/restart`))).toMatchObject({ id: python.id });
    expect((await run(python.id, "x"))[0]).toMatchObject({ type: "error", name: "NameError" });
    const looping = send("POST", `${base}/contexts/${python.id}/run`, { code: "print('on')\nwhile True: pass" });
    const loopEvents = readEvents<SandboxContextEvent>(await looping);
    await send("POST", `${base}/contexts/${python.id}/interrupt`);
    expect((await loopEvents).at(-1)).toEqual({ type: "done", status: "interrupted" });
    // Callers that leave at once, before and behind one that is at work, take nothing with them.
    const leave = new AbortController();
    const gone = ["import time; time.sleep(1)", "1", "2"].map((code) =>
      server.fetch(`${base}/contexts/${python.id}/run`, {
        method: "POST",
        headers: { ...ann, "content-type": "application/json" },
        body: JSON.stringify({ code }),
        signal: leave.signal,
      }),
    );
    setTimeout(() => leave.abort(), 20);
    await Promise.allSettled(gone);
    expect((await run(python.id, "6 * 7")).at(-1)).toMatchObject({ type: "done", status: "ok" });
    const busy = send("POST", `${base}/contexts/${python.id}/run`, { code: "import time; time.sleep(2)" });
    const flood = await Promise.all(
      Array.from({ length: 24 }, () => send("POST", `${base}/contexts/${python.id}/run`, { code: "1" })).map(
        async (answer) => await readEvents<SandboxContextEvent>(await answer).catch(() => []),
      ),
    );
    expect(flood.filter((answer) => answer.at(-1)?.type === "done").length).toBeLessThanOrEqual(17);
    await readEvents(await busy);
    expect((await send("DELETE", `${base}/contexts/${python.id}`)).status).toBe(204);
    expect(await codeOf(send("POST", `${base}/contexts/${python.id}/run`, { code: "1" }))).toEqual([404, "not_found"]);
  });
});

describe("the clocks of a sandbox", () => {
  it("pause it when it is idle and let it go on when it is used; one that somebody paused stays so", async () => {
    const idle = await createSandbox(server, { idleTimeoutMs: 1000 }, ann);
    const at = `/api/v1/sandboxes/${idle.id}`;
    await expect.poll(async () => json<Sandbox>(get(at)), { timeout: 20_000 }).toMatchObject({ status: "paused", pauseReason: "idle" });
    expect(await exec("echo woken", {}, at)).toMatchObject({ stdout: "woken\n" });
    expect(await json(get(at))).toMatchObject({ status: "running", pauseReason: null });
    expect(await json(send("POST", `${at}/pause`))).toMatchObject({
      status: "paused",
      pauseReason: "user",
      pausedBy: expect.stringMatching(/signals|cgroup/) as unknown,
    });
    expect(await codeOf(send("POST", `${at}/exec`, { command: "true" }))).toEqual([409, "sandbox_paused"]);
    expect(await json(send("POST", `${at}/resume`))).toMatchObject({ status: "running", pausedBy: null });
    expect(await json(send("PATCH", at, { hardEndMs: 1000 }))).toMatchObject({ status: "running" });
    await expect.poll(async () => json<Sandbox>(get(at)), { timeout: 20_000 }).toMatchObject({ status: "stopped", endReason: "expired" });
  });

  it("stand while it is in use", async () => {
    const busy = await createSandbox(server, { idleTimeoutMs: 1000 }, ann);
    const at = `/api/v1/sandboxes/${busy.id}`;
    expect(await exec("sleep 2.5; echo done", {}, at)).toMatchObject({ stdout: "done\n" });
    await send("DELETE", at);
  });
});
