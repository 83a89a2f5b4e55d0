import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { AccessLevel } from "@syla/contracts/access";
import type { ErrorCode } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import { routes, type RouteName } from "@syla/contracts/routes";
import { newId } from "@syla/server/platform/ids";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cookieOf, signIn, tokenOf, password } from "../accounts/people.ts";
import { expectations, type Expectation } from "./expectations.ts";
import { foreignCalls, type ForeignIds } from "./foreign-ids.ts";
import { expectedOutcome, standings, type CallerName, type Outcome, type Ownership, type Standing } from "./outcomes.ts";
import { createAccount, insertRun, setStatus, share, type Person } from "./people.ts";
import { insertDelivery, insertModelCall, rowOf, Things } from "./things.ts";

/** Somebody who calls, and by what. */
interface Caller extends Standing {
  readonly headers: Readonly<Record<string, string>>;
}

const table = Object.entries(routes) as [RouteName, Route][];
const isSocket = ({ responses }: Route) => Object.values(responses).includes("websocket");
let server: TestServer;
let owner: Person;
let people: Record<string, Person>;
let callers: Record<CallerName, Caller>;
let things: Things;
let teamId: string;
let runId: string;
let judgedId: string;
/** A run that no route is called for. */
let elsewhereId: string;
let analysedId: string;
/** A run that goes on: it cannot be deleted by whoever may. */
let liveId: string;
let artifactId: string;
let sandboxId: string;
let assetId: string;
let modelId: string;
let datasetId: string;
let compositionId: string;
let workspaceId: string;
let modelCallId: string;
/** Links to what is called, by its id. */
const links = new Map<string, { authorization: string }>();

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT_ANONYMOUS: "0", SYLA_RATE_LIMIT: "0" });
  await allowLinks(true);
  owner = await createAccount(server);
  const run = await execute(
    server,
    { files: [{ path: "main.sh", content: "cat > /output/a.html" }], entrypoint: "main.sh", stdin: "x" },
    owner.headers,
  );
  runId = run.id;
  const tests = { cases: [{ stdin: "", expected: { stdout: "1\n" } }] };
  judgedId = (await execute(server, { code: "echo 1", entrypoint: "main.sh", tests }, owner.headers)).id;
  const analysed = await server.send("POST", "/api/v1/analyses", { files: [{ path: "main.py", content: "x = 1" }] }, owner.headers);
  analysedId = ((await analysed.json()) as { runId: string }).runId;
  const artifacts = (await (await server.fetch(`/api/v1/runs/${runId}/artifacts`, { headers: owner.headers })).json()) as {
    items: { id: string }[];
  };
  artifactId = artifacts.items[0]?.id ?? "";
  elsewhereId = await insertRun(server, owner);
  liveId = newId("run");
  await sql`insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash)
    select ${liveId}, kind, 'waiting', owner_id, language, entrypoint, config, request_hash from runs where id = ${runId}`.execute(
    server.context.database.queries,
  );
  sandboxId = await insertSandbox();
  assetId = await createProgram();
  modelId = await createModel();
  datasetId = await createDataset();
  compositionId = await createComposition();
  workspaceId = await createWorkspace();
  modelCallId = await insertModelCall(server, modelId, owner);
  things = new Things(server, owner, await createProgram());
  await makeCallers();
  teamId = await makeTeam("Owners");
});
afterAll(() => server[Symbol.asyncDispose]());

async function allowLinks(allowed: boolean): Promise<void> {
  const answer = await server.send("PATCH", "/api/v1/admin/settings", { values: { anonymousLinks: String(allowed) } });
  expect(answer.status).toBe(200);
}

interface Link {
  readonly token: string;
  readonly grant: { readonly id: string };
}

/** A link that would let people with an account do everything. */
async function makeLink(resourceId: string, resourceType = "run"): Promise<Link> {
  const made = await server.send("POST", "/api/v1/share-links", { resourceType, resourceId, level: "admin" }, owner.headers);
  return (await made.json()) as Link;
}

