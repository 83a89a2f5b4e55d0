import { readFileSync } from "node:fs";
import { Syla, SylaConnectionError, SylaError } from "@syla/sdk";
import { expect, test } from "vitest";
import { renderRouteTable } from "../../../tools/generate-sdk-routes.ts";
import { parseRetryAfter } from "../src/errors.ts";
import { backoffMs, defaultRetryPolicy } from "../src/retry.ts";
import { closedAddress, cut, json, problem, stall, startServer } from "./fake-server.ts";

const fast = { baseDelayMs: 1, maxDelayMs: 1500 };
const client = (baseUrl: string, extra: object = {}) => new Syla({ baseUrl, apiKey: "key_1", retry: fast, ...extra });

test("the generated route table is the contract's", () => {
  expect(readFileSync(new URL("../src/routes.gen.ts", import.meta.url), "utf8")).toBe(renderRouteTable());
});

test("sends method, path, query, key and body as the contract says", async () => {
  const { baseUrl, seen } = await startServer(
    json(200, { items: [], nextCursor: null }),
    json(202, { id: "run_1" }),
    json(201, { sha256: "a", size: 3 }),
  );
  const syla = client(`${baseUrl}/`, { headers: { "x-extra": "1" } });
  await syla.runs.list({ status: "failed,timed_out", limit: 5, q: "a&b" });
  await syla.executions.run({ language: "python", code: "x" }, { wait: false, idempotencyKey: "same" });
  await syla.blobs.upload(new Uint8Array([0, 255, 10]));
  expect(seen.map((request) => `${request.method} ${request.url}`)).toEqual([
    "GET /api/v1/runs?status=failed%2Ctimed_out&limit=5&q=a%26b",
    "POST /api/v1/executions?wait=false",
    "POST /api/v1/blobs",
  ]);
  expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer key_1", "x-extra": "1" });
  expect(seen[1]?.headers["idempotency-key"]).toBe("same");
  expect(JSON.parse(String(seen[1]?.body))).toEqual({ language: "python", code: "x" });
  expect(seen[2]?.body).toEqual(Buffer.from([0, 255, 10]));
});

test("encodes ids, so that none can leave its place in the path", async () => {
  const { baseUrl, seen } = await startServer(json(200, {}));
  await client(baseUrl).runs.get("../api-keys?x#y");
  expect(seen[0]?.url).toBe("/api/v1/runs/..%2Fapi-keys%3Fx%23y");
});

test("a problem document becomes a typed error", async () => {
  const { baseUrl } = await startServer(
    problem(400, "unknown_language", {}, { fields: [{ path: "language", message: "no" }], details: { known: ["python"] } }),
  );
  const error = await client(baseUrl)
    .runs.create({ code: "x", language: "pyhton" })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SylaError);
  expect(error).not.toBeInstanceOf(SylaConnectionError);
  expect(error).toMatchObject({
    code: "unknown_language",
    status: 400,
    message: "It is unknown_language.",
    hint: "Do this.",
    requestId: "req_1",
    details: { known: ["python"] },
  });
  expect((error as SylaError).fields).toEqual([{ path: "language", message: "no" }]);
});

test("an answer that is not Syla's is said to be that", async () => {
  const html = (status: number) => json(status, "<html>");
  const { baseUrl } = await startServer(html(404), (_, response) => void response.writeHead(200).end("<html>"));
  await expect(client(baseUrl).me.get()).rejects.toMatchObject({ code: "unexpected_answer", status: 404 });
  await expect(client(baseUrl).me.get()).rejects.toMatchObject({ code: "unexpected_answer", status: 200 });
});

test("a create is repeated after a cut connection under the same key", async () => {
  const { baseUrl, seen } = await startServer(cut, problem(503, "database_unavailable"), json(202, { id: "run_1" }));
  await expect(client(baseUrl).runs.create({ code: "x" })).resolves.toMatchObject({ id: "run_1" });
  const keys = seen.map((request) => request.headers["idempotency-key"]);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
});

