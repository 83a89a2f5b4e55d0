import { readdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Problem } from "@syla/contracts/problem";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const python = (code: string) => ({ language: "python", code });

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  return (await response.json()) as Problem;
}

async function refuse(body: unknown, path = "/api/v1/executions?wait=true"): Promise<Problem> {
  return await problemOf(await server.send("POST", path, body));
}

describe("a submission that cannot be run", () => {
  it("names the languages that there are, and the one that was probably meant", async () => {
    const problem = await refuse({ language: "pyhton", code: "print(1)" });
    expect(problem).toMatchObject({ status: 400, code: "unknown_language", fields: [{ path: "language" }] });
    expect(problem.details).toEqual({ known: expect.arrayContaining(["python", "node", "bash"]) as string[], didYouMean: "python" });
    expect(problem.detail).toMatch(/"pyhton".*python.*Did you mean python\?/);
    for (const name of ["__proto__", "constructor", "\0", "x".repeat(64)])
      expect((await refuse({ language: name, code: "x" })).code).toBe("unknown_language");
  });

  it("says when the language cannot be guessed", async () => {
    for (const file of [
      { path: "main", content: "print(1)" },
      { path: "main.xyz", content: "#!/usr/bin/cobol" },
      { path: "main.py.txt", content: "" },
    ])
      expect(await refuse({ files: [file] })).toMatchObject({ code: "unknown_language", hint: "Name it with `language`." });
    expect(await refuse({ code: "print(1)" })).toMatchObject({ code: "invalid_request", fields: [{ path: "language" }] });
  });

  it.each([{}, { language: "python" }, python(""), python(" \n\t"), { language: "python", files: [] }])("has no code: %j", async (body) => {
    expect(await refuse(body)).toMatchObject({ status: 400, code: "empty_code" });
  });

  it.each([
    [{ files: [{ path: "a.py", content: "" }], entrypoint: "b.py" }, /"b.py" is not among/],
    [{ language: "python", files: ["a.py", "b.py"].map((path) => ({ path, content: "" })) }, /"main.py" is not among/],
    [{ files: ["a.py", "b.py"].map((path) => ({ path, content: "" })) }, /several files and no entrypoint/],
  ])("has no entrypoint: %j", async (body, detail) => {
    const problem = await refuse(body);
    expect(problem).toMatchObject({ status: 400, code: "entrypoint_missing", fields: [{ path: "entrypoint" }] });
    expect(problem.detail).toMatch(detail);
    expect(problem.details["files"]).toContain("a.py");
  });

  it.each([
    "../x.py",
    "/etc/x.py",
    "a/../../x.py",
    "a//x.py",
    "a\0.py",
    "x.py\0",
    ".",
    "\u{d800}.py",
    `${"x".repeat(256)}.py`,
    "a/".repeat(20) + "x.py",
  ])("has a bad path: %j", async (path) => {
    expect(await refuse({ language: "python", files: [{ path, content: "print(1)" }] })).toMatchObject({
      status: 400,
      code: "invalid_path",
      fields: [{ path: "files.0.path" }],
    });
    expect(await refuse({ ...python("print(1)"), entrypoint: path })).toMatchObject({ code: "invalid_path" });
  });

  it("has a path twice, or a file that is also a folder", async () => {
    const file = (path: string) => ({ path, content: "" });
    expect(await refuse({ files: [file("a.py"), file("a.py")], entrypoint: "a.py" })).toMatchObject({ code: "invalid_path" });
    expect(await refuse({ files: [file("a.py"), file("a.py/b")], entrypoint: "a.py" })).toMatchObject({ code: "invalid_path" });
    expect(await refuse({ ...python("1"), files: [file("main.py")] })).toMatchObject({ code: "invalid_path" });
  });

  it("refers to content that is not there", async () => {
    const blob = "0".repeat(64);
    expect(await refuse({ files: [{ path: "a.py", blob }] })).toMatchObject({
      status: 400,
      code: "blob_unknown",
      fields: [{ path: "files.0.blob" }],
    });
    expect(await refuse({ files: [{ path: "a.py", blob: "../../secret" }] })).toMatchObject({ code: "invalid_request" });
  });

  it.each<[string, object, string]>([
    ["an unknown field", { ...python("1"), colour: "red" }, "colour"],
    ["an unknown field of a file", { files: [{ path: "a.py", content: "", mode: 511 }] }, "files.0.mode"],
    ["an unknown limit", { ...python("1"), limits: { ram: 1 } }, "limits.ram"],
    ["a limit out of range", { ...python("1"), limits: { wallMs: 1 } }, "limits.wallMs"],
    ["a limit above the maximum", { ...python("1"), limits: { memoryBytes: 2 ** 50 } }, "limits.memoryBytes"],
    ["a limit that is no number", { ...python("1"), limits: { cpus: "2" } }, "limits.cpus"],
    ["a wrong base64", { files: [{ path: "a.py", contentBase64: "%%%" }] }, "files.0.contentBase64"],
    ["NUL in an argument", { ...python("1"), args: ["ok", "a\0b"] }, "args.1"],
    ["NUL in a variable", { ...python("1"), env: { A: "a\0b" } }, "env.A"],
    ["a variable's name", { ...python("1"), env: { "A=B": "x" } }, "env.A=B"],
    ["half a character in an argument", { ...python("1"), args: ["\u{d800}"] }, "args.0"],
    ["half a character in a variable", { ...python("1"), env: { A: "\u{dfff}" } }, "env.A"],
    ["half a character in the code", python("'\u{d800}'"), "code"],
    ["half a character in a file", { files: [{ path: "a.py", content: "\u{d800}" }] }, "files.0.content"],
    ["half a character in stdin", { ...python("1"), stdin: "\u{d800}" }, "stdin"],
    ["an argument that no program can be given", { ...python("1"), args: ["é".repeat(65_536)] }, "args.0"],
    ["more arguments than a program can be given", { ...python("1"), args: Array(20).fill("x".repeat(100_000)) }, "args"],
    ["both kinds of stdin", { ...python("1"), stdin: "a", stdinBase64: "YQ==" }, "stdinBase64"],
    ["a priority", { ...python("1"), priority: 10 }, "priority"],
    ["a network that there is not", { ...python("1"), network: "some" }, "network"],
  ])("has %s that is not allowed", async (_what, body, path) => {
    const problem = await refuse(body);
    expect([problem.status, problem.code]).toEqual([400, "invalid_request"]);
    expect(problem.fields.map((field) => field.path)).toContain(path);
    expect(problem.hint).not.toBe("");
  });

  it("asks for a tier that this server does not have", async () => {
    expect(await refuse({ ...python("1"), tier: "kubernetes" })).toMatchObject({ status: 400, code: "tier_unavailable" });
    expect(await refuse({ ...python("1"), tier: "magic" })).toMatchObject({ code: "invalid_request" });
  });

  it("is not JSON, or not UTF-8", async () => {
    const post = (body: string | Uint8Array<ArrayBuffer>) =>
      server.fetch("/api/v1/executions", { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(await problemOf(await post('{"language":'))).toMatchObject({ status: 400, code: "invalid_request" });
    expect(await problemOf(await post(new Uint8Array([0x22, 0xff, 0x22])))).toMatchObject({ code: "invalid_request" });
    expect(await problemOf(await post("[]"))).toMatchObject({ code: "invalid_request" });
    expect(await problemOf(await server.send("POST", "/api/v1/executions?wait=maybe", python("1")))).toMatchObject({
      fields: [{ path: "query.wait" }],
    });
  });

  it("comes from nobody", async () => {
    expect(await problemOf(await server.send("POST", "/api/v1/executions", python("1"), { authorization: "" }))).toMatchObject({
      code: "unauthenticated",
    });
  });
});

describe("what was refused", () => {
  it("left no run behind", async () => {
    const { items } = (await (await server.fetch("/api/v1/runs")).json()) as { items: unknown[] };
    expect(items).toEqual([]);
  });
});

describe("what is not there", () => {
  it.each(["run_none", "%00", "run_%00", "..%2f..", "x".repeat(64), "%F0%9F%99%82"])("is not found: %s", async (id) => {
    for (const path of ["", "/events", "/log", "/artifacts", "/artifacts/art_x", "/file?path=a", "/stdin"])
      expect([path, (await server.fetch(`/api/v1/runs/${id}${path}`)).status]).toEqual([path, 404]);
    for (const action of ["cancel", "rerun"]) expect((await server.send("POST", `/api/v1/runs/${id}/${action}`)).status).toBe(404);
  });

  it("is not found within a run either", async () => {
    const run = await execute(server, python("1"), await createPerson(server));
    for (const path of ["/artifacts/art_none", "/artifacts/%00", "/file?path=%00", "/file?path=nope"])
      expect([path, (await server.fetch(`/api/v1/runs/${run.id}${path}`)).status]).toEqual([path, 404]);
    for (const path of ["/file", "/log?stream=stdin", "/log?format=xml"])
      expect([path, (await server.fetch(`/api/v1/runs/${run.id}${path}`)).status]).toEqual([path, 400]);
    for (const id of ["-1", "x", "1.5", "9".repeat(16)])
      expect((await server.fetch(`/api/v1/runs/${run.id}/events`, { headers: { "last-event-id": id } })).status).toBe(400);
  });
});

describe("an upload that is refused", () => {
  it("says so, keeps nothing, and leaves the connection usable", async () => {
    await using small = await startTestServer({ SYLA_UPLOAD_LIMIT: "100000" });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (method: string, path: string, body?: Buffer): Promise<{ status: number | undefined; text: string }> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${small.localKey}` };
        const sent = request(small.url + path, { agent, method, headers }, (response) => {
          void text(response).then((answer) => resolve({ status: response.statusCode, text: answer }), reject);
        });
        sent.on("error", reject).end(body);
      });
    for (let round = 0; round < 3; round++) {
      const refused = await send("POST", "/api/v1/blobs", Buffer.alloc(5_000_000, round));
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([413, { code: "payload_too_large" }]);
      expect((await send("GET", "/api/v1/runs")).status).toBe(200);
      expect((await send("POST", "/api/v1/blobs", Buffer.alloc(100_000, round))).status).toBe(201);
    }
    expect(readdirSync(join(small.dataDir, "blobs/incoming"))).toEqual([]);
    agent.destroy();
  });
});