/** The headers of somebody who has nothing but the link. */
function headersOf({ token }: Link): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** A sandbox's record, without the sandbox: who may use it is told that it has ended. */
async function insertSandbox(): Promise<string> {
  const id = newId("sbx");
  await server.context.database.queries
    .insertInto("sandboxes")
    .values({
      id,
      owner_id: owner.id,
      name: "bench",
      language: "bash",
      tier: "namespace",
      network: "none",
      status: "running",
      requested_limits: "{}",
      idle_timeout_ms: 3_600_000,
      expires_at: new Date(Date.now() + 3_600_000),
      worker_id: server.context.workerId,
    })
    .execute();
  return id;
}

/** A program with a published version. */
async function createProgram(): Promise<string> {
  const input = { type: "program", name: `Program ${newId("test")}`, files: [{ path: "main.sh", content: "echo 1" }] };
  const made = (await (await server.send("POST", "/api/v1/assets", input, owner.headers)).json()) as { id: string };
  await server.send("POST", `/api/v1/assets/${made.id}/versions`, { version: "0.1.0" }, owner.headers);
  return made.id;
}

/** A model that nobody answers for. */
async function createModel(): Promise<string> {
  const config = { provider: "ollama", modelId: "m", baseUrl: "http://127.0.0.1:1", prices: { input: 1, output: 1 } };
  const made = await server.send("POST", "/api/v1/models", { name: `Model ${newId("test")}`, config }, owner.headers);
  return ((await made.json()) as { id: string }).id;
}

async function createDataset(): Promise<string> {
  const made = await server.fetch(`/api/v1/datasets?name=${newId("test")}`, {
    method: "POST",
    headers: { ...owner.headers, "content-type": "application/octet-stream" },
    body: "a\n1\n",
  });
  return ((await made.json()) as { id: string }).id;
}

async function createComposition(): Promise<string> {
  const made = await server.send("POST", "/api/v1/compositions", { name: newId("test") }, owner.headers);
  return ((await made.json()) as { asset: { id: string } }).asset.id;
}

/** A workspace with a version. */
async function createWorkspace(): Promise<string> {
  const input = { name: newId("test"), files: [{ path: "a.txt", content: "1" }] };
  const { id } = (await (await server.send("POST", "/api/v1/workspaces", input, owner.headers)).json()) as { id: string };
  await server.send("POST", `/api/v1/workspaces/${id}/versions`, {}, owner.headers);
  return id;
}

async function makeCallers(): Promise<void> {
  const shared = [
    { resourceType: "run", resourceId: runId },
    { resourceType: "run", resourceId: judgedId },
    { resourceType: "run", resourceId: analysedId },
    { resourceType: "run", resourceId: liveId },
    { resourceType: "sandbox", resourceId: sandboxId },
    { resourceType: "asset", resourceId: assetId },
    { resourceType: "asset", resourceId: modelId },
    { resourceType: "asset", resourceId: datasetId },
    { resourceType: "asset", resourceId: compositionId },
    { resourceType: "workspace", resourceId: workspaceId },
  ];
  const stranger = await createAccount(server);
  const endUser = await createAccount(server, "end_user");
  const cappedUser = await createAccount(server, "end_user");
  const admin = await createAccount(server, "admin");
  const suspended = await createAccount(server);
  const revoked = await createAccount(server);
  const late = await createAccount(server);
  const member = await createAccount(server);
  people = { stranger, endUser, cappedUser, admin, suspended, revoked, late, member };
  const grantAll = async (to: Person, level: AccessLevel) => {
    for (const thing of shared) await share(server, owner, { ...thing, email: to.email, level });
  };
  for (const to of [cappedUser, suspended, revoked]) await grantAll(to, "admin");
  for (const thing of shared) {
    const made = await server.send("POST", "/api/v1/share-links", { ...thing, level: "admin" }, owner.headers);
    const { token } = (await made.json()) as { token: string };
    expect((await server.send("POST", "/api/v1/share-links/redeem", { token }, late.headers)).status).toBe(200);
  }
  const { queries } = server.context.database;
  await queries
    .updateTable("grants")
    .set({ expires_at: new Date(0) })
    .where("subject_type", "=", "link")
    .execute();
  await setStatus(server, suspended, "suspended");
  await server.fetch(`/api/v1/api-keys/${revoked.keyId}`, { method: "DELETE", headers: revoked.headers });
  const granted = async (level: AccessLevel) => {
    const person = await createAccount(server);
    await grantAll(person, level);
    return person.headers;
  };
  const sessions = await signInBoth(admin, stranger);
  for (const { resourceType, resourceId } of shared) links.set(resourceId, headersOf(await makeLink(resourceId, resourceType)));
  const headers: Readonly<Record<CallerName, Readonly<Record<string, string>>>> = {
    anonymous: { authorization: "" },
    "revoked key": revoked.headers,
    suspended: suspended.headers,
    "administrator's key for usage alone": await makeKey(admin, standings["administrator's key for usage alone"].scopes),
    stranger: stranger.headers,
    "stranger with a session": sessions.own,
    "stranger with a token": await makeToken(stranger),
    "administrator acting as a stranger": sessions.acting,
    "end user": endUser.headers,
    "end user, admin grant": cappedUser.headers,
    "expired link": late.headers,
    "view grant": await granted("view"),
    "run grant": await granted("run"),
    "edit grant": await granted("edit"),
    "admin grant": await granted("admin"),
    "team member": member.headers,
    administrator: admin.headers,
    owner: owner.headers,
    "link, not signed in": headersOf(await makeLink(runId)),
    "link elsewhere, not signed in": headersOf(await makeLink(elsewhereId)),
    "link that was never made": { authorization: "Bearer syla_share_never" },
  };
  callers = Object.fromEntries(
    Object.entries(standings).map(([name, standing]) => [name, { ...standing, headers: headers[name as CallerName] }]),
  ) as Record<CallerName, Caller>;
}

