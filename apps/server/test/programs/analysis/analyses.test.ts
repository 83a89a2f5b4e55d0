import { Readable } from "node:stream";
import { Analysis } from "@syla/contracts/analysis";
import type { Asset } from "@syla/contracts/assets";
import type { ProgramAnalysis } from "@syla/contracts/program-analysis";
import type { FileInput, Run } from "@syla/contracts/runs";
import { createPerson, execute, getRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string | Buffer>>;

function toInputs(files: Files): FileInput[] {
  return Object.entries(files).map(([path, content]) =>
    typeof content === "string" ? { path, content } : { path, contentBase64: content.toString("base64") },
  );
}

const post = (files: Files, headers: Record<string, string> = {}) =>
  server.send("POST", "/api/v1/analyses", { files: toInputs(files) }, headers);

async function analyse(files: Files, headers: Record<string, string> = {}): Promise<Analysis> {
  const response = await post(files, headers);
  const body: unknown = await response.json();
  if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
  return Analysis.parse(body);
}

const program = {
  "pyproject.toml":
    '[project]\nname = "sorter"\nrequires-python = ">=3.11"\ndependencies = ["mellea>=0.8"]\n[project.scripts]\nsort = "sorter:main"\n',
  "sorter.py": [
    "from mellea import generative, start_session",
    "@generative",
    "def classify(text: str) -> str:",
    '    """Says what a text is about."""',
    "def main():",
    "    with start_session() as m:",
    '        m.instruct("Sort {{text}}.", requirements=["be short"])',
    "",
  ].join("\n"),
};

describe("an analysis", () => {
  it("tells what a program is, without running it", async () => {
    const effect = { ...program, "effect.py": "raise SystemExit('it was run')\n", "setup.py": "open('/output/run', 'w')\n" };
    const analysis = await analyse(effect);
    expect(analysis).toMatchObject({
      complete: true,
      cached: false,
      pythonVersions: [{ constraint: ">=3.11", source: "pyproject", file: "pyproject.toml", line: 3 }],
      entrypoints: [{ kind: "script", name: "sort", target: "sorter:main", confidence: 0.95 }],
      dependencies: [{ name: "mellea", constraint: ">=0.8", source: "pyproject", line: 4 }],
      slots: [{ name: "classify", qualifiedName: "sorter.classify", file: "sorter.py", line: 3, callable: true, returns: "str" }],
      secrets: [],
      problems: [],
    });
    expect(analysis.calls.map(({ kind, line, within }) => [kind, line, within])).toEqual([
      ["session", 6, "main"],
      ["instruct", 7, "main"],
    ]);
    const run = await getRun(server, analysis.runId);
    expect(run).toMatchObject({ kind: "analysis", status: "succeeded", network: "none", stdout: "", stderr: "", artifactCount: 1 });
  });

  it("of an equal tree is the same, made once for each owner", async () => {
    const files = { ...program, "note.txt": "once" };
    const [first, second] = await Promise.all([analyse(files), analyse(files)]);
    expect(second.runId).toBe(first.runId);
    const reordered = Object.fromEntries(Object.entries(files).toReversed());
    expect(await analyse(reordered)).toEqual({ ...first, cached: true });
    const other = await analyse(files, await createPerson(server));
    expect(other).toMatchObject({ cached: false, slots: first.slots });
    expect(other.runId).not.toBe(first.runId);
    expect(await analyse({ ...files, "note.txt": "twice" })).toMatchObject({ cached: false });
  });

  it("is found among the runs by its kind, and can be run again", async () => {
    const { runId } = await analyse({ "a.py": "x = 1\n" });
    const list = (await (await server.fetch("/api/v1/runs?kind=analysis")).json()) as { items: Run[] };
    expect(list.items.map(({ id }) => id)).toContain(runId);
    const again = (await (await server.send("POST", `/api/v1/runs/${runId}/rerun`)).json()) as Run;
    expect(again).toMatchObject({ kind: "analysis", retryOf: runId });
  });

  it("is read again by whoever may see its run", async () => {
    const made = await analyse({ "a.py": "x = (\n" });
    const read = async (headers: Record<string, string> = {}) =>
      await server.send("GET", `/api/v1/analyses/${made.runId}`, undefined, headers);
    expect(await (await read()).json()).toEqual({ ...made, cached: false });
    const stranger = await createPerson(server);
    expect((await read(stranger)).status).toBe(404);
    await server.send("PATCH", `/api/v1/runs/${made.runId}`, { visibility: "public" });
    expect((await read(stranger)).status).toBe(200);
    const other = await execute(server, { language: "python", code: "open('/output/analysis.json', 'w').write('{}')" });
    for (const id of [other.id, "run_none", "%00"]) expect((await server.fetch(`/api/v1/analyses/${id}`)).status).toBe(404);
  });

  it("whose result somebody else wrote is not believed", async () => {
    const { runId } = await analyse({ "b.py": "x = 1\n" });
    const { blobs, database } = server.context;
    const text = JSON.stringify({ interpreter: "1", complete: true, slots: "many" });
    const { sha256 } = await blobs.putStream(Readable.from([Buffer.from(text)]));
    await database.queries.updateTable("artifacts").set({ sha256 }).where("run_id", "=", runId).execute();
    const answer = await server.fetch(`/api/v1/analyses/${runId}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, "analysis_failed"]);
  });

  it("takes uploads, and only one's own", async () => {
    const uploaded = (await (await server.fetch("/api/v1/blobs", { method: "POST", body: "x = (\n" })).json()) as { sha256: string };
    const body = { files: [{ path: "a.py", blob: uploaded.sha256 }] };
    const answer = await server.send("POST", "/api/v1/analyses", body);
    expect(await answer.json()).toMatchObject({ problems: [{ code: "syntax_error", file: "a.py", line: 1, column: 5 }] });
    const theirs = await server.send("POST", "/api/v1/analyses", body, await createPerson(server));
    expect([theirs.status, ((await theirs.json()) as { code: string }).code]).toEqual([400, "blob_unknown"]);
  });

  it("is refused without files, for paths that are none, and for a tree that would put modules beside the analyser", async () => {
    const refusals = [
      [{ files: [] }, 400, "invalid_request"],
      [{}, 400, "invalid_request"],
      [{ files: [{ path: "a.py" }] }, 400, "invalid_request"],
      [{ files: [{ path: "../a.py", content: "" }] }, 400, "invalid_path"],
      [{ files: [{ path: "a\0.py", content: "" }] }, 400, "invalid_path"],
      [
        {
          files: [
            { path: "a", content: "" },
            { path: "a/b", content: "" },
          ],
        },
        400,
        "invalid_path",
      ],
      [{ files: [{ path: ".syla-analyser/json.py", content: "" }] }, 400, "invalid_path"],
      [{ files: [{ path: ".syla-analyser", content: "" }] }, 400, "invalid_path"],
      [{ files: [{ path: "a.py", content: "" }], language: "python" }, 400, "invalid_request"],
    ] as const;
    for (const [body, status, code] of refusals) {
      const answer = await server.send("POST", "/api/v1/analyses", body);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    }
    expect((await post(program, { authorization: "" })).status).toBe(401);
  });

  it("does not take modules from the tree", async () => {
    const names = ["json", "ast", "os", "analyser", "tomllib", "sitecustomize", "usercustomize", "main", "encodings/__init__"];
    const files = Object.fromEntries(names.map((name) => [`${name}.py`, "raise SystemExit('it was run')\n"]));
    expect(await analyse(files)).toMatchObject({ complete: true, files: { python: names.length }, problems: [] });
  });
});

describe("the analysis of a program", () => {
  const create = async (name: string, files: Files, headers: Record<string, string> = {}): Promise<Asset> =>
    (await (await server.send("POST", "/api/v1/assets", { type: "program", name, files: toInputs(files) }, headers)).json()) as Asset;
  const read = async (id: string, query = "", headers: Record<string, string> = {}): Promise<ProgramAnalysis> =>
    (await (await server.send("GET", `/api/v1/programs/${id}/analysis${query}`, undefined, headers)).json()) as ProgramAnalysis;
  const begin = async (id: string, headers: Record<string, string> = {}): Promise<ProgramAnalysis> =>
    (await (await server.send("POST", `/api/v1/programs/${id}/analysis`, {}, headers)).json()) as ProgramAnalysis;
  const finished = async (id: string, query = ""): Promise<ProgramAnalysis> => {
    await expect.poll(async () => (await read(id, query)).state, { timeout: 20_000 }).toBe("done");
    return await read(id, query);
  };
  const analysisRuns = async () =>
    (await server.context.database.queries.selectFrom("runs").select("id").where("kind", "=", "analysis").execute()).length;
  const found = async (q: string) =>
    ((await (await server.fetch(`/api/v1/assets?q=${q}`)).json()) as { items: Asset[] }).items.map(({ name }) => name);

  it("is made once for equal files, whoever has them, and has programs found by their slots", async () => {
    const files = { ...program, "main.py": "import sorter\n" };
    const asset = await create("Sorter", files);
    expect(await read(asset.id)).toMatchObject({ state: "none", analysis: null, version: null });
    expect(await found("classify")).toEqual([]);
    const before = await analysisRuns();
    const [one, two] = await Promise.all([begin(asset.id), begin(asset.id)]);
    expect([one.state, two.state]).toEqual(["running", "running"]);
    const done = await finished(asset.id);
    expect(done.analysis).toMatchObject({ slots: [{ name: "classify", line: 3 }], calls: [{ kind: "session" }, { kind: "instruct" }] });
    await expect.poll(() => found("classify")).toEqual(["Sorter"]);
    // Another program of somebody else with the same files: nothing is run for it, and it is found at once.
    const person = await createPerson(server);
    const theirs = await create("Theirs", files, person);
    expect((await begin(theirs.id, person)).analysis).toEqual(done.analysis);
    expect((await read(theirs.id, "", person)).state).toBe("done");
    expect(theirs.slots).toEqual(["classify"]);
    expect(await analysisRuns()).toBe(before + 1);
    const unchanged = (await (await server.fetch(`/api/v1/assets/${asset.id}`)).json()) as Asset;
    expect([unchanged.revision, unchanged.updatedAt]).toEqual([asset.revision, asset.updatedAt]);
  });

  it("is begun when a version is published, and stays that of the version", async () => {
    const asset = await create("Published", { "main.py": "import os\nos.environ['API_URL']\nos.getenv('DEBUG')\n" });
    await server.send("POST", `/api/v1/assets/${asset.id}/versions`, { version: "1.0.0" });
    const done = await finished(asset.id, "?version=1.0.0");
    expect(done.analysis?.variables).toEqual([
      { name: "API_URL", required: true, file: "main.py", line: 2, cell: null },
      { name: "DEBUG", required: false, file: "main.py", line: 3, cell: null },
    ]);
    const changes = [{ op: "write", file: { path: "main.py", content: "x = (\n" } }];
    await server.send("POST", `/api/v1/programs/${asset.id}/files`, { changes }, { "if-match": "*" });
    expect((await read(asset.id)).state).toBe("none");
    expect((await read(asset.id, "?version=1.0.0")).analysis).toEqual(done.analysis);
    await begin(asset.id);
    expect((await finished(asset.id)).analysis?.problems).toMatchObject([{ code: "syntax_error", line: 1, column: 5 }]);
  });

  it("that failed says why and is made anew; one whose process is gone as well", async () => {
    const asset = await create("Failing", { "main.py": "y = 2\n", ".syla-analyser/x.py": "" });
    // Nothing has to be run to know it, so it may have ended before it is told that it began.
    expect(["running", "failed"]).toContain((await begin(asset.id)).state);
    await expect.poll(async () => (await read(asset.id)).error?.code).toBe("invalid_path");
    const other = await create("Lost", { "main.py": "y = 3\n" });
    await begin(other.id);
    await finished(other.id);
    const { queries } = server.context.database;
    await queries
      .updateTable("tree_analyses")
      .set({ state: "running", document_sha256: null, worker_id: null })
      .where("tree_sha256", "=", other.tree?.sha256 ?? "")
      .execute();
    expect((await read(other.id)).state).toBe("none");
    expect((await begin(other.id)).state).toBe("running");
    await finished(other.id);
  });

  it("is for whoever may see the program, and of a version that there is", async () => {
    const asset = await create("Mine alone", { "main.py": "z = 1\n" });
    const stranger = await createPerson(server);
    expect(await begin(asset.id, stranger)).toMatchObject({ code: "not_found" });
    expect(await read(asset.id, "", stranger)).toMatchObject({ code: "not_found" });
    expect(await read(asset.id, "?version=9.9.9")).toMatchObject({ code: "not_found" });
    expect(await read("prog_none")).toMatchObject({ code: "not_found" });
  });
});

describe("what cannot be read", () => {
  it("is told by file, and takes nothing else along", async () => {
    const slot = "from mellea import generative\n@generative\ndef f(x: int) -> int: ...\n";
    const analysis = await analyse({
      "good.py": slot,
      "parentheses.py": `x = ${"(".repeat(100_000)}`,
      "signs.py": `x = ${"-".repeat(200_000)}1`,
      "attributes.py": `x = a${".b".repeat(200_000)}`,
      "sum.py": `x = ${"a+".repeat(200_000)}1`,
      "branches.py": `if a: pass\n${"elif a: pass\n".repeat(20_000)}`,
      "line.py": `x = "${"a".repeat(3_000_000)}"`,
      "number.py": `x = ${"9".repeat(100_000)}`,
      "null.py": "x = 1\0\n",
      "utf16.py": Buffer.from("\ufeffx = 1\n", "utf16le"),
      "latin.py": Buffer.from(`# coding: latin-1\n${slot.replace("x: int", 'é: "ü"')}`, "latin1"),
      "bytes.py": Buffer.from('x = "\xff"\n', "latin1"),
      "coding.py": "# coding: no-such-thing\n",
      "rot.py": "# coding: rot13\n",
      "mark.py": `\ufeff${slot}`,
      "indent.py": "def f():\nreturn 1\n",
      "line\nbreak.py": "x = (\n",
      "deep/package.json": "[".repeat(100_000),
      "deep/pyproject.toml": `a = ${"[".repeat(100_000)}`,
      "package.json": "[1]",
      "pyproject.toml": `a = ${"9".repeat(5000)}`,
      "a.ipynb": '{"cells": [',
      "b.ipynb": "[]",
      "go.mod": "module x\nrequire (\n",
      "setup.cfg": "[options\n",
    });
    const codes = Object.fromEntries(analysis.problems.map(({ file, code }) => [file, code]));
    expect(codes).toEqual({
      "parentheses.py": "syntax_error",
      "signs.py": "too_complex",
      "attributes.py": "too_complex",
      "sum.py": "too_complex",
      "branches.py": "too_complex",
      "line.py": "file_too_large",
      "number.py": "syntax_error",
      "null.py": "null_byte",
      "utf16.py": "encoding",
      "bytes.py": "encoding",
      "coding.py": "encoding",
      "rot.py": "encoding",
      "indent.py": "syntax_error",
      "line\nbreak.py": "syntax_error",
      "deep/package.json": "invalid_json",
      "deep/pyproject.toml": "invalid_toml",
      "package.json": "invalid_manifest",
      "pyproject.toml": "invalid_toml",
      "a.ipynb": "invalid_notebook",
      "b.ipynb": "invalid_notebook",
      "go.mod": "invalid_go_mod",
      "setup.cfg": "invalid_ini",
    });
    expect(analysis.slots.map(({ file, callable }) => [file, callable])).toEqual([
      ["good.py", true],
      ["latin.py", true],
      ["mark.py", true],
    ]);
    expect(analysis.slots[1]?.arguments).toMatchObject([{ name: "é", type: '"ü"' }]);
  });

  it("ends within its time and tells how much was left out, for a large tree", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [
        `package${index % 100}/module${index}.py`,
        `import package${(index + 1) % 100}.module${index + 1}\nx = ${index}\n`,
      ]),
    );
    const analysis = await analyse(files);
    expect(analysis).toMatchObject({ complete: true, files: { total: 2000, python: 2000, leftOut: 0, unread: 0 } });
  });
});