test("a call that may not be repeated is sent once", async () => {
  const { baseUrl, seen } = await startServer(cut);
  await expect(client(baseUrl).sessions.create({ email: "a@b.c", password: "secret" })).rejects.toBeInstanceOf(SylaConnectionError);
  expect(seen).toHaveLength(1);
});

test("waits as long as Retry-After says, and gives up when that is too long", async () => {
  const { baseUrl, seen } = await startServer(
    problem(429, "rate_limited", { "retry-after": "1" }),
    json(200, { items: [] }),
    problem(429, "rate_limited", { "retry-after": "60" }),
  );
  const before = performance.now();
  await client(baseUrl).runtimes.list();
  expect(performance.now() - before).toBeGreaterThan(950);
  await expect(client(baseUrl).runtimes.list()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 60_000 });
  expect(seen).toHaveLength(3);
});

test("gives up after the last retry, with the last error", async () => {
  const { baseUrl, seen } = await startServer(problem(503, "shutting_down"));
  await expect(client(baseUrl, { retry: { ...fast, maxRetries: 2 } }).me.get()).rejects.toMatchObject({
    code: "shutting_down",
    status: 503,
  });
  expect(seen).toHaveLength(3);
});

test("a server that never answers runs into the timeout, a caller that leaves gets its own reason", async () => {
  const { baseUrl } = await startServer(stall);
  const syla = client(baseUrl, { timeoutMs: 50, retry: { ...fast, maxRetries: 0 } });
  await expect(syla.me.get()).rejects.toMatchObject({ code: "request_timeout", status: 0 });
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(new Error("left")), 20);
  await expect(syla.executions.run({ code: "x" }, { signal: leaving.signal })).rejects.toThrow("left");
  await expect(syla.me.get({ signal: leaving.signal })).rejects.toThrow("left");
});

test("a refused connection is a connection error that names the address and not the key", async () => {
  const baseUrl = await closedAddress();
  const error = await client(baseUrl, { retry: { ...fast, maxRetries: 0 } })
    .me.get()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "connection_failed", message: `No connection to ${baseUrl} (refused).` });
  expect(JSON.stringify(error) + String(error)).not.toContain("key_1");
});

test("a stream is uploaded whole, and not repeated", async () => {
  const { baseUrl, seen } = await startServer(json(201, { sha256: "a", size: 6 }), problem(503, "shutting_down"));
  const body = () => new Blob(["abc", "def"]).stream();
  await client(baseUrl).blobs.upload(body());
  expect(String(seen[0]?.body)).toBe("abcdef");
  await expect(client(baseUrl).blobs.upload(body())).rejects.toMatchObject({ code: "shutting_down" });
  expect(seen).toHaveLength(2);
});

test("iterates over all pages, and stops asking when the reader stops", async () => {
  const page = (id: string, nextCursor: string | null) => json(200, { items: [{ id }], nextCursor });
  const { baseUrl, seen } = await startServer(page("a", "c1"), page("b", null), page("c", "c3"));
  const ids: string[] = [];
  for await (const run of client(baseUrl).runs.iterate({ limit: 1 })) ids.push(run.id);
  expect(ids).toEqual(["a", "b"]);
  expect(seen[1]?.url).toContain("cursor=c1");
  for await (const run of client(baseUrl).runs.iterate()) if (run.id === "c") break;
  expect(seen).toHaveLength(3);
});

test("Retry-After is read as seconds or as a date, and never as nonsense", () => {
  expect(parseRetryAfter("2")).toBe(2000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 40_000)).toBe(0);
  expect(parseRetryAfter("soon")).toBeNull();
  expect(parseRetryAfter("")).toBeNull();
});

test("pauses double up to a ceiling, with jitter", () => {
  expect(backoffMs(0, defaultRetryPolicy, 0)).toBe(100);
  expect(backoffMs(0, defaultRetryPolicy, 1)).toBe(200);
  expect(backoffMs(3, defaultRetryPolicy, 1)).toBe(1600);
  expect(backoffMs(40, defaultRetryPolicy, 1)).toBe(20_000);
});