async function makeKey(person: Person, scopes: readonly string[]): Promise<{ authorization: string }> {
  const made = await server.send("POST", "/api/v1/api-keys", { name: "narrow", scopes }, person.headers);
  return { authorization: `Bearer ${((await made.json()) as { key: string }).key}` };
}

/** A short-lived token for somebody's key. */
async function makeToken({ headers }: Person): Promise<{ authorization: string }> {
  const input = { grantType: "api_key", apiKey: headers.authorization.slice("Bearer ".length) };
  const pair = (await (await server.send("POST", "/api/v1/tokens", input, { authorization: "" })).json()) as { accessToken: string };
  return { authorization: `Bearer ${pair.accessToken}` };
}

/** A person's own session, and one of an administrator who acts as them. */
async function signInBoth(admin: Person, person: Person): Promise<{ own: { cookie: string }; acting: { cookie: string } }> {
  const signedIn = async ({ id, email }: Person) => {
    const reset = (await (await server.send("POST", `/api/v1/users/${id}/password-reset`)).json()) as { url: string };
    await server.send("POST", "/api/v1/password-reset/complete", { token: tokenOf(reset.url), password }, { authorization: "" });
    return cookieOf(await signIn(server, email));
  };
  const own = { cookie: await signedIn(person) };
  const before = await signedIn(admin);
  const acting = await server.send("POST", `/api/v1/users/${person.id}/impersonate`, { reason: "a test" }, { cookie: before });
  expect(acting.status).toBe(201);
  return { own, acting: { cookie: cookieOf(acting) } };
}

/** What is used up by a call is made anew for each. */
async function fill(name: RouteName, expectation: Expectation, ownership: Ownership): Promise<Record<string, string>> {
  const { need } = expectation;
  const parts: Record<string, string> = { ARTIFACT: artifactId, CALL: modelCallId };
  if (typeof need === "string") return parts;
  if ("run" in need) parts["id"] = { getTestReport: judgedId, getAnalysis: analysedId, deleteRun: liveId }[name as string] ?? runId;
  if ("sandbox" in need) parts["id"] = sandboxId;
  if ("workspace" in need) {
    parts["id"] = workspaceId;
    await putWorkspace(ownership);
  }
  if ("own" in need) {
    parts["id"] = await things.id(need.own);
    if (need.own === "webhook" && expectation.params?.["deliveryId"] !== undefined)
      parts["DELIVERY"] = await insertDelivery(server, parts["id"], owner);
  }
  const asset = assetOf(need);
  if (asset !== undefined) {
    parts["id"] = asset;
    await putAsset(asset, ownership);
  }
  if (expectation.params?.["id"] === "GRANT")
    parts["id"] = await share(server, owner, { resourceType: "run", resourceId: runId, email: "once@example.org", level: "view" });
  if (expectation.params?.["id"] === "LINK") parts["id"] = (await makeLink(runId)).grant.id;
  if ("team" in need) Object.assign(parts, await makeTeamParts());
  return parts;
}

