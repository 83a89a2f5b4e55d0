import { createHash, hash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { prepareCluster } from "@syla/testkit/cluster";
import { spawnServer, type ServerProcess } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { Workspace } from "@syla/contracts/workspaces";
import { afterAll, beforeAll, expect, it } from "vitest";

const mebibyte = 1024 * 1024;
/** All of a gibibyte with `npm run long`. */
const largeBytes = (process.env["SYLA_LONG_RUNS"] === undefined ? 160 : 1024) * mebibyte;
/** So much more may a server hold while files go through it, whatever their size. */
const mostGrowth = 120 * mebibyte;

const directory = createTemporaryDirectory();
let server: ServerProcess;
let url: string;

beforeAll(async () => {
  await prepareCluster(directory.path);
  server = spawnServer(directory.path, { SYLA_LOG_LEVEL: "warn", SYLA_RATE_LIMIT: "0" });
  url = await server.ready();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const call = async (method: string, path: string, body?: NonNullable<RequestInit["body"]>, more: Readonly<Record<string, string>> = {}) =>
  await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${readFileSync(join(directory.path, "cli.key"), "utf8").trim()}`, ...more },
    ...(body === undefined ? {} : { body, duplex: "half" }),
  });
const send = async (method: string, path: string, body: object = {}, more: Readonly<Record<string, string>> = {}) =>
  await call(method, path, JSON.stringify(body), { "content-type": "application/json", ...more });
const bytesOf = { "content-type": "application/octet-stream" };

async function made<T>(answer: Promise<Response>): Promise<T> {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** The most memory that the server has held so far, bytes. */
const peak = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.child.pid}/status`, "utf8"))?.[1]) * 1024;

/** So many bytes of which no two mebibytes are the same, never all at once, and their hash when they have all been taken. */
function createContent(size: number) {
  const seed = randomBytes(mebibyte);
  const digest = createHash("sha256");
  let left = size;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = Buffer.from(seed.subarray(0, Math.min(left, mebibyte)));
      chunk.writeDoubleLE(left, 0);
      left -= chunk.length;
      digest.update(chunk);
      controller.enqueue(chunk);
    },
  });
  return { stream, sha256: () => digest.digest("hex") };
}

async function hashOf(answer: Response): Promise<{ size: number; sha256: string }> {
  const digest = createHash("sha256");
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    const bytes = chunk as Uint8Array;
    digest.update(bytes);
    size += bytes.length;
  }
  return { size, sha256: digest.digest("hex") };
}

it("a file larger than a workspace holds goes up as it is, is refused by the workspace, and takes no memory", async () => {
  const { id, revision, tree } = await made<Workspace>(
    send("POST", "/workspaces", { name: "Large", files: [{ path: "a.txt", content: "a" }] }),
  );
  const before = peak();
  const { stream, sha256 } = createContent(largeBytes);
  const stored = await made<{ sha256: string; size: number }>(call("POST", "/blobs", stream, bytesOf));
  expect(stored).toEqual({ sha256: sha256(), size: largeBytes });
  const changes = [{ op: "write", file: { path: "large.bin", blob: stored.sha256 } }];
  const refused = await send("POST", `/workspaces/${id}/files`, { changes }, { "if-match": "*" });
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([413, "payload_too_large"]);
  expect(await made<Workspace>(call("GET", `/workspaces/${id}`))).toMatchObject({ revision, tree });
  expect(peak() - before).toBeLessThan(mostGrowth);
}, 600_000);

it("the largest file of a workspace goes up and down byte by byte", async () => {
  const { id } = await made<Workspace>(send("POST", "/workspaces", { name: "Full" }));
  const before = peak();
  const size = 100 * mebibyte;
  const { stream } = createContent(size);
  const stored = await made<{ sha256: string }>(call("POST", "/blobs", stream, bytesOf));
  const changes = [{ op: "write", file: { path: "largest.bin", blob: stored.sha256 } }];
  await made(send("POST", `/workspaces/${id}/files`, { changes }, { "if-match": "*" }));
  expect(await hashOf(await call("GET", `/workspaces/${id}/file?path=largest.bin`))).toEqual({ size, sha256: stored.sha256 });
  const part = await call("GET", `/workspaces/${id}/file?path=largest.bin`, undefined, { range: `bytes=${size - 10}-` });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
  const one = [{ op: "write", file: { path: "one-more.txt", content: "x" } }];
  expect((await send("POST", `/workspaces/${id}/files`, { changes: one }, { "if-match": "*" })).status).toBe(413);
  expect(peak() - before).toBeLessThan(mostGrowth);
}, 600_000);

it("a large file goes into a sandbox of a workspace and comes back byte by byte, and stays out of the workspace", async () => {
  const workspace = await made<Workspace>(send("POST", "/workspaces", { name: "Worked in", files: [{ path: "a.txt", content: "a" }] }));
  const sandbox = await made<Sandbox>(send("POST", "/sandboxes", { workspaceId: workspace.id }));
  const before = peak();
  const { stream, sha256 } = createContent(largeBytes);
  const file = `/sandboxes/${sandbox.id}/file/content?path=/workspace/large.bin`;
  await made(call("POST", file, stream, bytesOf));
  expect(await hashOf(await call("GET", file))).toEqual({ size: largeBytes, sha256: sha256() });
  expect(peak() - before).toBeLessThan(mostGrowth);
  const saved = await made<Sandbox>(send("POST", `/sandboxes/${sandbox.id}/save`));
  expect(JSON.stringify(saved)).toContain("payload_too_large");
  const files = await made<{ items: { path: string; sha256: string }[] }>(call("GET", `/workspaces/${workspace.id}/files`));
  expect(files.items.map(({ path, sha256: content }) => [path, content])).toEqual([["a.txt", hash("sha256", "a", "hex")]]);
  expect((await call("DELETE", `/sandboxes/${sandbox.id}`)).status).toBeLessThan(300);
}, 1_200_000);
