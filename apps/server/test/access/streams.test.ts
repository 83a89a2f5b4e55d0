import { once } from "node:events";
import type { Route } from "@syla/contracts/route";
import { routes, type RouteName } from "@syla/contracts/routes";
import { newId } from "@syla/server/platform/ids";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { createSandbox, waitForPort } from "@syla/testkit/sandboxes";
import { submit } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import Client from "ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cookieOf, givePassword, password, signIn, turnOnTwoFactor } from "../accounts/people.ts";
import { createAccount, setStatus, share, type Person } from "./people.ts";
import { createWorkspace } from "../workspaces/workspaces.ts";

/** "Within about a second", on a machine that does other things too. */
const soonMs = 2500;

let llm: LlmStandIn;
let server: TestServer;
let ann: Person;
let bob: Person;
let run: string;

beforeAll(async () => {
  llm = await startLlm();
  server = await startTestServer({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}` });
  ann = await createAccount(server);
  run = (await submit(server, { code: "echo begun; sleep 600", entrypoint: "a.sh", limits: { wallMs: 600_000 } }, ann.headers)).id;
});
beforeEach(async () => {
  bob = await createAccount(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await llm[Symbol.asyncDispose]();
});

/** Whoever calls, by whatever lets them in. */
interface Caller {
  readonly headers: Readonly<Record<string, string>>;
}

const thing = () => ({ resourceType: "run", resourceId: run });

/** Follows the run; `ended` resolves with the milliseconds since `mark` when the stream ends. */
async function follow({ headers }: Caller) {
  const answer = await server.fetch(`/api/v1/runs/${run}/events`, { headers });
  expect(answer.status).toBe(200);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("there is no body");
  let text = "";
  while (!text.includes("begun")) text += (await reader.read()).value ?? "";
  const ended = (async () => {
    while (!(await reader.read()).done);
    return Date.now();
  })();
  return { ended, cancel: () => reader.cancel() };
}

/** How long after a change a stream ends, milliseconds. */
async function endsAfter(ended: Promise<number>, change: () => Promise<unknown>): Promise<number> {
  const begun = Date.now();
  await change();
  return (await ended) - begun;
}

describe("an open event stream", () => {
  it("ends when the grant is taken back", async () => {
    const id = await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const { ended } = await follow(bob);
    expect(await endsAfter(ended, () => server.fetch(`/api/v1/grants/${id}`, { method: "DELETE", headers: ann.headers }))).toBeLessThan(
      soonMs,
    );
    expect((await server.fetch(`/api/v1/runs/${run}/events`, { headers: bob.headers })).status).toBe(404);
  });

  it("ends when the grant expires", async () => {
    const expiresAt = new Date(Date.now() + 1500);
    await share(server, ann, { ...thing(), email: bob.email, level: "view", expiresAt: expiresAt.toISOString() });
    const { ended } = await follow(bob);
    expect(Math.abs((await ended) - expiresAt.getTime())).toBeLessThan(soonMs);
  });

  it("ends when the link by which it was opened is revoked", async () => {
    const made = await server.send("POST", "/api/v1/share-links", { ...thing(), level: "view" }, ann.headers);
    const { token, grant } = (await made.json()) as { token: string; grant: { id: string } };
    await server.send("POST", "/api/v1/share-links/redeem", { token }, bob.headers);
    const { ended } = await follow(bob);
    expect(
      await endsAfter(ended, () => server.fetch(`/api/v1/grants/${grant.id}`, { method: "DELETE", headers: ann.headers })),
    ).toBeLessThan(soonMs);
  });

  it("ends when the person leaves the team that has the grant", async () => {
    const made = await server.send("POST", "/api/v1/teams", { name: "Readers" }, ann.headers);
    const team = (await made.json()) as { id: string };
    const { queries } = server.context.database;
    await queries.insertInto("team_members").values({ team_id: team.id, user_id: bob.id, role: "member" }).execute();
    await share(server, ann, { ...thing(), teamId: team.id, level: "view" });
    const { ended } = await follow(bob);
    expect(
      await endsAfter(ended, () => server.fetch(`/api/v1/teams/${team.id}/members/me`, { method: "DELETE", headers: bob.headers })),
    ).toBeLessThan(soonMs);
  });

  it("ends when the run is public no more", async () => {
    await server.send("PATCH", `/api/v1/runs/${run}`, { visibility: "public" }, ann.headers);
    const { ended } = await follow(bob);
    expect(await endsAfter(ended, () => server.send("PATCH", `/api/v1/runs/${run}`, { visibility: "private" }, ann.headers))).toBeLessThan(
      soonMs,
    );
  });

  it("ends when the account is suspended, or the key revoked", async () => {
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const first = await follow(bob);
    expect(await endsAfter(first.ended, () => setStatus(server, bob, "suspended"))).toBeLessThan(soonMs);
    const refused = await server.fetch("/api/v1/users/me", { headers: bob.headers });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "account_suspended"]);
    await setStatus(server, bob, "active");
    const second = await follow(bob);
    expect(
      await endsAfter(second.ended, () => server.fetch(`/api/v1/api-keys/${bob.keyId}`, { method: "DELETE", headers: bob.headers })),
    ).toBeLessThan(soonMs);
  });

  it("goes on for those whose access stays", async () => {
    const cid = await createAccount(server);
    await share(server, ann, { ...thing(), email: cid.email, level: "view" });
    const staying = await follow(cid);
    const id = await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const { ended } = await follow(bob);
    expect(await endsAfter(ended, () => server.fetch(`/api/v1/grants/${id}`, { method: "DELETE", headers: ann.headers }))).toBeLessThan(
      soonMs,
    );
    await expect(Promise.race([staying.ended, new Promise((resolve) => setTimeout(resolve, 300, "open"))])).resolves.toBe("open");
    await staying.cancel();
  });
});

describe("what is open in a sandbox", () => {
  it("ends with the access: streams, terminals and previews", async () => {
    const sandbox = await createSandbox(server, {}, ann.headers);
    const base = `/api/v1/sandboxes/${sandbox.id}`;
    const id = await share(server, ann, { resourceType: "sandbox", resourceId: sandbox.id, email: bob.email, level: "edit" });
    const started = await server.send(
      "POST",
      `${base}/processes`,
      { command: "echo begun; cat", terminal: { columns: 80, rows: 24 } },
      bob.headers,
    );
    const { pid } = (await started.json()) as { pid: number };
    const socket = new Client(`${server.url.replace("http", "ws")}${base}/processes/${pid}/terminal`, { headers: bob.headers });
    await once(socket, "open");
    const output = await server.fetch(`${base}/processes/${pid}/output`, { headers: bob.headers });
    const exec = server.send("POST", `${base}/exec/stream`, { command: "echo begun; sleep 100" }, bob.headers);
    const opened = await server.send("POST", `${base}/ports/8080/preview`, {}, bob.headers);
    const { url } = (await opened.json()) as { url: string };
    const drained = Promise.all([output.text(), exec.then((answer) => answer.text()), once(socket, "close")]);
    const begun = Date.now();
    await server.fetch(`/api/v1/grants/${id}`, { method: "DELETE", headers: ann.headers });
    const [, , [code]] = await drained;
    expect([Date.now() - begun < soonMs, code]).toEqual([true, 4003]);
    await expect.poll(async () => (await server.fetch(base, { headers: bob.headers })).status).toBe(404);
    expect(url).toContain(".localhost");
  });
});

/** A model at a provider that falls silent in the middle of its answer. */
async function createModel(owner: Person): Promise<string> {
  llm.behave({ stallAfter: 1 });
  const config = { provider: "openai-compatible", modelId: "m", baseUrl: `${llm.url}/v1`, prices: { input: 1, output: 1 } };
  const made = await server.send("POST", "/api/v1/models", { name: newId("test"), config }, owner.headers);
  return ((await made.json()) as { id: string }).id;
}

/** A stream or a socket that is open. */
interface Open {
  readonly ended: Promise<unknown>;
}

/** Calls it; resolves when the answer has begun. */
async function callModel(model: string, person: Person): Promise<Open> {
  const body = { model, stream: true, messages: [{ role: "user", content: "Hello" }] };
  const answer = await server.send("POST", "/v1/chat/completions", body, person.headers);
  expect(answer.status).toBe(200);
  return { ended: answer.text() };
}

/** An environment whose build and image take their time. */
async function insertEnvironment(owner: Person): Promise<string> {
  const { queries } = server.context.database;
  const id = newId("env");
  const { workerId: worker_id } = server.context;
  const asked = {
    manager: "uv",
    language: "python",
    runtime_version: "3",
    platform: "linux",
    source: "requirements",
    dependencies: "[]",
  } as const;
  await queries
    .insertInto("environments")
    .values({
      id,
      key: id,
      request_key: id,
      base_key: null,
      scope: null,
      ...asked,
      request_sha256: "",
      state: "building",
      phase: "install",
      worker_id,
      lock_sha256: null,
      log_sha256: null,
      size: null,
      build_ms: null,
    })
    .execute();
  await queries.insertInto("environment_users").values({ environment_id: id, user_id: owner.id }).execute();
  await queries
    .insertInto("environment_images")
    .values({
      environment_id: id,
      state: "building",
      phase: "assemble",
      worker_id,
      image_id: null,
      reference: null,
      digest: null,
      size: null,
      log_sha256: null,
    })
    .execute();
  return id;
}

async function insertImport(owner: Person): Promise<string> {
  const id = newId("imp");
  await server.context.database.queries
    .insertInto("imports")
    .values({
      id,
      owner_id: owner.id,
      state: "fetching",
      source: JSON.stringify({ kind: "template", template: "none" }),
      archive_sha256: null,
      asset_id: null,
      tree_sha256: null,
      whole_tree_sha256: null,
      folder: null,
      analysis_sha256: null,
      phase: "fetch",
      progress_seq: 1,
      worker_id: server.context.workerId,
      expires_at: new Date(Date.now() + 3_600_000),
    })
    .execute();
  return id;
}

describe("every route that streams", () => {
  it("ends with the key that it was opened with", async () => {
    const sandbox = await createSandbox(server, { language: "python" }, bob.headers);
    const at = `/api/v1/sandboxes/${sandbox.id}`;
    const json = async <T>(answer: Promise<Response>) => (await (await answer).json()) as T;
    const start = (command: string, terminal?: object) =>
      json<{ pid: number }>(server.send("POST", `${at}/processes`, { command, terminal }, bob.headers));
    const [{ pid }, { pid: shell }, context] = [
      await start("echo begun; cat"),
      await start("cat", { columns: 80, rows: 24 }),
      await json<{ id: string }>(server.send("POST", `${at}/contexts`, {}, bob.headers)),
    ];
    await start("exec python3 -m http.server 8080");
    await waitForPort(server, sandbox.id, 8080, bob.headers);
    const [environment, imported, model] = [await insertEnvironment(bob), await insertImport(bob), await createModel(bob)];
    const workspace = await createWorkspace(server, bob, "Streamed");
    const drawn = await json<{ asset: { id: string } }>(server.send("POST", "/api/v1/compositions", { name: "Streamed" }, bob.headers));
    const following = (await submit(server, { code: "echo begun; sleep 60", entrypoint: "a.sh" }, bob.headers)).id;
    const read = async (asked: Promise<Response>): Promise<Open> => {
      const answer = await asked;
      expect(answer.status).toBe(200);
      return { ended: answer.text() };
    };
    const get = (path: string) => read(server.fetch(path, { headers: bob.headers }));
    /** There is nothing to say yet, so the answer has not begun. */
    const getQuiet = async (path: string): Promise<Open> => await Promise.resolve({ ended: get(path).then(({ ended }) => ended) });
    const socket = async (path: string): Promise<Open> => {
      const client = new Client(server.url.replace("http", "ws") + path, { headers: bob.headers });
      await once(client, "open");
      return { ended: once(client, "close") };
    };
    const opening: Partial<Record<RouteName, Promise<Open>>> = {
      streamEnvironment: getQuiet(`/api/v1/environments/${environment}/events`),
      streamEnvironmentImage: getQuiet(`/api/v1/environments/${environment}/image/events`),
      streamImport: get(`/api/v1/imports/${imported}/events`),
      streamRun: get(`/api/v1/runs/${following}/events`),
      streamProcess: get(`${at}/processes/${pid}/output`),
      watchSandboxFiles: getQuiet(`${at}/files/watch?path=%2Fworkspace`),
      streamExec: read(server.send("POST", `${at}/exec/stream`, { command: "echo begun; sleep 60" }, bob.headers)),
      runInContext: read(
        server.send("POST", `${at}/contexts/${context.id}/run`, { code: "print(1, flush=True); import time; time.sleep(60)" }, bob.headers),
      ),
      openTerminal: socket(`${at}/processes/${shell}/terminal`),
      openPort: socket(`${at}/ports/8080/connection`),
      followNotifications: socket("/api/v1/notifications/live"),
      joinWorkspace: socket(`/api/v1/workspaces/${workspace.id}/live`),
      joinComposition: socket(`/api/v1/compositions/${drawn.asset.id}/live`),
      followWorkspace: get(`/api/v1/workspaces/${workspace.id}/people`),
      createChatCompletion: callModel(model, bob),
    };
    const table = Object.entries(routes) as [RouteName, Route][];
    const isStreaming = ({ responses }: Route) => Object.values(responses).some((kind) => kind === "event-stream" || kind === "websocket");
    expect(Object.keys(opening)).toEqual(expect.arrayContaining(table.filter(([, route]) => isStreaming(route)).map(([name]) => name)));

    const open = await Promise.all(Object.values(opening));
    const early: unknown[] = [];
    for (const { ended } of open) void ended.then((what) => early.push(what));
    await start("true"); // a turn for each of them
    expect(early).toEqual([]);
    await server.fetch(`/api/v1/api-keys/${bob.keyId}`, { method: "DELETE", headers: bob.headers });
    await Promise.all(open.map(({ ended }) => ended));
  }, 60_000);

  it("of a model ends when the leave to call it is taken back", async () => {
    const model = await createModel(ann);
    const id = await share(server, ann, { resourceType: "asset", resourceId: model, email: bob.email, level: "run" });
    const { ended } = await callModel(model, bob);
    await server.fetch(`/api/v1/grants/${id}`, { method: "DELETE", headers: ann.headers });
    expect(await ended).toContain("access that this rested on has ended");
  });
});

describe("what is open in a browser", () => {
  const choose = (requireTwoFactor: string | null) => server.send("PATCH", "/api/v1/admin/settings", { values: { requireTwoFactor } });
  afterEach(() => choose(null));

  /** How somebody is signed in with the password, and with their second factor where they have one. */
  async function signInAs({ email }: Person, more: { code?: string } = {}): Promise<Caller> {
    const answer = await signIn(server, email, password, more);
    expect(answer.status).toBe(201);
    return { headers: { cookie: cookieOf(answer) } };
  }
  const openSocket = async ({ headers }: Caller): Promise<Open> => {
    const client = new Client(`${server.url.replace("http", "ws")}/api/v1/notifications/live`, { headers });
    await once(client, "open");
    return { ended: once(client, "close") };
  };
  const isOpen = async (ended: Promise<unknown>) =>
    await Promise.race([ended.then(() => "ended"), new Promise((resolve) => setTimeout(resolve, 300, "open"))]);

  it("ends when a second factor is required from now on, and for nobody who has one, or came by a key", async () => {
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const cid = await createAccount(server);
    await share(server, ann, { ...thing(), email: cid.email, level: "view" });
    const [code = "", second = ""] = await turnOnTwoFactor(server, cid.id, cid.email);
    await givePassword(server, bob.id);
    const [lacking, having] = [await signInAs(bob), await signInAs(cid, { code })];
    const [stream, byKey, proven] = [await follow(lacking), await follow(bob), await follow(having)];
    const socket = await openSocket(lacking);
    await choose("admins");
    expect(await isOpen(stream.ended)).toBe("open");
    await choose("all");
    await stream.ended;
    await socket.ended;
    const refused = await server.fetch(`/api/v1/runs/${run}/events`, { headers: lacking.headers });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "two_factor_needed"]);
    expect([await isOpen(byKey.ended), await isOpen(proven.ended)]).toEqual(["open", "open"]);
    const off = await server.send("POST", "/api/v1/users/me/two-factor/disable", { password, code: second }, { ...having.headers });
    expect(off.status).toBe(204);
    await proven.ended;
    expect(await isOpen(byKey.ended)).toBe("open");
    await byKey.cancel();
  });

  it("ends when somebody becomes one of those who have to have a second factor", async () => {
    await choose("admins");
    await givePassword(server, bob.id);
    const signedIn = await signInAs(bob);
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const { ended } = await follow(signedIn);
    expect(await isOpen(ended)).toBe("open");
    const byKey = await follow(bob);
    await server.send("PATCH", `/api/v1/users/${bob.id}`, { role: "admin" });
    await ended;
    expect(await isOpen(byKey.ended)).toBe("open");
    await byKey.cancel();
  });
});