/** The asset that a route is about. */
function assetOf(need: object): string | undefined {
  if ("asset" in need) return assetId;
  if ("model" in need) return modelId;
  if ("dataset" in need) return datasetId;
  return "composition" in need ? compositionId : undefined;
}

/** An asset as it was, and whose it is to be. */
async function putAsset(id: string, ownership: Ownership): Promise<void> {
  const owner_id = { private: owner.id, public: owner.id, team: teamId, system: "system" }[ownership];
  const visibility = ownership === "public" || ownership === "system" ? "public" : "private";
  await server.context.database.queries
    .updateTable("assets")
    .set({ deleted_at: null, owner_id, visibility })
    .where("id", "=", id)
    .execute();
}

/** The workspace as it was, and whose it is to be. */
async function putWorkspace(ownership: Ownership): Promise<void> {
  await server.context.database.queries
    .updateTable("workspaces")
    // Under another name each time: its copies may have the one that it had.
    .set({ deleted_at: null, state: "active", owner_id: ownership === "team" ? teamId : owner.id, name_key: newId("test") })
    .where("id", "=", workspaceId)
    .execute();
}

/** A team of the owner's, with the member in it. */
async function makeTeam(name: string): Promise<string> {
  const { id } = (await (await server.send("POST", "/api/v1/teams", { name }, owner.headers)).json()) as { id: string };
  await addMember(id, people["member"] as Person);
  return id;
}

async function addMember(team: string, { id }: Person): Promise<void> {
  await server.context.database.queries.insertInto("team_members").values({ team_id: team, user_id: id, role: "member" }).execute();
}

async function makeTeamParts(): Promise<Record<string, string>> {
  const id = await makeTeam("T");
  const other = people["stranger"] as Person;
  const extra = await createAccount(server);
  await addMember(id, extra);
  const invited = await server.send("POST", `/api/v1/teams/${id}/invitations`, { email: other.email }, owner.headers);
  const { invitation } = (await invited.json()) as { invitation: { id: string } };
  return { id, MEMBER: extra.id, INVITATION: invitation.id };
}

/** How a call went; `told`: by what name the audit trail has it, where it has to. */
interface Met {
  readonly outcome: Outcome;
  readonly told: string | null;
}

type Parts = Readonly<Record<string, string>>;

async function call(name: RouteName, route: Route, parts: Parts, caller: Caller): Promise<Met> {
  const expectation = expectationOf(name);
  const given: Record<string, string> = { ...expectation.params, ...(parts["id"] === undefined ? {} : { id: parts["id"] }) };
  const path = route.path.replaceAll(/:(\w+)/g, (_, key: string) => parts[given[key] ?? ""] ?? given[key] ?? "missing");
  const query = expectation.query === undefined ? "" : `?${expectation.query.replace("ID", runId)}`;
  const requestId = randomUUID();
  const headers = caller.link === "this" ? (links.get(parts["id"] ?? "") ?? caller.headers) : caller.headers;
  const { status, body } = await send(route, `${path}${query}`, expectation, { ...headers, "x-request-id": requestId });
  const outcome = outcomeOf(status, body, expectation);
  const isKnown = outcome !== "unauthenticated" && outcome !== "suspended" && outcome !== "no link";
  return { outcome, told: route.audit !== undefined && route.auth !== "none" && isKnown ? requestId : null };
}

function expectationOf(name: RouteName): Expectation {
  const expectation = expectations[name];
  if (expectation === undefined) throw new Error(`nothing is expected of ${name}`);
  return expectation;
}

/** What a call might change, where it is a thing that has a row. */
async function watched(route: Route, parts: Parts): Promise<string | null> {
  const { id } = parts;
  if (route.method === "GET" || id === undefined) return null;
  return await rowOf(server, id.startsWith("grant_") ? runId : id);
}

async function send(
  route: Route,
  address: string,
  expectation: Expectation,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; body: string }> {
  if (isSocket(route)) return await upgrade(address, headers);
  const body = expectation.body === undefined ? undefined : JSON.parse(JSON.stringify(expectation.body).replace('"ID"', `"${runId}"`));
  const answer =
    body === "bytes"
      ? await server.fetch(address, {
          method: route.method,
          headers: { ...headers, "content-type": "application/octet-stream" },
          body: "x",
        })
      : await server.send(route.method, address, body, headers);
  const { status } = answer;
  if (answer.headers.get("content-type")?.startsWith("text/event-stream") !== true) return { status, body: await answer.text() };
  await answer.body?.cancel(); // it may go on as long as somebody listens
  return { status, body: "" };
}

