import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { Environment, EnvironmentEvent, EnvironmentSummary, ProgramEnvironment } from "@syla/contracts/environments";
import type { Run } from "@syla/contracts/runs";
import { Eviction } from "../../src/environments/eviction.ts";
import { encodeRecord } from "@syla/server/runs/log-records";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const dependencies = { source: "requirements", file: "requirements.txt" };

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("environments of Python programs", () => {
  let server: TestServer;
  let index: TestPackageIndex;
  let [alice, bob]: Person[] = [];
  let count = 0;

  beforeAll(async () => {
    index = await startTestPackageIndex();
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url, SYLA_ENVIRONMENT_BYTES: String(16 * 1024 ** 2) });
    alice = await createAccount(server);
    bob = await createAccount(server);
    const greet = (version: string) => ({
      "greet/__init__.py": `VERSION = "${version}"\n`,
      "greet/__main__.py": "print('as a program')\n",
    });
    index.publish({ name: "greet", version: "1.0", license: "MIT", files: greet("1.0") });
    index.publish({ name: "greet", version: "1.1", license: "MIT", requires: ["words>=2"], files: greet("1.1") });
    index.publish({ name: "words", version: "1.0", files: { "words.py": "" } });
    index.publish({ name: "words", version: "2.0", license: "BSD-3-Clause", files: { "words.py": "LIST = ['a']\n" } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const make = (owner: Person | undefined, requirements: string, main = "import greet; print(greet.VERSION)", more: object = {}) =>
    createProgram(
      server,
      owner as Person,
      `Program ${(count += 1)}`,
      { "main.py": main, "requirements.txt": requirements },
      { config: { runtime: "python", entrypoint: "main.py", dependencies }, ...more },
    );
  const start = (who: Person | undefined, programId: string, more: object = {}, query = "?wait=true") =>
    server.send("POST", `/api/v1/runs${query}`, { programId, ...more }, who?.headers);
  const run = async (who: Person | undefined, program: Asset, more: object = {}) => await json<Run>(start(who, program.id, more));
  const environmentOf = async (who: Person | undefined, program: Asset, version?: string) =>
    await json<ProgramEnvironment>(
      server.send(
        "GET",
        `/api/v1/programs/${program.id}/environment${version === undefined ? "" : `?version=${version}`}`,
        undefined,
        who?.headers,
      ),
    );
  const known = async (who: Person | undefined, program: Asset, version?: string): Promise<Environment> => {
    const { environment } = await environmentOf(who, program, version);
    if (environment === null) throw new Error("no environment");
    return environment;
  };

  test("a program finds its packages; its second run does not wait for them", async () => {
    const program = await make(alice, "greet==1.1  # what it is about\n", "import greet, words; print(greet.VERSION, words.LIST)");
    expect(await environmentOf(alice, program)).toMatchObject({ environment: { state: "none", dependencies: ["greet==1.1"] } });
    const first = await run(alice, program);
    expect(first).toMatchObject({
      kind: "program",
      status: "succeeded",
      stdout: "1.1 ['a']\n",
      program: { id: program.id, version: null },
    });
    const second = await run(alice, program);
    expect(second.timings.environmentMs).toBeLessThan(first.timings.environmentMs ?? 0);
    const environment = await known(alice, program);
    expect(environment).toMatchObject({
      state: "ready",
      isHere: true,
      isLocked: true,
      buildCount: 1,
      phase: null,
      error: null,
      programCount: 1,
    });
    expect(environment.packages).toEqual([
      { name: "greet", version: "1.1", license: "MIT" },
      { name: "words", version: "2.0", license: "BSD-3-Clause" },
    ]);
    const [log, lock] = await Promise.all(
      ["log", "lock"].map(
        async (part) =>
          await (await server.send("GET", `/api/v1/environments/${environment.id}/${part}`, undefined, alice?.headers)).text(),
      ),
    );
    expect(log).toContain("+ greet==1.1");
    expect(log).not.toContain("\u{1e}");
    expect(lock).toMatch(/^greet==1\.1 \\\n {4}--hash=sha256:[0-9a-f]{64}\n/);
    const asset = await json<Asset>(server.send("GET", `/api/v1/assets/${program.id}`, undefined, alice?.headers));
    expect(asset).toMatchObject({ lastRun: { id: second.id, status: "succeeded" }, environmentState: "ready" });
    const listed = await json<{ items: Run[] }>(server.send("GET", `/api/v1/runs?program=${program.id}`, undefined, alice?.headers));
    expect(listed.items.map((item) => item.id)).toEqual([second.id, first.id]);
    const file = await server.send("GET", `/api/v1/runs/${first.id}/file?path=requirements.txt`, undefined, alice?.headers);
    expect(await file.text()).toContain("greet==1.1");
  });

  test("has what a project of Poetry asks for", async () => {
    const pyproject = `[tool.poetry.dependencies]
python = "^3.9"
greet = [{ version = "~1.0", python = ">=3.6" }, { version = "^9", python = "<3.6" }]
words = { version = "^2.0 ", markers = "sys_platform == 'linux'", allow-prereleases = true }
[tool.poetry.group.dev.dependencies]
nothing = "*"
`;
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "pyproject", file: "pyproject.toml" } };
    const files = { "main.py": "import greet, words; print(greet.VERSION, words.LIST)", "pyproject.toml": pyproject };
    const program = await createProgram(server, alice as Person, "Of Poetry", files, { config });
    const done = await run(alice, program);
    expect(done).toMatchObject({ status: "succeeded", error: null });
    expect((await known(alice, program)).packages).toMatchObject([
      { name: "greet", version: "1.0" },
      { name: "words", version: "2.0" },
    ]);
  });

  test("is built without the program itself, and says so", async () => {
    const program = await make(alice, "-e .\ngreet==1.0\n");
    expect(await run(alice, program)).toMatchObject({ status: "succeeded" });
    const { id } = await known(alice, program);
    const log = await server.send("GET", `/api/v1/environments/${id}/log`, undefined, alice?.headers);
    expect(await log.text()).toContain("requirements.txt:1 is not installed");
    expect(await run(alice, await make(alice, ".\n", "print(1)"))).toMatchObject({ status: "succeeded" });
  });

  test("one that is kept warm is there again after it was removed, and others make room for it", async () => {
    const program = await make(alice, "words==2.0 # warm\n", "import words; print(words.LIST)");
    await run(alice, program);
    const { id } = await known(alice, program);
    const warmthOf = async () => (await known(alice, program)).warmth;
    await expect.poll(warmthOf).toEqual({ isWarm: true, isKept: false, byYou: false });
    const keep = (who: Person | undefined, to: boolean) =>
      server.send("POST", `/api/v1/environments/${id}/warmth`, { keep: to }, who?.headers);
    expect((await keep(bob, true)).status).toBe(404);
    expect(await json<Environment>(keep(alice, true))).toMatchObject({ warmth: { isKept: true, byYou: true } });
    expect((await server.send("DELETE", `/api/v1/environments/${id}`)).status).toBe(204);
    expect(await warmthOf()).toMatchObject({ isKept: true });
    expect((await keep(alice, true)).status).toBe(200); // which looks after it at once
    await expect.poll(warmthOf, { timeout: 30_000 }).toEqual({ isWarm: true, isKept: true, byYou: true });
    // Used longest ago, it stays when others have to go.
    const { database, logger, layers } = server.context;
    const rows = database.queries.updateTable("environment_layers").where("environment_id", "=", id);
    await rows.set({ used_at: new Date(0) }).execute();
    const all = await database.queries.selectFrom("environment_layers").selectAll().orderBy("used_at").execute();
    const quotaBytes = 2;
    await database.queries.updateTable("environment_layers").set({ size: 1 }).execute();
    await new Eviction({ database, logger, layers, quotaBytes }).makeRoom();
    const left = await database.queries.selectFrom("environment_layers").select("environment_id").execute();
    expect(new Set(left.map((layer) => layer.environment_id))).toEqual(new Set([id, all.at(-1)?.environment_id]));
    expect(await json<Environment>(keep(alice, false))).toMatchObject({ isHere: true, warmth: { isKept: false, byYou: false } });
  });

  test("what is asked for by several at once is built once, whoever they are", async () => {
    index.publish({ name: "shared", version: "1.0", files: { "shared.py": "" } });
    const programs = await Promise.all([alice, bob, alice].map((owner) => make(owner, "shared\n", "import shared; print('there')")));
    const runs = await Promise.all(programs.map((program, place) => run([alice, bob, alice][place], program)));
    expect(runs.map(({ status, stdout }) => [status, stdout])).toEqual(Array.from({ length: 3 }, () => ["succeeded", "there\n"]));
    const ids = await Promise.all(programs.map(async (program, place) => await known([alice, bob, alice][place], program)));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
    expect(ids[0]).toMatchObject({ buildCount: 1, programCount: 3 });
    expect(index.requests.filter((path) => path.endsWith("shared-1.0-py3-none-any.whl"))).toHaveLength(1);
  });

  test("while it is built the run says so, and the build can be followed", async () => {
    index.publish({ name: "slow", version: "1.0", files: { "slow.py": "" } });
    index.behave("slow-1.0-py3-none-any.whl", "stall");
    const program = await make(alice, "slow\n", "print('ran')");
    const queued = await json<Run>(start(alice, program.id, {}, ""));
    await expect
      .poll(async () => (await json<Run>(server.send("GET", `/api/v1/runs/${queued.id}`, undefined, alice?.headers))).phase, {
        timeout: 20_000,
      })
      .toBe("building_environment");
    await expect.poll(async () => (await known(alice, program)).phase, { timeout: 20_000 }).toBe("download");
    const { id } = await known(alice, program);
    const following = server.send("GET", `/api/v1/environments/${id}/events`, undefined, alice?.headers);
    const cancelled = await json<Run>(server.send("POST", `/api/v1/runs/${queued.id}/cancel`, undefined, alice?.headers));
    expect(cancelled.id).toBe(queued.id);
    const events = readEvents(await (await following).text());
    expect(events.map((event) => (event.type === "phase" ? event.phase : event.type))).toEqual(
      expect.arrayContaining(["resolve", "download", "end"]),
    );
    expect(events.map((event) => event.seq)).toEqual(events.map((_, place) => place + 1));
    await expect.poll(async () => (await known(alice, program)).state).toBe("none");
    index.behave("slow-1.0-py3-none-any.whl", "serve");
    expect(await run(alice, program)).toMatchObject({ status: "succeeded", stdout: "ran\n" });
  });

  test("who follows a build of another server gets what it said last too", async () => {
    const program = await make(alice, "greet==1.0\n");
    await run(alice, program);
    const { id } = await known(alice, program);
    const follow = () => server.send("GET", `/api/v1/environments/${id}/events`, undefined, alice?.headers);
    const all = readEvents(await (await follow()).text());
    const { queries } = server.context.database;
    const change = (to: object) => queries.updateTable("environments").set(to).where("id", "=", id).execute();
    const read = queries.selectFrom("environments").select(["state", "phase", "worker_id", "log_sha256"]).where("id", "=", id);
    const before = await read.executeTakeFirstOrThrow();
    const { id: worker } = await queries.selectFrom("workers").select("id").executeTakeFirstOrThrow();
    await change({ state: "building", phase: "resolve", worker_id: worker, log_sha256: null });
    const record = encodeRecord({ type: "status", seq: 1, time: 0, status: "starting", phase: "resolve", attempt: 1 });
    await queries.insertInto("environment_build_records").values({ environment_id: id, seq: 1, record }).execute();
    let text = "";
    for await (const chunk of (await follow()).body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (readEvents(text).length !== 1) continue;
      await queries.deleteFrom("environment_build_records").execute();
      await change(before);
    }
    const seen = readEvents(text);
    expect(seen.slice(1, -1)).toEqual(all.slice(1, -1));
    expect(seen.at(-1)).toMatchObject({ type: "end", seq: all.length, environment: { state: "ready" } });
    expect(all.length).toBeGreaterThan(3);
  });

  const failures: readonly (readonly [what: string, requirements: string, code: string, text: RegExp])[] = [
    ["a package that does not exist", "no-such-thing==1.0\n", "package_not_found", /no-such-thing/],
    ["a version that does not exist", "greet==9.9\n", "package_version_not_found", /greet==9\.9/],
    ["what contradicts itself", "greet==1.1\nwords<2\n", "dependency_conflict", /greet\S+ depends on words>=2/],
  ];

  test.each(failures)("%s is explained", async (_what, requirements, code, text) => {
    const program = await make(alice, requirements);
    const failed = await run(alice, program);
    expect(failed).toMatchObject({ status: "failed", error: { class: "user_code", code }, exitCode: null });
    expect(failed.stderr).toMatch(text);
    const environment = await known(alice, program);
    expect(environment).toMatchObject({ state: "failed", phase: null, error: { code, phase: "resolve" } });
    expect(environment.error?.explanation).toMatch(text);
  });

  test("an index that is down, breaks off or lies is told apart from a package that is missing, and leaves nothing behind", async () => {
    index.publish({ name: "fragile", version: "1.0", files: { "fragile.py": "" } });
    const program = await make(alice, "fragile\n", "import fragile; print('whole')");
    const layers = async () => (await json<{ layers: number }>(server.fetch("/api/v1/environment-storage"))).layers;
    const before = await layers();
    const failure = async () => {
      const begun = await json<ProgramEnvironment>(
        server.send("POST", `/api/v1/programs/${program.id}/environment/build`, {}, alice?.headers),
      );
      const events = readEvents(
        await (await server.send("GET", `/api/v1/environments/${begun.environment?.id}/events`, undefined, alice?.headers)).text(),
      );
      const end = events.at(-1);
      return end?.type === "end" ? end.environment.error : null;
    };
    index.behave("/simple/fragile/", "down");
    expect(await failure()).toMatchObject({ class: "infrastructure", code: "index_unreachable", phase: "resolve" });
    index.behave("/simple/fragile/", "serve");
    index.behave("fragile-1.0-py3-none-any.whl", "cut");
    expect(await failure()).toMatchObject({ class: "infrastructure", code: "index_unreachable", phase: "download" });
    index.behave("fragile-1.0-py3-none-any.whl", "lie");
    expect(await failure()).toMatchObject({ class: "user_code", code: "package_changed" });
    expect(await layers()).toBe(before);
    index.behave("fragile-1.0-py3-none-any.whl", "serve");
    expect(await run(alice, program)).toMatchObject({ status: "succeeded", stdout: "whole\n" });
  }, 120_000);

  test("a package's own program runs in the jail: it reaches the index and nothing else, and finds nothing of the server", async () => {
    const backend = `
import socket, subprocess
found = {}
def attempt(name, work):
    try:
        found[name] = str(work())[:100]
    except BaseException as error:
        found[name] = "refused"
import urllib.request
attempt("other host", lambda: urllib.request.urlopen("http://127.0.0.2:1/", timeout=3).status)
attempt("socket", lambda: socket.create_connection(("127.0.0.1", ${new URL("http://x:1").port}), 3))
attempt("shadow", lambda: open("/etc/shadow").read())
attempt("layers", lambda: os.listdir("/layers"))
attempt("data", lambda: open(${JSON.stringify("DATA")}).read())
attempt("environment", lambda: [name for name in os.environ if "SYLA" in name or "KEY" in name] or "nothing")
return write_wheel({"curious.py": f"FOUND = {found!r}\\n"})`;
    index.publish({ name: "curious", version: "1.0", backend: backend.replace("DATA", join(server.dataDir, "cli.key")) });
    const program = await make(alice, "curious\n", "import curious, json; print(json.dumps(curious.FOUND))");
    const done = await run(alice, program);
    expect(done.status).toBe("succeeded");
    expect(JSON.parse(done.stdout)).toEqual({
      "other host": "refused",
      socket: "refused",
      shadow: "refused",
      layers: "refused",
      data: "refused",
      environment: "nothing",
    });
  });

  test("a package that would have to be compiled says what is missing", async () => {
    const backend = `raise SystemExit("error: command 'gcc' failed: No such file or directory")`;
    index.publish({ name: "fast-thing", version: "1.0", backend });
    expect((await run(alice, await make(alice, "fast-thing\n"))).error).toMatchObject({
      code: "package_needs_compiler",
      class: "user_code",
    });
  });

  test("what is larger than a layer may be is refused, and nothing of it is kept", async () => {
    index.publish({ name: "huge", version: "1.0", files: { "huge.bin": Buffer.alloc(17 * 1024 ** 2, 1) } });
    const failed = await run(alice, await make(alice, "huge\n"));
    expect(failed.error).toMatchObject({ class: "limit", code: "environment_limit" });
    expect(failed.error?.hint).toContain("SYLA_ENVIRONMENT_BYTES");
  });

  const refused: readonly (readonly [what: string, requirements: string, place: string])[] = [
    ["another index", "greet\n--extra-index-url https://packages.example.org/simple\n", "requirements.txt:2"],
    ["a folder of the program", "-e ./src", "requirements.txt:1"],
    ["a repository", "\n\ngit+https://git.example.org/a/b\n", "requirements.txt:3"],
    ["an address", "thing @ https://files.example.org/thing.whl\n", "requirements.txt:1"],
    ["a file that is not there", "-r other.txt\n", "requirements.txt:1"],
  ];

  test.each(refused)("%s is refused before anything runs, with its place", async (_what, requirements, place) => {
    const program = await make(alice, requirements);
    const problem = await errorOf(start(alice, program.id));
    expect(problem).toMatchObject({ status: 400, code: "dependencies_unsupported", fields: [{ path: place }] });
    expect(await environmentOf(alice, program)).toMatchObject({ environment: null, problem: { code: "dependencies_unsupported" } });
    const listed = await json<{ items: Run[] }>(server.send("GET", `/api/v1/runs?program=${program.id}`, undefined, alice?.headers));
    expect(listed.items).toEqual([]);
  });

  test("what is no name of a package is refused when it is written", async () => {
    const program = await make(alice, "greet\n");
    const packages = [{ name: "greet" }, { name: "rich; rm -rf /" }];
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "manual", packages } };
    const problem = await errorOf(server.send("PATCH", `/api/v1/assets/${program.id}`, { config }, { ...alice?.headers, "if-match": "*" }));
    expect(problem).toMatchObject({ code: "invalid_request", fields: [{ path: "config.dependencies.packages.1.name" }] });
    expect(await json<Asset>(server.send("GET", `/api/v1/assets/${program.id}`, undefined, alice?.headers))).toMatchObject({
      revision: program.revision,
    });
  });

  test("a program keeps its versions until somebody asks for newer ones; a published version keeps them for good", async () => {
    index.publish({ name: "moving", version: "1.0", files: { "moving.py": "V = 1\n" } });
    const program = await make(alice, "moving\n", "import moving; print(moving.V)");
    expect((await run(alice, program)).stdout).toBe("1\n");
    const published = await server.send("POST", `/api/v1/assets/${program.id}/versions`, { version: "1.0.0" }, alice?.headers);
    expect(published.status).toBe(201);
    expect((await run(alice, program, { version: "1.0.0" })).stdout).toBe("1\n");
    index.publish({ name: "moving", version: "2.0", files: { "moving.py": "V = 2\n" } });
    const { id } = await known(alice, program);
    await server.context.database.queries
      .updateTable("environments")
      .set({ key: `${id} of yesterday` })
      .where("id", "=", id)
      .execute();
    expect((await server.send("DELETE", `/api/v1/environments/${id}`)).status).toBe(204);
    expect(await known(alice, program)).toMatchObject({ state: "none", isHere: false, isLocked: true });
    expect((await run(alice, program)).stdout).toBe("1\n"); // built again, from its lock
    const upgraded = await server.send("POST", `/api/v1/programs/${program.id}/environment/build`, { upgrade: true }, alice?.headers);
    expect(upgraded.status).toBe(202);
    expect((await run(alice, program)).stdout).toBe("2\n");
    const old = await run(alice, program, { version: "1.0.0" });
    expect([old.stdout, old.program?.version]).toEqual(["1\n", "1.0.0"]);
    const refusal = { upgrade: true, version: "1.0.0" };
    expect((await errorOf(server.send("POST", `/api/v1/programs/${program.id}/environment/build`, refusal, alice?.headers))).code).toBe(
      "invalid_request",
    );
    const again = await json<Run>(server.send("POST", `/api/v1/runs/${old.id}/rerun`, undefined, alice?.headers));
    await expect
      .poll(async () => (await json<Run>(server.send("GET", `/api/v1/runs/${again.id}`, undefined, alice?.headers))).stdout)
      .toBe("1\n");
  }, 60_000);

  test("others see neither the environment nor the program, until they may; then they use the same one", async () => {
    const program = await make(alice, "greet==1.0\n");
    expect((await run(alice, program)).stdout).toBe("1.0\n");
    const { id } = await known(alice, program);
    expect((await errorOf(server.send("GET", `/api/v1/environments/${id}`, undefined, bob?.headers))).code).toBe("not_found");
    expect((await errorOf(start(bob, program.id))).code).toBe("not_found");
    await server.send(
      "POST",
      "/api/v1/grants",
      { resourceType: "asset", resourceId: program.id, email: bob?.email, level: "run" },
      alice?.headers,
    );
    const shared = await run(bob, program);
    expect(shared).toMatchObject({ status: "succeeded", ownerId: bob?.id });
    expect(await json(server.send("GET", `/api/v1/environments/${id}`, undefined, bob?.headers))).toMatchObject({ id, buildCount: 1 });
    expect(
      (await errorOf(server.send("POST", `/api/v1/programs/${program.id}/environment/build`, { upgrade: true }, bob?.headers))).code,
    ).toBe("forbidden");
    expect((await errorOf(server.send("DELETE", `/api/v1/environments/${id}`, undefined, bob?.headers))).code).toBe("forbidden");
    expect((await errorOf(server.send("POST", `/api/v1/environments/${id}/build`, { again: true }, bob?.headers))).code).toBe("forbidden");
    expect((await errorOf(server.send("GET", "/api/v1/environments?owner=all", undefined, bob?.headers))).code).toBe("forbidden");
    const mine = await json<{ items: EnvironmentSummary[] }>(server.send("GET", "/api/v1/environments?q=greet", undefined, bob?.headers));
    expect(mine.items.map((item) => item.id)).toContain(id);
    expect((await server.send("DELETE", `/api/v1/assets/${program.id}`, undefined, alice?.headers)).status).toBe(204);
    expect((await errorOf(server.send("POST", `/api/v1/runs/${shared.id}/rerun`, undefined, bob?.headers))).code).toBe("not_found");
  });

  test("an environment that a run has is not taken away from it", async () => {
    const program = await make(alice, "greet==1.0\n", "import greet, time; print('up', flush=True); time.sleep(60)");
    const { id: runId } = await json<Run>(start(alice, program.id, {}, ""));
    const read = async () => await json<Run>(server.send("GET", `/api/v1/runs/${runId}`, undefined, alice?.headers));
    await expect.poll(async () => (await read()).stdout, { timeout: 20_000 }).toBe("up\n");
    const { id } = await known(alice, program);
    expect((await errorOf(server.send("DELETE", `/api/v1/environments/${id}`))).code).toBe("environment_in_use");
    await server.send("POST", `/api/v1/runs/${runId}/cancel`, undefined, alice?.headers);
    await expect.poll(async () => (await read()).status, { timeout: 20_000 }).toBe("cancelled");
    await expect.poll(async () => (await server.send("DELETE", `/api/v1/environments/${id}`)).status).toBe(204);
  });

  test("a run takes what it was asked for in place of what the program says", async () => {
    const program = await createProgram(
      server,
      alice as Person,
      "Options",
      {
        "main.py": "print('main')",
        "other.py": "import os, sys; print(sys.argv[1:], os.environ['NAME'], sys.stdin.read(), open('data.txt').read())",
      },
      { config: { runtime: "python", entrypoint: "main.py", args: ["own"], profile: "medium" } },
    );
    expect(await run(alice, program)).toMatchObject({
      stdout: "main\n",
      args: ["own"],
      limits: { cpus: { value: 1 }, wallMs: { value: 1_800_000 } },
    });
    const wish = {
      entrypoint: "other.py",
      args: ["a", "b"],
      env: { NAME: "x" },
      stdin: "in",
      files: [{ path: "data.txt", content: "sent" }],
      limits: { wallMs: 5000 },
    };
    const done = await run(alice, program, wish);
    expect(done).toMatchObject({ stdout: "['a', 'b'] x in sent\n", limits: { wallMs: { value: 5000 } } });
    expect((await errorOf(start(alice, program.id, { entrypoint: "none.py" }))).code).toBe("entrypoint_missing");
    expect((await errorOf(start(alice, program.id, { files: [{ path: "../x", content: "" }] }))).code).toBe("invalid_path");
    expect((await errorOf(start(alice, program.id, { network: "full" }))).code).toBe("forbidden");
    expect((await errorOf(start(alice, program.id, { version: "9.9.9" }))).code).toBe("not_found");
    expect(await errorOf(start(alice, program.id, { language: "python" }))).toMatchObject({
      code: "invalid_request",
      fields: [{ path: "language" }],
    });
  });

  test("who has begun three builds waits with the next; others do not, nor does what is there", async () => {
    const ready = await make(alice, "greet==1.1\n");
    expect(await run(alice, ready)).toMatchObject({ status: "succeeded" });
    const late: Asset[] = [];
    for (const name of ["late-a", "late-b", "late-c", "late-d"]) {
      index.publish({ name, version: "1.0", files: {} });
      index.behave(name, "stall");
      late.push(await make(alice, `${name}\n`));
    }
    const build = (program: Asset | undefined, more: object = {}) =>
      server.send("POST", `/api/v1/programs/${program?.id}/environment/build`, more, alice?.headers);
    for (const program of late.slice(0, 3)) expect((await build(program)).status).toBe(202);
    // The third waits for its turn: it has not ended, and whoever follows it is not told so.
    const third = await known(alice, late[2] as Asset);
    expect(third.state).toBe("building");
    const following = server.fetch(`/api/v1/environments/${third.id}/events`, {
      headers: { ...alice?.headers },
      signal: AbortSignal.timeout(700),
    });
    await expect(following.then((answer) => answer.text())).rejects.toThrow("timeout");
    const fourth = await build(late[3]);
    expect(Number(fourth.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await errorOf(fourth)).toMatchObject({ status: 429, code: "queue_full" });
    expect((await errorOf(build(ready, { upgrade: true }))).code).toBe("queue_full");
    for (const program of [late[0], ready]) expect((await build(program)).status).toBe(202);
    const his = await make(bob, "late-d\n");
    expect((await server.send("POST", `/api/v1/programs/${his.id}/environment/build`, {}, bob?.headers)).status).toBe(202);
  });
});

function readEvents(text: string): EnvironmentEvent[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? "") as EnvironmentEvent);
}
