import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { Problem } from "@syla/contracts/problem";
import { route } from "@syla/contracts/route";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { answerEncoded } from "../../src/platform/event-stream.ts";
import { answer } from "../../src/platform/http-call.ts";
import { createHttp, type HttpServer } from "../../src/platform/http.ts";
import { createLogger } from "../../src/platform/logger.ts";

interface TestActor {
  readonly name: string;
}

const base = { summary: "test", tag: "test", errors: [] } as const;
const echo = route({
  ...base,
  method: "POST",
  path: "/echo/:id",
  auth: "user",
  params: z.object({ id: z.string().max(8) }),
  query: z.object({ n: z.coerce.number().default(1), tag: z.string().optional() }),
  headers: z.object({ "idempotency-key": z.string().max(5).optional() }),
  body: z.strictObject({
    text: z.string(),
    file: z.union([z.strictObject({ content: z.string() }), z.strictObject({ blob: z.string() })]).optional(),
  }),
  responses: { 201: z.object({ text: z.string(), by: z.string(), n: z.number() }), 202: z.object({}) },
});
const upload = route({
  ...base,
  method: "POST",
  path: "/upload",
  auth: "user",
  body: "bytes",
  responses: { 201: z.object({ size: z.int() }) },
});
const fail = route({
  ...base,
  method: "GET",
  path: "/fail/:how",
  auth: "none",
  params: z.object({ how: z.string() }),
  responses: { 200: z.object({}) },
});
const bytes = route({ ...base, method: "GET", path: "/bytes", auth: "none", responses: { 200: "bytes" } });
const stream = route({ ...base, method: "GET", path: "/stream", auth: "none", responses: { 200: "event-stream" } });
const endless = route({ ...base, method: "GET", path: "/endless", auth: "none", responses: { 200: "event-stream" } });
const wrong = route({ ...base, method: "GET", path: "/wrong", auth: "none", responses: { 200: z.object({ n: z.number() }) } });

const failures: Readonly<Record<string, () => Error>> = {
  coded: () => new AppError("queue_full", { retryAfter: 1.2, details: { queued: 7 } }),
  bug: () => new TypeError("secret internals at /etc/passwd"),
  disk: () => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
  database: () => Object.assign(new Error("connect ENOENT"), { code: "ENOENT", syscall: "connect" }),
  missingFile: () => Object.assign(new Error("ENOENT: /secret"), { code: "ENOENT", syscall: "open" }),
};