function outcomeOf(status: number, body: string, { need }: Expectation): Outcome {
  if (status < 400) return "allowed";
  const { code } = JSON.parse(body) as { code: ErrorCode };
  if (code === "invalid_request" && typeof need !== "string") throw new Error(`the call itself is wrong: ${body}`);
  if (code === "internal" || code === "rate_limited") throw new Error(body);
  if (code === "unauthenticated" || code === "invalid_api_key") return "unauthenticated";
  if (code === "share_link_invalid") return "no link";
  if (code === "account_suspended") return "suspended";
  if (code === "scope_missing") return "no scope";
  if (code === "impersonating") return "impersonating";
  if (code === "forbidden") return "forbidden";
  return code === "not_found" && typeof need !== "string" ? "hidden" : "allowed";
}

/** Asks for a WebSocket. */
function upgrade(path: string, { authorization, ...headers }: Readonly<Record<string, string>>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, {
      agent: false, // the connection of a refused one is closed
      headers: {
        ...headers,
        ...(authorization === undefined || authorization === "" ? {} : { authorization }),
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    sent.on("error", reject);
    sent.on("upgrade", (_answer, socket) => {
      socket.destroy();
      resolve({ status: 101, body: "" });
    });
    sent.on("response", (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    });
    sent.end();
  });
}

