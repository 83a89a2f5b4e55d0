import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Asset, type AssetDiff } from "@syla/contracts/assets";
import { Import, ImportEvent, type Template } from "@syla/contracts/imports";
import type { Run } from "@syla/contracts/runs";
import { createPerson, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";

let server: TestServer;
let outside: Server;
let pageUrl: string;
beforeAll(async () => {
  outside = createServer((_request, response) => response.end('<title>A page</title><a href="next">n</a>')).listen(0, "127.0.0.2");
  await once(outside, "listening");
  pageUrl = `http://127.0.0.2:${(outside.address() as AddressInfo).port}/`;
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: new URL(pageUrl).host });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  outside.close();
});

const begin = (source: unknown, more: object = {}, headers: Record<string, string> = {}) =>
  server.send("POST", "/api/v1/imports", { source, ...more }, headers);
const read = async (id: string) => Import.parse(await (await server.fetch(`/api/v1/imports/${id}`)).json());
const answerOf = async <T>(response: Promise<Response>) => (await (await response).json()) as T;
const problem = async (response: Response) => (await response.json()) as { code: string; message: string; fields?: { path: string }[] };

/** Begins an import and waits until it is somewhere. */
async function reach(source: unknown, state: Import["state"] = "review", more: object = {}): Promise<Import> {
  const response = await begin(source, more);
  expect(response.status).toBe(202);
  return await settle(((await response.json()) as Import).id, state);
}

async function settle(id: string, state: Import["state"]): Promise<Import> {
  let found = await read(id);
  for (; found.state === "fetching" || found.state === "analysing" || found.state === "creating"; found = await read(id)) await sleep(20);
  expect(found).toMatchObject({ state });
  return found;
}

async function confirm(id: string, body: object = {}): Promise<Asset> {
  const response = await server.send("POST", `/api/v1/imports/${id}/confirm`, body);
  expect(response.status).toBe(201);
  return Asset.parse(await response.json());
}

const filesOf = async (id: string) =>
  ((await (await server.fetch(`/api/v1/programs/${id}/files`)).json()) as { items: { path: string }[] }).items.map((file) => file.path);
const code = (path: string, content = "print(1)") => ({ path, content });

async function upload(files: Readonly<Record<string, string>>): Promise<string> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  const bytes = await buffer(zip.outputStream);
  const response = await server.fetch("/api/v1/blobs", {
    method: "POST",
    body: new Uint8Array(bytes),
    headers: { "content-type": "application/octet-stream" },
  });
  return ((await response.json()) as { sha256: string }).sha256;
}