describe("HTTP border", () => {
  let http: HttpServer<TestActor>;
  let origin: string;
  let draining = false;
  let aborted: Promise<unknown> | undefined;
  let sentToNobody: Promise<number> | undefined;

  beforeAll(async () => {
    http = createHttp<TestActor>({
      logger: createLogger("silent"),
      basePath: "/syla",
      publicUrl: "https://syla.example.org/syla",
      trustProxy: false,
      bodyLimit: 10_000,
      isDraining: () => draining,
      checkAnswers: true,
      authenticate: async (request) => {
        if (request.headers.authorization === "Bearer bad") throw new AppError("invalid_api_key");
        return request.headers.authorization === "Bearer good" || request.headers.cookie === "s=1" ? { name: "ann" } : null;
      },
    });
    http.bind(echo, async ({ body, query, params }, { actor }) => {
      if (params.id === "later") return answer(202, {}, { location: "/echo/later" });
      return { text: body.text, by: actor.name, n: query.n };
    });
    http.bind(upload, async ({ body }) => {
      let size = 0;
      for await (const chunk of body as Readable) size += (chunk as Buffer).length;
      return { size };
    });
    http.bind(fail, ({ params }) => {
      throw failures[params.how]?.() ?? new AppError("not_found");
    });
    http.bind(bytes, () => answer(200, Buffer.from([0, 255, 10]), { "content-type": "application/octet-stream" }));
    http.bind(stream, (_input, { signal }) => {
      aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
      const source = async function* () {
        for (let n = 0; !signal.aborted; n += 1) {
          yield `id: ${n}\ndata: tick\n\n`;
          await sleep(10);
        }
      };
      return answer(200, Readable.from(source()), { "content-type": "text/event-stream" });
    });
    http.bind(endless, async (_input, { signal }) => {
      const { promise, resolve } = Promise.withResolvers<number>();
      sentToNobody = promise;
      const source = async function* () {
        let sent = 0;
        const piece = Buffer.alloc(64 * 1024, ": nothing\n\n");
        try {
          for (;;) {
            yield piece;
            sent += piece.length;
          }
        } finally {
          resolve(sent);
        }
      };
      return await answerEncoded(source(), signal, 200);
    });
    http.bind(wrong, () => ({ n: "not a number" }) as never);
    origin = `http://127.0.0.1:${await http.listen("127.0.0.1", 0)}`;
  });
  afterAll(() => http.close());

  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(origin + path, {
      method: "POST",
      body,
      headers: { authorization: "Bearer good", "content-type": "application/json", ...headers },
    });

  async function problemOf(response: Response): Promise<Problem> {
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    const problem = Problem.parse(await response.json());
    expect(problem.status).toBe(response.status);
    expect(problem.requestId).toBe(response.headers.get("x-request-id"));
    return problem;
  }

  it("parses every part and answers with the first declared status", async () => {
    const response = await post("/echo/a?n=5", '{"text":"hi"}');
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ text: "hi", by: "ann", n: 5 });
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("strict-transport-security")).not.toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("adds the base path to a location, and serves with or without it", async () => {
    expect((await post("/echo/later", '{"text":""}')).headers.get("location")).toBe("/syla/echo/later");
    expect((await post("/syla/echo/later", '{"text":""}')).status).toBe(202);
    expect((await fetch(`${origin}/sylaX/bytes`)).status).toBe(404);
  });

  it("keeps a plain request id and replaces any other", async () => {
    const ask = async (id: string) => (await fetch(`${origin}/bytes`, { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await ask("abc-1.2")).toBe("abc-1.2");
    expect(await ask("a b<script>")).toMatch(/^req_[0-9a-z]{26}$/);
    expect(await ask("x".repeat(65))).toMatch(/^req_/);
  });

  it("names every wrong field", async () => {
    const problem = await problemOf(await post("/echo/123456789?n=many", '{"txt":1,"file":{"blob":7}}', { "idempotency-key": "too long" }));
    expect(problem.code).toBe("invalid_request");
    expect(problem.fields.map((field) => field.path).toSorted()).toEqual([
      "file.blob",
      "headers.idempotency-key",
      "params.id",
      "query.n",
      "text",
      "txt",
    ]);
  });

  it.each([
    ["broken JSON", '{"text":', {}, "not valid JSON"],
    ["nothing", "", {}, "body"],
    ["a JSON list", "[]", {}, "body"],
    ["a prototype", '{"__proto__":{"x":1},"text":"a"}', {}, "not valid JSON"],
    ["another type", "text=hi", { "content-type": "application/x-www-form-urlencoded" }, "content type"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), {}, "UTF-8"],
  ])("refuses %s as a body", async (_name, body, headers, words) => {
    const problem = await problemOf(await post("/echo/a", body, headers));
    expect(problem.code).toBe("invalid_request");
    expect(problem.detail).toMatch(new RegExp(words, "i"));
  });

  it("refuses a body that is too large", async () => {
    const problem = await problemOf(await post("/echo/a", JSON.stringify({ text: "x".repeat(20_000) })));
    expect(problem).toMatchObject({ code: "payload_too_large", status: 413 });
  });

  it("streams bytes of any type and length", async () => {
    for (const type of ["application/json", "text/plain", "application/octet-stream"]) {
      const response = await post("/upload", Buffer.alloc(50_000, 255), { "content-type": type });
      expect(await response.json()).toEqual({ size: 50_000 });
    }
    expect(await (await fetch(`${origin}/upload`, { method: "POST", headers: { authorization: "Bearer good" } })).json()).toEqual({
      size: 0,
    });
  });

  it("answers bytes unchanged", async () => {
    const response = await fetch(`${origin}/bytes`);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 10]);
  });

  it("asks for credentials before it reads a body", async () => {
    expect(await problemOf(await post("/echo/a", "{", { authorization: "" }))).toMatchObject({ code: "unauthenticated", status: 401 });
    expect(await problemOf(await post("/echo/a", "{", { authorization: "Bearer bad" }))).toMatchObject({
      code: "invalid_api_key",
      status: 401,
    });
    expect((await fetch(`${origin}/bytes`, { headers: { authorization: "Bearer bad" } })).status).toBe(200);
  });

  it("maps what is thrown, and tells nothing of what is unknown", async () => {
    const ask = async (how: string) => fetch(`${origin}/fail/${how}`);
    const coded = await ask("coded");
    expect(coded.headers.get("retry-after")).toBe("2");
    expect(await problemOf(coded)).toMatchObject({ code: "queue_full", details: { queued: 7 } });
    expect(await problemOf(await ask("disk"))).toMatchObject({ code: "storage_full", status: 507 });
    expect(await problemOf(await ask("database"))).toMatchObject({ code: "database_unavailable", status: 503 });
    for (const how of ["bug", "missingFile"]) {
      const text = await (await ask(how)).text();
      expect(JSON.parse(text)).toMatchObject({ code: "internal", status: 500 });
      expect(text).not.toMatch(/secret|TypeError|ENOENT/);
    }
  });

  it("reports an answer that differs from the contract", async () => {
    expect((await fetch(`${origin}/wrong`)).status).toBe(500);
  });

  it("says that an address is unknown, whatever the method", async () => {
    expect(await problemOf(await fetch(`${origin}/nothing?token=x`))).toMatchObject({
      code: "not_found",
      detail: "There is no GET /nothing.",
    });
    expect(await problemOf(await post("/bytes", "{}"))).toMatchObject({ code: "not_found" });
    expect((await fetch(`${origin}/nothing`, { method: "HEAD" })).status).toBe(404);
    expect((await fetch(`${origin}/bytes`, { method: "HEAD" })).status).toBe(200);
    expect(await problemOf(await fetch(`${origin}/%zz`))).toMatchObject({ code: "invalid_request" });
  });

  it("lets no other site change anything with a cookie", async () => {
    const change = (headers: Record<string, string>) =>
      fetch(`${origin}/echo/a`, {
        method: "POST",
        body: '{"text":""}',
        headers: { cookie: "s=1", "content-type": "application/json", ...headers },
      });
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      expect(await problemOf(await change(headers as Record<string, string>))).toMatchObject({ code: "cross_origin", status: 403 });
    }
    for (const headers of [{}, { origin: "https://syla.example.org" }, { origin }, { "sec-fetch-site": "same-origin" }]) {
      expect((await change(headers as Record<string, string>)).status).toBe(201);
    }
    expect((await post("/echo/a", '{"text":""}', { origin: "https://evil.example" })).status).toBe(201);
  });

  it("tells a handler that the caller has gone", async () => {
    const { port } = new URL(origin);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await expect(aborted).resolves.toBeInstanceOf(Event);
  });

  it("cuts off a reader of events who takes nothing, and ends what was for them", async () => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.on("error", () => {}).pause();
    const cut = new Promise((resolve) => socket.once("close", resolve));
    socket.write("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(() => sentToNobody).toBeDefined();
    // What a socket lets through before whoever reads it is waited for, and what lies in between.
    expect(await sentToNobody).toBeLessThan(32 * 1024 * 1024);
    socket.resume();
    await cut;
  });

  it("takes no changes while it drains", async () => {
    draining = true;
    try {
      const refused = await post("/echo/a", '{"text":""}');
      expect(refused.headers.get("retry-after")).toBe("5");
      expect(await problemOf(refused)).toMatchObject({ code: "shutting_down" });
      expect((await fetch(`${origin}/bytes`)).status).toBe(200);
    } finally {
      draining = false;
    }
  });

  it("names the port that is in use", async () => {
    const second = createHttp<TestActor>({
      logger: createLogger("silent"),
      basePath: "",
      publicUrl: undefined,
      trustProxy: false,
      bodyLimit: 1000,
      isDraining: () => false,
      authenticate: async () => null,
    });
    const port = Number(new URL(origin).port);
    await expect(second.listen("127.0.0.1", port)).rejects.toMatchObject({ code: "port_in_use", details: { port } });
    await expect(second.listen("192.0.2.1", 0)).rejects.toMatchObject({ code: "address_unavailable" });
    await second.close();
  });
});