describe("who may use which route", () => {
  it("is said for every route that there is, and for none that there is not", () => {
    expect(Object.keys(expectations).toSorted()).toEqual(table.map(([name]) => name).toSorted());
  });

  it("is written down for every route that changes something", () => {
    // Calls of models change nothing, and each has a record of its own.
    const changing = table.filter(([, route]) => route.method !== "GET" && route.tag !== "gateway");
    expect(changing.filter(([, route]) => route.audit === undefined).map(([name]) => name)).toEqual([]);
  });

  it("agrees with what each caller meets, leaves what was refused as it was, and is told of in the audit trail", async () => {
    expect(await findDifferences(table, callers)).toEqual([]);
  }, 300_000);

  it("is nothing by a link alone while that is not allowed", async () => {
    await allowLinks(false);
    const { "link, not signed in": link, anonymous, "link that was never made": never } = callers;
    const off = { refused: "unauthenticated" } as const;
    expect(await findDifferences(table, { anonymous, link: { ...link, ...off }, never: { ...never, ...off } })).toEqual([]);
  }, 120_000);

  it.each(["public", "team", "system"] as const)(
    "follows whose an asset is: %s",
    async (ownership) => {
      await allowLinks(true);
      const { stranger, "end user": endUser, "view grant": viewer, "team member": member, administrator, owner: original } = callers;
      const { "link, not signed in": link, "link elsewhere, not signed in": elsewhere } = callers;
      const tried = { stranger, "end user": endUser, viewer, member, administrator, owner: original, link, elsewhere };
      const ofAssets = table.filter(([name]) => {
        const need = expectations[name]?.need;
        if (typeof need !== "object") return false;
        return assetOf(need) !== undefined || (ownership === "team" && "workspace" in need);
      });
      expect(await findDifferences(ofAssets, tried, ownership)).toEqual([]);
      for (const id of [assetId, modelId, datasetId, compositionId]) await putAsset(id, "private");
      await putWorkspace("private");
    },
    120_000,
  );

  it("lets nobody name somebody else's thing in a body or a query", async () => {
    const ids = await makeForeignIds();
    const wrong: string[] = [];
    const all = () => Promise.all([runId, assetId, modelId, datasetId, workspaceId, teamId, ids.own.teamId].map((id) => rowOf(server, id)));
    const before = await all();
    for (const { name, method, path, body, refusal } of foreignCalls(ids)) {
      const answer = await server.send(method, path, body, callers.stranger.headers);
      const said = await answer.text();
      if (!refusal.test(said)) wrong.push(`${name}: ${answer.status} ${said.slice(0, 300)}`);
      if ((await all()).join() !== before.join()) wrong.push(`${name}: something has changed`);
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});

/** The owner's things, and the stranger's to name them in. */
async function makeForeignIds(): Promise<ForeignIds> {
  const { headers } = callers.stranger;
  const post = async (path: string, body: object, by: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await server.send("POST", path, body, by);
    const said = await answer.text();
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${said}`);
    return (JSON.parse(said) as { id: string }).id;
  };
  const credential = (kind: string, more: object = {}) =>
    post("/api/v1/credentials", { kind, name: newId("test"), value: "hidden", ...more }, owner.headers);
  const uploaded = await server.fetch("/api/v1/blobs", {
    method: "POST",
    headers: { ...owner.headers, "content-type": "application/octet-stream" },
    body: "the owner's alone",
  });
  const program = { type: "program", name: newId("test"), files: [{ path: "main.sh", content: "echo 1" }] };
  const model = { name: newId("test"), config: { provider: "ollama", modelId: "m", baseUrl: "http://127.0.0.1:1" } };
  return {
    runId,
    assetId,
    modelId,
    datasetId,
    workspaceId,
    teamId,
    ownerId: owner.id,
    blob: ((await uploaded.json()) as { sha256: string }).sha256,
    credentials: {
      model: await credential("model"),
      git: await credential("git", { host: "git.example.org" }),
      index: await credential("index", { host: "packages.example.org" }),
      program: await credential("program"),
    },
    own: {
      runId: (await execute(server, { code: "echo 1", entrypoint: "main.sh" }, headers)).id,
      programId: await post("/api/v1/assets", program, headers),
      workspaceId: await post("/api/v1/workspaces", { name: newId("test") }, headers),
      modelId: await post("/api/v1/models", model, headers),
      teamId: await post("/api/v1/teams", { name: "Strangers" }, headers),
    },
  };
}

/** Where what callers meet is not what they should. */
async function findDifferences(
  tried: readonly (readonly [RouteName, Route])[],
  by: Readonly<Record<string, Caller>>,
  ownership: Ownership = "private",
): Promise<string[]> {
  const wrong: string[] = [];
  const told = new Map<string, string>();
  for (const [name, route] of tried) {
    const expectation = expectationOf(name);
    const all = Object.entries(by).filter(([, caller]) => expectation.endsSession !== true || caller.isInSession !== true);
    const shouldOf = (caller: Caller) => expectedOutcome(route, expectation, caller, ownership);
    const meet = async ([who, caller]: [string, Caller], parts: Parts) => {
      const met = await call(name, route, parts, caller).catch((error: unknown) => String(error));
      const outcome = typeof met === "string" ? met : met.outcome;
      if (outcome !== shouldOf(caller)) wrong.push(`${name}, ${who}: ${outcome} instead of ${shouldOf(caller)}`);
      if (typeof met !== "string" && met.told !== null) told.set(met.told, `${name}, ${who}`);
    };
    // Whoever is refused changes nothing, so all of them may try the same thing at once.
    const parts = await fill(name, expectation, ownership);
    const before = await watched(route, parts);
    await Promise.all(all.filter(([, caller]) => shouldOf(caller) !== "allowed").map((entry) => meet(entry, parts)));
    if ((await watched(route, parts)) !== before) wrong.push(`${name}: somebody was refused, and has changed something all the same`);
    for (const entry of all.filter(([, caller]) => shouldOf(caller) === "allowed")) {
      await meet(entry, await fill(name, expectation, ownership));
      if (route.method !== "GET" && typeof expectation.need !== "string" && "own" in expectation.need) things.forget(expectation.need.own);
    }
  }
  await server.context.audit.flushed();
  const events = await server.context.database.queries.selectFrom("audit_events").select("request_id").execute();
  for (const { request_id: id } of events) told.delete(id ?? "");
  const untold = [...told.values()].filter((which) => !changesNothing.some((name) => which.startsWith(`${name}, `)));
  return [...wrong, ...untold.map((which) => `${which}: not in the audit trail`)];
}

/** They may find that there is nothing to do, and then there is nothing to tell. */
const changesNothing: readonly RouteName[] = [
  "analyseProgram",
  "analyseWorkspace",
  "createAnalysis",
  "bulkRuns",
  "checkCompositionGraph",
  "findMissingBlobs",
  "listGitRefs",
  "listStaleRunNodes",
  "startProgramSandbox",
  "startWorkspaceSandbox",
];
