import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { ProgramSandbox } from "@syla/contracts/environments";
import type { LlmCall, Model } from "@syla/contracts/models";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { SandboxExecResult, SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
import { recoverSandboxes } from "@syla/server/sandboxes/recovery";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { readEvents } from "@syla/testkit/sandboxes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf } from "../catalog/programs.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const secret = "s3cr3t-of-the-database/+&";

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("a program's interactive environment", () => {
  let setting: GatewaySetting;
  let index: TestPackageIndex;
  let ann: Person;
  let model: Model;
  let credentialId = "";

  beforeAll(async () => {
    index = await startTestPackageIndex();
    index.publish({ name: "greet", version: "1.0", files: { "greet.py": `TEXT = "greet is here"\n` } });
    setting = await openGateway({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    ann = setting.ann;
    model = await setting.model("GPT");
    const made = await json<{ id: string }>(send(ann, "POST", "/api/v1/credentials", { kind: "program", name: "Database", value: secret }));
    credentialId = made.id;
  });
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const json = async <T>(answer: Response | Promise<Response>) => await setting.json<T>(answer);
  const send = (...call: Parameters<GatewaySetting["send"]>) => setting.send(...call);
  const configOf = (more: object = {}) => ({
    runtime: "python",
    entrypoint: "main.py",
    dependencies: { source: "requirements", file: "requirements.txt" },
    ...more,
  });
  const make = (name: string, more: object = {}, requirements = "greet\n") =>
    createProgram(
      setting.server,
      ann,
      name,
      { "main.py": "import greet\nprint(greet.TEXT)\n", "requirements.txt": requirements },
      { config: configOf(more) },
    );
  const at = (program: Asset) => `/api/v1/programs/${program.id}/environment/sandbox`;
  const begin = (person: Person, program: Asset, wish: object = {}) => send(person, "POST", at(program), wish);
  const look = (person: Person, program: Asset, query = "") => json<ProgramSandbox>(send(person, "GET", at(program) + query));
  const settled = async (person: Person, program: Asset): Promise<Sandbox> => {
    await expect.poll(async () => (await look(person, program)).sandbox?.status, { timeout: 60_000 }).not.toBe("starting");
    const { sandbox } = await look(person, program);
    if (sandbox === null) throw new Error("there is none");
    return sandbox;
  };
  const open = async (person: Person, program: Asset, wish: object = {}): Promise<Sandbox> => {
    const answer = await begin(person, program, wish);
    expect(answer.status).toBe(202);
    const sandbox = await settled(person, program);
    expect(sandbox).toMatchObject({ status: "running", error: null });
    return sandbox;
  };
  const exec = (person: Person, { id }: Sandbox, command: string) =>
    json<SandboxExecResult>(send(person, "POST", `/api/v1/sandboxes/${id}/exec`, { command }));
  const end = (person: Person, { id }: Sandbox) => send(person, "DELETE", `/api/v1/sandboxes/${id}`);
  const lastOf = async (person: Person, { id }: Sandbox) => await json<Sandbox>(send(person, "GET", `/api/v1/sandboxes/${id}`));
  const call = `python3 - <<'END'
import json, os, urllib.request
body = json.dumps({"model": "any", "messages": [{"role": "user", "content": "Hello"}]}).encode()
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})
try: print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
END`;
  const tokenIn = async (person: Person, sandbox: Sandbox) => {
    const { stdout } = await exec(person, sandbox, "printf %s $OPENAI_API_KEY | od -An -v -tu1");
    return String.fromCharCode(...stdout.trim().split(/\s+/).map(Number));
  };
  const withToken = async (token: string) =>
    await (await setting.server.fetch("/v1/models", { headers: { authorization: `Bearer ${token}` } })).json();

  test("has its files, its packages, its size, and is listed as what it is", async () => {
    const program = await make("Looked into", { profile: { cpus: 1, memoryBytes: 256 * 1024 * 1024 } });
    expect(await look(ann, program)).toEqual({ programId: program.id, sandbox: null, isCurrent: null });
    const answer = await begin(ann, program);
    const { sandbox: starting, isCurrent } = await json<ProgramSandbox>(answer);
    expect([answer.status, starting?.status, isCurrent]).toEqual([202, "starting", true]);
    const sandbox = await settled(ann, program);
    expect(sandbox).toMatchObject({
      id: starting?.id,
      name: "Looked into",
      status: "running",
      phase: null,
      onIdle: "end",
      idleTimeoutMs: 30 * 60_000,
      requestedLimits: { cpus: 1, memoryBytes: 256 * 1024 * 1024 },
      limits: { memoryBytes: { value: 256 * 1024 * 1024 } },
      program: { id: program.id, name: "Looked into", version: null, tree: program.tree?.sha256, modelId: null },
    });
    expect(await exec(ann, sandbox, "ls; python main.py")).toMatchObject({
      exitCode: 0,
      stdout: "main.py\nrequirements.txt\ngreet is here\n",
    });
    const list = await json<{ items: Sandbox[] }>(send(ann, "GET", "/api/v1/sandboxes?live=true"));
    expect(list.items.find(({ id }) => id === sandbox.id)?.program).toEqual(sandbox.program);
    const again = await begin(ann, program);
    expect([again.status, (await json<ProgramSandbox>(again)).sandbox?.id]).toEqual([200, sandbox.id]);
    expect((await end(ann, sandbox)).status).toBe(204);
    expect(await look(ann, program)).toMatchObject({
      sandbox: { id: sandbox.id, status: "stopped", endReason: "deleted" },
      isCurrent: null,
    });
  });

  test("is one, however many ask at once", async () => {
    const program = await make("Asked for twice");
    const answers = await Promise.all([begin(ann, program), begin(ann, program), begin(ann, program)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 202]);
    const ids = await Promise.all(answers.map(async (answer) => (await json<ProgramSandbox>(answer)).sandbox?.id));
    expect(new Set(ids).size).toBe(1);
    const first = await settled(ann, program);
    const replaced = await Promise.all([begin(ann, program, { replaces: first.id }), begin(ann, program, { replaces: first.id })]);
    const next = new Set(await Promise.all(replaced.map(async (answer) => (await json<ProgramSandbox>(answer)).sandbox?.id)));
    expect([next.size, next.has(first.id)]).toEqual([1, false]);
    await end(ann, await settled(ann, program));
  });

  test("is of the files as they were, says when they are others by now, and begins anew with these", async () => {
    const program = await make("Worked on");
    await send(ann, "POST", `/api/v1/assets/${program.id}/versions`, { version: "1.0.0" });
    const first = await open(ann, program);
    expect(await look(ann, program, "?version=1.0.0")).toMatchObject({ isCurrent: false, sandbox: { id: first.id } });
    const change = { changes: [{ op: "write", file: { path: "more.txt", content: "more" } }] };
    expect((await send(ann, "POST", `/api/v1/programs/${program.id}/files`, change, { "if-match": "*" })).status).toBe(200);
    expect(await look(ann, program)).toMatchObject({ isCurrent: false, sandbox: { id: first.id, status: "running" } });
    expect(await json<ProgramSandbox>(begin(ann, program))).toMatchObject({ isCurrent: false, sandbox: { id: first.id } });
    const second = await open(ann, program, { replaces: first.id });
    expect(second.id).not.toBe(first.id);
    expect((await exec(ann, second, "cat more.txt")).stdout).toBe("more");
    expect(await lastOf(ann, first)).toMatchObject({ status: "stopped", endReason: "deleted" });
    expect((await look(ann, program)).isCurrent).toBe(true);
    index.publish({ name: "greet", version: "1.1", files: { "greet.py": `TEXT = "greet is here"\n` } });
    const { queries } = setting.server.context.database;
    const built = second.program?.environmentId ?? "";
    await queries
      .updateTable("environments")
      .set({ key: `${built} of yesterday` })
      .where("id", "=", built)
      .execute();
    await send(ann, "POST", `/api/v1/programs/${program.id}/environment/build`, { upgrade: true });
    expect((await look(ann, program)).isCurrent).toBe(false);
    const old = await open(ann, program, { replaces: second.id, version: "1.0.0" });
    expect(old.program?.version).toBe("1.0.0");
    expect((await exec(ann, old, "cat more.txt")).exitCode).not.toBe(0);
    await end(ann, old);
  });

  test("has the plain variables and the datasets that it was started with, and no others", async () => {
    const program = await make("On data");
    const rows = `[{"city":"Oslo","n":1},{"city":"Bergen","n":2}]`;
    const bob = await createAccount(setting.server);
    const dataset = await json<Asset>(
      setting.server.fetch("/api/v1/datasets?name=Cities", {
        method: "POST",
        body: rows,
        headers: { ...ann.headers, "content-type": "application/octet-stream" },
      }),
    );
    const datasets = [{ id: dataset.id, name: "places" }];
    const sandbox = await open(ann, program, { env: { GREETING: "hello", SYLA_DATASETS: "mine" }, datasets });
    expect(sandbox.program).toMatchObject({
      variables: ["GREETING", "SYLA_DATASETS"],
      datasets: [{ id: dataset.id, name: "places", version: null, split: null }],
    });
    const path = sandbox.program?.datasets[0]?.path ?? "";
    const shown = await exec(ann, sandbox, `echo $GREETING; cat ${path}; echo $SYLA_DATASETS; touch ${path} 2>/dev/null || echo read-only`);
    expect(shown.stdout).toContain("hello\n");
    expect(shown.stdout).toContain("Bergen");
    expect(shown.stdout).toContain(`"places":{"path":"${path}"`);
    expect((await look(ann, program)).isCurrent).toBe(true);
    await end(ann, sandbox);
    for (const [wish, field] of [
      [{ datasets: [{ id: "data_none" }] }, "datasets.0.id"],
      [{ env: { "A B": "x" } }, "env.A B"],
    ] as const)
      expect(await errorOf(begin(ann, program, wish))).toMatchObject({ fields: [{ path: field }] });
    await share(setting.server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" });
    expect(await errorOf(begin(bob, program, { datasets }))).toMatchObject({ fields: [{ path: "datasets.0.id" }] });
    expect((await look(bob, program)).sandbox).toBeNull();
  });

  test("calls the program's model in its owner's name, as long as it lives", async () => {
    const program = await make("With a model", { modelId: model.id });
    const sandbox = await open(ann, program);
    expect(sandbox).toMatchObject({ network: "gateway", program: { modelId: model.id } });
    expect((await exec(ann, sandbox, call)).stdout).toBe("200\n");
    const last = await setting.lastCall(model);
    expect(last).toMatchObject({ sandboxId: sandbox.id, runId: null, user: { id: ann.id }, status: "succeeded" });
    expect(last.cost).toBeGreaterThan(0);
    const usage = await json<{ programs: { id: string; calls: number }[] }>(send(ann, "GET", `/api/v1/models/${model.id}/usage`));
    expect(usage.programs).toMatchObject([{ id: program.id, calls: 1 }]);
    const token = await tokenIn(ann, sandbox);
    expect(token).toMatch(/^syla_run_.{43}$/);
    expect(await withToken(token)).toHaveProperty("data");
    expect((await exec(ann, sandbox, "echo $OPENAI_API_KEY")).stdout).toBe("syla_run_[secret]\n");
    await end(ann, sandbox);
    expect(await withToken(token)).toMatchObject({ code: "run_token_invalid" });
    const { queries } = setting.server.context.database;
    expect(await queries.selectFrom("run_tokens").selectAll().where("sandbox_id", "=", sandbox.id).execute()).toEqual([]);
  });

  test("has no way to a model any more when its server is lost", async () => {
    const program = await make("Lost", { modelId: model.id });
    const sandbox = await open(ann, program);
    const token = await tokenIn(ann, sandbox);
    const { database, workerId } = setting.server.context;
    await database.queries.transaction().execute((work) => recoverSandboxes(work, workerId));
    const row = await database.queries.selectFrom("sandboxes").selectAll().where("id", "=", sandbox.id).executeTakeFirst();
    expect(row).toMatchObject({ status: "stopped", end_reason: "server_restarted" });
    expect(await withToken(token)).toMatchObject({ code: "run_token_invalid" });
    await end(ann, sandbox);
  });

  test("spends of somebody's leave what a run of theirs would, and not more", async () => {
    const program = await make("Lent out", { modelId: model.id });
    const bob = await createAccount(setting.server);
    await share(setting.server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" });
    expect(await errorOf(begin(bob, program))).toMatchObject({ code: "unknown_model" });
    const grant = await share(setting.server, ann, { resourceType: "asset", resourceId: model.id, email: bob.email, level: "run" });
    await send(ann, "PATCH", `/api/v1/models/${model.id}/caps/${grant}`, { amount: 0.000001, period: "day" });
    const sandbox = await open(bob, program);
    expect((await exec(bob, sandbox, call)).stdout).toMatch(/^402 .*spend_cap_reached/s);
    await send(ann, "DELETE", `/api/v1/grants/${grant}`);
    expect((await exec(bob, sandbox, call)).stdout).toMatch(/^404 /);
    const { items } = await json<{ items: LlmCall[] }>(send(ann, "GET", `/api/v1/models/${model.id}/calls`));
    expect(items.filter(({ sandboxId }) => sandboxId === sandbox.id).every(({ user }) => user.id === bob.id)).toBe(true);
    await end(bob, sandbox);
  });

  test("has the secrets of the program for its owner, who does not read them in what is said, and for nobody who may only run it", async () => {
    const program = await make("With a secret", { secrets: [{ variable: "DATABASE_URL", credentialId, givenTo: "runners" }] });
    const bob = await createAccount(setting.server);
    await share(setting.server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" });
    const sandbox = await open(ann, program);
    expect(sandbox.program).toMatchObject({ secretVariables: ["DATABASE_URL"], withheldVariables: [] });
    const base = `/api/v1/sandboxes/${sandbox.id}`;
    const audited = async () =>
      await setting.server.context.database.queries
        .selectFrom("audit_events")
        .select(["actor_id", "resource_id", "details"])
        .where("action", "=", "environment.open")
        .where("resource_id", "=", program.id)
        .execute();
    await expect
      .poll(audited)
      .toEqual([
        { actor_id: ann.id, resource_id: program.id, details: { sandboxId: sandbox.id, version: null, secrets: ["DATABASE_URL"] } },
      ]);
    const said = await exec(ann, sandbox, 'printf %s "$DATABASE_URL" | wc -c; env | grep DATABASE; printf %s "$DATABASE_URL" | base64 >&2');
    expect(said.stdout).toBe(`${secret.length}\nDATABASE_URL=[secret]\n`);
    expect(said.stderr).toContain("[secret]");
    const shell = {
      command: ["/bin/bash", "-c", 'for i in 1 2; do echo "got $DATABASE_URL"; done; cat'],
      terminal: { columns: 200, rows: 24 },
    };
    const { pid } = await json<{ pid: number }>(send(ann, "POST", `${base}/processes`, shell));
    const heard = (events: readonly SandboxProcessEvent[]) =>
      events.map((event) => (event.type === "output" ? Buffer.from(event.data, "base64").toString() : "")).join("");
    const shown = heard(
      await readEvents<SandboxProcessEvent>(await send(ann, "GET", `${base}/processes/${pid}/output`), (events) =>
        heard(events).includes("got [secret]\r\ngot [secret]"),
      ),
    );
    // What begins like the secret is not kept from the person who types it.
    await setting.server.fetch(`${base}/processes/${pid}/input`, {
      method: "POST",
      headers: { ...ann.headers, "content-type": "application/octet-stream" },
      body: secret.slice(0, 6),
    });
    const echoed = await readEvents<SandboxProcessEvent>(await send(ann, "GET", `${base}/processes/${pid}/output`), (events) =>
      heard(events).includes(secret.slice(0, 6)),
    );
    await send(ann, "POST", `${base}/processes`, {
      command: ["sh", "-c", 'exec python3 -c "import time; time.sleep(60)" "$DATABASE_URL"'],
    });
    const commands = async () => await (await send(ann, "GET", `${base}/processes`)).text();
    await expect.poll(commands).toContain('"[secret]"');
    const context = await json<{ id: string }>(send(ann, "POST", `${base}/contexts`, {}));
    const code = "import os\nprint(os.environ['DATABASE_URL'])\n{'url': os.environ['DATABASE_URL']}";
    const events = await readEvents<SandboxContextEvent>(await send(ann, "POST", `${base}/contexts/${context.id}/run`, { code }));
    const failed = await readEvents<SandboxContextEvent>(
      await send(ann, "POST", `${base}/contexts/${context.id}/run`, { code: "raise ValueError(os.environ['DATABASE_URL'])" }),
    );
    expect(JSON.stringify(events)).toContain("{'url': '[secret]'}");
    expect(JSON.stringify(failed)).toContain("ValueError: [secret]");
    const rows = await setting.server.context.database.queries.selectFrom("sandboxes").selectAll().where("id", "=", sandbox.id).execute();
    expect(JSON.stringify([said, shown, heard(echoed), await commands(), events, failed, rows])).not.toContain(secret);

    const others = await open(bob, program);
    expect(others.program).toMatchObject({ secretVariables: [], withheldVariables: ["DATABASE_URL"] });
    expect((await exec(bob, others, "python main.py; env | grep -c DATABASE_URL")).stdout).toBe("greet is here\n0\n");
    expect((await errorOf(send(bob, "GET", base))).code).toBe("not_found");
    await end(bob, others);
    const grant = { resourceType: "sandbox", resourceId: sandbox.id, email: bob.email, level: "edit" };
    expect(await errorOf(send(ann, "POST", "/api/v1/grants", grant))).toMatchObject({
      code: "forbidden",
      detail: expect.stringContaining("not shared") as string,
    });
    await end(ann, sandbox);
  });

  test("ends when the right to use the program so ends", async () => {
    const program = await make("Taken back", { secrets: [{ variable: "DATABASE_URL", credentialId, givenTo: "editors" }] });
    const bob = await createAccount(setting.server);
    const give = (level: string) => share(setting.server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level });
    const edit = await give("edit");
    const sandbox = await open(bob, program);
    expect(sandbox.program?.secretVariables).toEqual(["DATABASE_URL"]);
    await send(ann, "PATCH", `/api/v1/grants/${edit}`, { level: "run" });
    await expect.poll(async () => (await lastOf(bob, sandbox)).endReason, { timeout: 20_000 }).toBe("access_ended");
    const runner = await open(bob, program);
    expect(runner.program?.secretVariables).toEqual([]);
    await send(ann, "DELETE", `/api/v1/grants/${edit}`);
    await expect.poll(async () => (await lastOf(bob, runner)).endReason, { timeout: 20_000 }).toBe("access_ended");
    expect((await errorOf(begin(bob, program))).code).toBe("not_found");
  });

  test("is for who may run the program and read its files", async () => {
    const program = await make("Not for all");
    const bob = await createAccount(setting.server);
    for (const method of ["GET", "POST"])
      expect((await errorOf(send(bob, method, at(program), method === "GET" ? undefined : {}))).code).toBe("not_found");
    const grant = await share(setting.server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "view" });
    expect((await errorOf(begin(bob, program))).code).toBe("forbidden");
    await send(ann, "PATCH", `/api/v1/grants/${grant}`, { level: "run" });
    const { key } = await json<{ key: string }>(
      send(ann, "POST", "/api/v1/api-keys", { name: "no files", scopes: ["environments:*", "sandboxes:*"] }),
    );
    const limited = { ...ann, headers: { authorization: `Bearer ${key}` } };
    expect((await errorOf(begin(limited, program))).code).toBe("scope_missing");
    expect((await errorOf(send(limited, "POST", "/api/v1/sandboxes", { programId: program.id }))).code).toBe("scope_missing");
    expect((await errorOf(begin(bob, program, { version: "9.0.0" }))).code).toBe("not_found");
    await send(ann, "DELETE", `/api/v1/assets/${program.id}`);
    expect((await errorOf(begin(ann, program))).code).toBe("asset_deleted");
  });

  test("ends when nobody uses it", async () => {
    const program = await make("Forgotten");
    const sandbox = await open(ann, program);
    expect(sandbox.idleAt).not.toBeNull();
    await send(ann, "PATCH", `/api/v1/sandboxes/${sandbox.id}`, { idleTimeoutMs: 1000 });
    await expect.poll(async () => (await lastOf(ann, sandbox)).endReason, { timeout: 20_000 }).toBe("idle");
    expect((await look(ann, program)).sandbox).toMatchObject({ status: "stopped", endReason: "idle" });
  });

  test("waits for its packages, and can be given up by then", async () => {
    index.publish({ name: "slow", version: "1.0", files: { "slow.py": "" } });
    index.behave("slow-1.0-py3-none-any.whl", "stall");
    const program = await make("Slow", {}, "slow\n");
    const { sandbox } = await json<ProgramSandbox>(begin(ann, program));
    await expect.poll(async () => (await look(ann, program)).sandbox?.phase, { timeout: 20_000 }).toBe("building_environment");
    expect((await errorOf(send(ann, "POST", `/api/v1/sandboxes/${sandbox?.id}/exec`, { command: "true" }))).code).toBe("sandbox_starting");
    expect((await end(ann, sandbox as Sandbox)).status).toBe(204);
    expect((await look(ann, program)).sandbox).toMatchObject({ id: sandbox?.id, status: "stopped", endReason: "deleted", error: null });
    index.behave("slow-1.0-py3-none-any.whl", "serve");
    await end(ann, await open(ann, program));
  });

  test("says why its packages cannot be had, and begins again when they can", async () => {
    const program = await make("Broken", {}, "no-such-package\n");
    await begin(ann, program);
    expect(await settled(ann, program)).toMatchObject({
      status: "failed",
      endReason: "environment_failed",
      error: { code: "package_not_found", message: expect.stringContaining("no-such-package") as string },
    });
    const change = { changes: [{ op: "write", file: { path: "requirements.txt", content: "greet\n" } }] };
    await send(ann, "POST", `/api/v1/programs/${program.id}/files`, change, { "if-match": "*" });
    await end(ann, await open(ann, program));
  });
});