describe("an import", () => {
  it("of a folder is looked at, shown, and made as it was confirmed", async () => {
    const files = [
      code("app/main.py", "import requests\nprint('made')"),
      code("app/requirements.txt", "requests>=2\n"),
      code("app/.env", "KEY=secret"),
      code("app/node_modules/x.js"),
    ];
    const found = await reach({ kind: "files", files });
    expect(found).toMatchObject({
      source: { kind: "files" },
      progress: { files: 3 },
      suggestion: {
        name: "app",
        runtime: "python",
        entrypoint: "main.py",
        leaveOut: [".env"],
        dependencies: { source: "requirements", packages: [{ name: "requests", constraint: ">=2" }] },
      },
      secrets: [{ path: ".env" }],
      error: null,
    });
    expect(found.problems).toContainEqual(expect.objectContaining({ code: "left_out", path: "app/node_modules" }));
    const list = (await (await server.fetch(`/api/v1/imports/${found.id}/files`)).json()) as { items: unknown[] };
    expect(list.items).toHaveLength(3);
    const asset = await confirm(found.id, { name: "My app", version: "1.0.0" });
    expect(asset).toMatchObject({
      name: "My app",
      version: "1.0.0",
      type: "program",
      importSource: { kind: "upload", importId: found.id },
      config: { entrypoint: "main.py" },
    });
    expect(await filesOf(asset.id)).toEqual(["main.py", "requirements.txt"]);
    expect(await read(found.id)).toMatchObject({ state: "created", assetId: asset.id });
    const again = await server.send("POST", `/api/v1/imports/${found.id}/confirm`, {});
    expect([again.status, (await problem(again)).code]).toEqual([409, "import_state"]);
  });

  it("takes the version of Python that its files ask for, and tells when there is none", async () => {
    const { items } = await answerOf<{ items: { name: string; version: string }[] }>(server.fetch("/api/v1/runtimes"));
    const version = items.find(({ name }) => name === "python")?.version ?? "";
    const minor = version.split(".").slice(0, 2).join(".");
    const project = (asked: string) => code("pyproject.toml", `[project]\nname = "p"\nversion = "1"\nrequires-python = "${asked}"\n`);
    const open = await reach({ kind: "files", files: [code("main.py"), project(">=3.6")] });
    expect(open.suggestion).toMatchObject({
      runtimeVersion: null,
      versionWishes: [
        { constraint: ">=3.6", file: "pyproject.toml", line: 4, found: version, installed: expect.arrayContaining([version]) as string[] },
      ],
    });
    const pinned = await reach({
      kind: "files",
      files: [code("main.py"), code(".python-version", `${minor}\n`), code("other/.python-version", "2.7")],
    });
    expect(pinned.suggestion).toMatchObject({
      runtimeVersion: minor,
      versionWishes: [{ constraint: `==${minor}`, file: ".python-version" }],
    });
    expect((await confirm(pinned.id, { name: "Pinned" })).config).toMatchObject({ runtime: "python", runtimeVersion: minor });
    const newer = await reach({ kind: "files", files: [code("main.py"), project(">=3.99")] });
    expect(newer.suggestion).toMatchObject({
      runtimeVersion: null,
      versionWishes: [{ found: null, install: "syla runtimes install python@3.99" }],
    });
    expect((await confirm(newer.id, { name: "Newer" })).config).toMatchObject({ runtimeVersion: null });
  });

  it("of an archive takes a folder of it, and what looks secret when it is wanted", async () => {
    const blob = await upload({ "top/a/run.py": "print('a')", "top/a/secrets.json": "{}", "top/b/other.py": "print('b')" });
    const found = await reach({ kind: "archive", blob, name: "thing.zip" });
    expect(found.suggestion).toMatchObject({ name: "thing", leaveOut: ["a/secrets.json"] });
    const asset = await confirm(found.id, { path: "a", entrypoint: "run.py", leaveOut: [] });
    expect(asset).toMatchObject({ name: "thing", importSource: { kind: "archive", url: "thing.zip" } });
    expect(await filesOf(asset.id)).toEqual(["run.py", "secrets.json"]);
  });

  it("that cannot be confirmed as asked stays to be confirmed otherwise", async () => {
    const found = await reach({ kind: "files", files: [code("x.py"), code("data.txt", "d")] });
    const attempts: [object, number, string][] = [
      [{ entrypoint: "none.py" }, 400, "entrypoint_missing"],
      [{ leaveOut: ["x.py", "data.txt"] }, 400, "entrypoint_missing"],
      [{ path: "nowhere" }, 400, "entrypoint_missing"],
      [{ runtime: "cobol" }, 400, "unknown_language"],
      [{ name: "\u0007" }, 400, "invalid_request"],
      [{ ownerId: "team_none" }, 404, "not_found"],
    ];
    for (const [body, status, expected] of attempts) {
      const response = await server.send("POST", `/api/v1/imports/${found.id}/confirm`, body);
      expect([response.status, (await problem(response)).code]).toEqual([status, expected]);
      expect((await read(found.id)).state).toBe("review");
    }
    const both = await Promise.all([1, 2].map(() => server.send("POST", `/api/v1/imports/${found.id}/confirm`, { name: "Twice" })));
    expect(both.map((response) => response.status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it("into a program shows what changes, and replaces its files", async () => {
    const first = await confirm(
      (await reach({ kind: "files", files: [code("main.py", "print('old')"), code("gone.txt", "g"), code("same.txt", "s")] })).id,
      { name: "Again" },
    );
    const dependencies = { source: "manual", packages: [{ name: "requests", constraint: ">=2" }] };
    const changed = await server.fetch(`/api/v1/assets/${first.id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", "if-match": "*" },
      body: JSON.stringify({ config: { ...first.config, dependencies } }),
    });
    expect(changed.status).toBe(200);
    const files = [code("main.py", "print('new')"), code("same.txt", "s"), code("fresh.txt", "f")];
    const found = await reach({ kind: "files", files }, "review", { assetId: first.id });
    expect(found.diff).toEqual({ added: ["fresh.txt"], removed: ["gone.txt"], changed: ["main.py"] });
    const lines = await answerOf<Pick<AssetDiff, "files" | "omitted">>(server.fetch(`/api/v1/imports/${found.id}/diff`));
    expect(lines.files.map(({ path, status }) => [path, status])).toEqual([
      ["fresh.txt", "added"],
      ["gone.txt", "removed"],
      ["main.py", "changed"],
    ]);
    expect(lines.files[2]?.hunks?.[0]?.lines.some((line) => line.startsWith("+"))).toBe(true);
    const second = await confirm(found.id, { version: "2.0.0" });
    expect(second).toMatchObject({ id: first.id, name: "Again", version: "2.0.0", config: { dependencies } });
    expect(await filesOf(first.id)).toEqual(["fresh.txt", "main.py", "same.txt"]);
    expect((await begin({ kind: "files", files }, { assetId: "prog_none" })).status).toBe(404);
  });

  it("into a program that was changed meanwhile is refused, shows what it changes now, and replaces that when it is confirmed again", async () => {
    const first = await confirm((await reach({ kind: "files", files: [code("main.py", "print('old')")] })).id, { name: "Edited" });
    const into = { assetId: first.id };
    const found = await reach({ kind: "files", files: [code("main.py", "print('new')")] }, "review", into);
    const other = await reach({ kind: "files", files: [code("main.py", "print('other')")] }, "review", into);
    const edited = await server.send(
      "POST",
      `/api/v1/programs/${first.id}/files`,
      { changes: [{ op: "write", file: code("important.py") }] },
      { "if-match": "*" },
    );
    expect(edited.status).toBe(200);
    const refused = await server.send("POST", `/api/v1/imports/${found.id}/confirm`, { version: "1.0.0" });
    expect([refused.status, await problem(refused)]).toMatchObject([
      412,
      { code: "revision_conflict", detail: expect.stringContaining("Nothing was replaced") as string },
    ]);
    expect(await filesOf(first.id)).toEqual(["important.py", "main.py"]);
    expect(await read(found.id)).toMatchObject({ state: "review", diff: { added: [], removed: ["important.py"], changed: ["main.py"] } });
    expect(await confirm(found.id, { version: "1.0.0" })).toMatchObject({ id: first.id, version: "1.0.0" });
    expect(await filesOf(first.id)).toEqual(["main.py"]);
    // The second of two imports was held against what was there before the first one.
    const late = await server.send("POST", `/api/v1/imports/${other.id}/confirm`, {});
    expect([late.status, (await problem(late)).code]).toEqual([412, "revision_conflict"]);
    const third = await reach({ kind: "files", files: [code("main.py", "print('third')")] }, "review", into);
    const both = await Promise.all([other, third].map(({ id }) => server.send("POST", `/api/v1/imports/${id}/confirm`, {})));
    expect(both.map((response) => response.status).toSorted((a, b) => a - b)).toEqual([201, 412]);
  });

  it("whose version is taken changes nothing, and is published as another one", async () => {
    const first = await confirm((await reach({ kind: "files", files: [code("main.py", "print('old')")] })).id, {
      name: "Numbered",
      version: "1.0.0",
    });
    const found = await reach({ kind: "files", files: [code("main.py", "print('new')"), code("more.py")] }, "review", {
      assetId: first.id,
    });
    const taken = await server.send("POST", `/api/v1/imports/${found.id}/confirm`, { version: "1.0.0" });
    expect([taken.status, (await problem(taken)).code]).toEqual([409, "version_taken"]);
    expect(await read(found.id)).toMatchObject({ state: "review", diff: { added: ["more.py"], changed: ["main.py"] } });
    expect(await answerOf(server.fetch(`/api/v1/assets/${first.id}`))).toMatchObject({ revision: first.revision, tree: first.tree });
    expect(await confirm(found.id, { version: "1.0.1" })).toMatchObject({ id: first.id, version: "1.0.1" });
    const { items } = await answerOf<{ items: { version: string }[] }>(server.fetch(`/api/v1/assets/${first.id}/versions`));
    expect(items.map(({ version }) => version)).toEqual(["1.0.1", "1.0.0"]);
  });

  it("is narrowed to a folder of it, looked at anew, and made of that alone", async () => {
    const blob = await upload({
      "README.md": "two programs",
      "one/main.py": "import os\nprint(os.environ['ONE'])",
      "two/tool.py": "x = (",
      "two/requirements.txt": "requests>=2\n",
      "two/.env": "KEY=secret",
    });
    const found = await reach({ kind: "archive", blob, name: "both.zip" });
    const folders = await answerOf<{ items: object[] }>(server.fetch(`/api/v1/imports/${found.id}/folders`));
    expect(folders.items).toMatchObject([
      { path: "", files: 5, marks: [] },
      { path: "one", files: 1, marks: ["main.py"] },
      { path: "two", files: 3, marks: ["requirements.txt"] },
    ]);
    const choose = (path: string | null) => server.send("POST", `/api/v1/imports/${found.id}/folder`, { path });
    const refused = await choose("three");
    expect([refused.status, (await problem(refused)).code]).toEqual([404, "file_not_found"]);
    expect(await read(found.id)).toMatchObject({ state: "review", folder: null });
    expect((await choose("/two/")).status).toBe(202);
    const two = await settle(found.id, "review");
    expect(two).toMatchObject({
      folder: "two",
      progress: { files: 3 },
      suggestion: { name: "two", entrypoint: "tool.py", leaveOut: [".env"], dependencies: { file: "requirements.txt" } },
    });
    // What is wrong is told with its place, once, however often it is looked at.
    const syntax = { severity: "warning", code: "syntax_error", path: "tool.py", line: 1, column: 5 };
    expect(two.problems.filter(({ code: name }) => name === "syntax_error")).toMatchObject([syntax]);
    expect(await answerOf(server.fetch(`/api/v1/imports/${found.id}/analysis`))).toMatchObject({ dependencies: [{ name: "requests" }] });
    await choose(null);
    expect(await settle(found.id, "review")).toMatchObject({
      folder: null,
      progress: { files: 5 },
      suggestion: { entrypoint: "one/main.py" },
    });
    await choose("one");
    await settle(found.id, "review");
    const asset = await confirm(found.id, { name: "Only one" });
    expect(asset).toMatchObject({ config: { entrypoint: "main.py" }, importSource: { kind: "archive", path: "one" } });
    expect(await filesOf(asset.id)).toEqual(["main.py"]);
    // The analysis is that of the import: nothing is read a second time.
    expect(await answerOf(server.fetch(`/api/v1/programs/${asset.id}/analysis`))).toMatchObject({
      state: "done",
      analysis: { variables: [{ name: "ONE", required: true }] },
    });
    expect((await choose("two")).status).toBe(409);
  });

  it("is followed live to where somebody has to look at it, from wherever one comes back", async () => {
    const begun = await answerOf<Import>(begin({ kind: "files", files: [code("main.py", "print('followed')")] }));
    const follow = async (last?: number): Promise<ImportEvent[]> => {
      const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": String(last) };
      const text = await (await server.fetch(`/api/v1/imports/${begun.id}/events`, { headers })).text();
      return text.split("\n").flatMap((line) => (line.startsWith("data: ") ? [ImportEvent.parse(JSON.parse(line.slice(6)))] : []));
    };
    const events = await follow();
    expect(events.map(({ seq }) => seq)).toEqual([...new Set(events.map(({ seq }) => seq))].toSorted((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ type: "end", import: { id: begun.id, state: "review", suggestion: { entrypoint: "main.py" } } });
    expect(events.slice(0, -1).map(({ type }) => type)).not.toContain("end");
    expect(await follow(events.at(-1)?.seq)).toMatchObject([{ type: "end", import: { state: "review" } }]);
    expect(await follow(1_000_000)).toMatchObject([{ type: "end" }]);
    const stranger = await server.send("GET", `/api/v1/imports/${begun.id}/events`, undefined, await createPerson(server));
    expect(stranger.status).toBe(404);
  });

  it("of a program makes another of its own", async () => {
    const original = await confirm((await reach({ kind: "files", files: [code("main.py")] })).id, { name: "Original" });
    const found = await reach({ kind: "clone", assetId: original.id });
    const copy = await confirm(found.id, { name: "Copy" });
    expect(copy).toMatchObject({ clonedFrom: { id: original.id }, tree: { sha256: original.tree?.sha256 } });
  });

  it.each<[string, unknown, number, string]>([
    ["nothing", { kind: "files", files: [] }, 400, "invalid_request"],
    ["files that may not be", { kind: "files", files: [code("../up"), code("/abs")] }, 400, "import_empty"],
    ["what was not uploaded", { kind: "archive", blob: "0".repeat(64) }, 400, "blob_unknown"],
    ["a template that is none", { kind: "template", template: "../hello" }, 404, "template_unknown"],
    ["a program that is none", { kind: "clone", assetId: "prog_none" }, 404, "not_found"],
    ["no source", { kind: "ftp", url: "ftp://x" }, 400, "invalid_request"],
  ])("of %s is refused", async (_what, source, status, expected) => {
    const response = await begin(source);
    expect([response.status, (await problem(response)).code]).toEqual([status, expected]);
  });

  it("of an archive that has nothing in it fails with that", async () => {
    const found = await reach({ kind: "archive", blob: await upload({}) }, "failed");
    expect(found.error).toMatchObject({ code: "import_empty", hint: expect.stringContaining("encrypted") as string });
  });

  it("of something broken fails with the reason", async () => {
    const blob = (
      (await (
        await server.fetch("/api/v1/blobs", { method: "POST", body: "no archive", headers: { "content-type": "application/octet-stream" } })
      ).json()) as { sha256: string }
    ).sha256;
    expect((await reach({ kind: "archive", blob }, "failed")).error).toMatchObject({
      code: "archive_unknown",
      hint: expect.stringContaining(".zip") as string,
    });
  });

  it("is one of three at once, however many begin together", async () => {
    const person = await createPerson(server, "developer");
    const begun = await Promise.all(Array.from({ length: 12 }, () => begin({ kind: "files", files: [code("main.py")] }, {}, person)));
    const codes = await Promise.all(begun.map(async (answer) => (answer.status === 202 ? "begun" : (await problem(answer)).code)));
    expect(codes.toSorted()).toEqual([...Array.from({ length: 3 }, () => "begun"), ...Array.from({ length: 9 }, () => "too_many_imports")]);
  });

  it("is seen by its owner alone, given up, and expires", async () => {
    const other = await createPerson(server, "admin");
    const found = await reach({ kind: "files", files: [code("main.py")] });
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/files"],
      ["POST", "/cancel"],
      ["POST", "/confirm"],
    ] as const)
      expect(
        (await server.send(method, `/api/v1/imports/${found.id}${path}`, method === "POST" && path === "/confirm" ? {} : undefined, other))
          .status,
      ).toBe(404);
    expect(((await (await server.send("GET", "/api/v1/imports", undefined, other)).json()) as { items: unknown[] }).items).toEqual([]);
    const cancelled = await server.send("POST", `/api/v1/imports/${found.id}/cancel`);
    expect(((await cancelled.json()) as Import).state).toBe("cancelled");
    expect((await server.send("POST", `/api/v1/imports/${found.id}/cancel`)).status).toBe(409);
    const late = await reach({ kind: "files", files: [code("main.py")] });
    await sql`update imports set expires_at = now() - interval '1 second' where id = ${late.id}`.execute(server.context.database.queries);
    const { expireImports } = await import("../../src/imports/store.ts");
    await expireImports(server.context.database.queries, 30);
    expect((await read(late.id)).state).toBe("expired");
    expect((await server.send("POST", `/api/v1/imports/${late.id}/confirm`, {})).status).toBe(409);
    const page = (await (await server.fetch("/api/v1/imports?limit=1&state=expired")).json()) as { items: Import[] };
    expect(page.items.map((item) => item.id)).toEqual([late.id]);
  });
});

describe("templates", () => {
  /** Those with packages of an index are run in gateway/mellea.test.ts. */
  const withPackages = ["agent", "data-analysis", "generative-slot", "instruct-validate-repair"];
  const all = ["batch", "go", "hello", "node", "web-scraper"];
  const printed: Readonly<Record<string, unknown>> = {
    batch: "2 rows done, 1 failed\n",
    go: "the numbers to 1000 make 500500\n",
    hello: "Hello, world!\n",
    node: expect.stringMatching(/^the\t3\n/),
  };

  it("are listed, with what they are and whether they need a model", async () => {
    const { items: every } = (await (await server.fetch("/api/v1/templates")).json()) as { items: Template[] };
    const items = every.filter(({ type }) => type === "program");
    expect(items.map((item) => item.id)).toEqual([...all, ...withPackages].toSorted());
    for (const { files, readme } of items) {
      expect(files.length).toBeGreaterThan(1);
      expect(readme).toMatch(/^# \S/);
    }
    const withModel = items.filter(({ needsModel }) => needsModel).map(({ id }) => id);
    expect(withModel).toEqual(["agent", "generative-slot", "instruct-validate-repair"]);
  });

  // Go compiles its library first.
  it.for(Object.keys(printed))("are programs that run as they are made: %s", { timeout: 240_000 }, async (id, { skip }) => {
    const asset = await confirm((await reach({ kind: "template", template: id })).id);
    const config = asset.config as { runtime: string };
    const runtime = server.context.runtimes.list().find(({ name }) => name === config.runtime);
    // Where everything is installed this one is missed, and fails.
    skip(runtime?.available !== true, `not installed: ${runtime?.install}`);
    const begun = await answerOf<Run>(server.send("POST", "/api/v1/runs", { programId: asset.id }));
    expect(await waitForRun(server, begun.id)).toMatchObject({ status: "succeeded", error: null, stdout: printed[id] });
  });

  it("that scrape reach what their allow list names, and the page only once it is there", async () => {
    const asset = await confirm((await reach({ kind: "template", template: "web-scraper" })).id, { name: "Scraper" });
    const scrape = async () => await answerOf<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: asset.id, args: [pageUrl] }));
    expect(asset.config).toMatchObject({ network: { allow: ["example.org"] } });
    expect(await scrape()).toMatchObject({ status: "failed" });
    const changes = { config: { ...asset.config, network: { allow: [new URL(pageUrl).host] } } };
    expect((await server.send("PATCH", `/api/v1/assets/${asset.id}`, changes, { "if-match": "*" })).status).toBe(200);
    expect(await scrape()).toMatchObject({ status: "succeeded", stdout: `A page\n${pageUrl}next\n` });
  });

  it("for rows work through those of a dataset", async () => {
    const asset = await confirm((await reach({ kind: "template", template: "batch" })).id, { name: "Batch of rows" });
    const rows = await server.fetch("/api/v1/datasets?name=Letters&format=csv", {
      method: "POST",
      body: "id,text\n1,one two\n2,three\n",
      headers: { "content-type": "application/octet-stream" },
    });
    const { id } = (await rows.json()) as { id: string };
    const input = { programId: asset.id, datasets: [{ id }] };
    const run = await answerOf<Run>(server.send("POST", "/api/v1/runs?wait=true", input));
    expect(run).toMatchObject({ status: "succeeded", stdout: "2 rows done, 0 failed\n" });
    const artifacts = await answerOf<{ items: { path: string }[] }>(server.fetch(`/api/v1/runs/${run.id}/artifacts`));
    expect(artifacts.items.map(({ path }) => path).toSorted()).toEqual(["failures.jsonl", "results.jsonl"]);
  });
});
