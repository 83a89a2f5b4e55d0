import { request } from "node:http";
import { text } from "node:stream/consumers";
import { accessLevels, levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { ErrorCode } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import { routes, type RouteName } from "@syla/contracts/routes";
import { newId } from "@syla/server/platform/ids";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectations, type Expectation } from "./expectations.ts";
import { createAccount, setStatus, share, type Person } from "./people.ts";

/** How a call ended, as far as permission is concerned. */
type Outcome = "allowed" | "no link" | "unauthenticated" | "suspended" | "no scope" | "forbidden" | "hidden";

/** Somebody who calls. `level`: what a grant gives them; `capped`: an end user, who changes nothing of what others have. */
interface Caller {
  readonly headers: { readonly authorization: string };
  readonly refused?: Outcome;
  readonly role: "end_user" | "developer" | "admin";
  readonly level: AccessLevel | "owner" | null;
  readonly team: "owner" | "member" | null;
  /** Not signed in, with a link to the run, or to another one. */
  readonly link?: "this" | "another";
}

const table = Object.entries(routes) as [RouteName, Route][];
const sockets: readonly string[] = ["openTerminal", "openPort", "followNotifications"];
let server: TestServer;
let owner: Person;
let people: Record<string, Person>;
let callers: Record<string, Caller>;
let runId: string;
let judgedId: string;
let analysedId: string;
/** A run that goes on: it cannot be deleted by whoever may. */
let liveId: string;
let artifactId: string;
let sandboxId: string;
let assetId: string;
let modelId: string;
let datasetId: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT_ANONYMOUS: "0", SYLA_RATE_LIMIT: "0" });
  await allowLinks(true);
  owner = await createAccount(server);
  const run = await execute(
    server,
    { files: [{ path: "main.sh", content: "cat > /output/a" }], entrypoint: "main.sh", stdin: "x" },
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
  liveId = newId("run");
  await sql`insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash)
    select ${liveId}, kind, 'waiting', owner_id, language, entrypoint, config, request_hash from runs where id = ${runId}`.execute(
    server.context.database.queries,
  );
  sandboxId = await insertSandbox();
  assetId = await createProgram();
  modelId = await createModel();
  datasetId = await createDataset();
  await makeCallers();
});
afterAll(() => server[Symbol.asyncDispose]());

async function allowLinks(allowed: boolean): Promise<void> {
  const answer = await server.send("PATCH", "/api/v1/admin/settings", { values: { anonymousLinks: String(allowed) } });
  expect(answer.status).toBe(200);
}

/** The headers of somebody who has nothing but a link, one that would let people with an account do everything. */
async function makeLink(resourceId: string): Promise<{ authorization: string }> {
  const made = await server.send("POST", "/api/v1/share-links", { resourceType: "run", resourceId, level: "admin" }, owner.headers);
  return { authorization: `Bearer ${((await made.json()) as { token: string }).token}` };
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
      idle_timeout_ms: 60_000,
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

async function makeCallers(): Promise<void> {
  const things = [
    { resourceType: "run", resourceId: runId },
    { resourceType: "run", resourceId: judgedId },
    { resourceType: "run", resourceId: analysedId },
    { resourceType: "run", resourceId: liveId },
    { resourceType: "sandbox", resourceId: sandboxId },
    { resourceType: "asset", resourceId: assetId },
    { resourceType: "asset", resourceId: modelId },
    { resourceType: "asset", resourceId: datasetId },
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
    for (const thing of things) await share(server, owner, { ...thing, email: to.email, level });
  };
  for (const to of [cappedUser, suspended, revoked]) await grantAll(to, "admin");
  for (const thing of things) {
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
  const developer = { role: "developer", level: null, team: null } as const;
  callers = {
    anonymous: { ...developer, headers: { authorization: "" }, refused: "unauthenticated" },
    "revoked key": { ...developer, headers: revoked.headers, refused: "unauthenticated" },
    suspended: { ...developer, headers: suspended.headers, refused: "suspended" },
    "no scope": { ...developer, headers: { authorization: "Bearer without-scope" }, refused: "no scope" },
    stranger: { ...developer, headers: stranger.headers },
    "end user": { ...developer, headers: endUser.headers, role: "end_user" },
    "end user, admin grant": { ...developer, headers: cappedUser.headers, role: "end_user", level: "admin" },
    "expired link": { ...developer, headers: late.headers },
    "team member": { ...developer, headers: member.headers, team: "member" },
    administrator: { headers: admin.headers, role: "admin", level: "owner", team: "owner" },
    owner: { ...developer, headers: owner.headers, level: "owner", team: "owner" },
    "link, not signed in": { ...developer, headers: await makeLink(runId), level: "view", link: "this" },
    "link elsewhere, not signed in": { ...developer, headers: await makeLink(judgedId), link: "another" },
    "link that was never made": { ...developer, headers: { authorization: "Bearer syla_share_never" }, refused: "no link" },
  };
  for (const level of accessLevels) {
    const person = await createAccount(server);
    await grantAll(person, level);
    callers[`${level} grant`] = { ...developer, headers: person.headers, level };
  }
  const { accounts } = server.context;
  const authenticate = accounts.authenticate.bind(accounts);
  accounts.authenticate = async (incoming, reply) =>
    incoming.headers.authorization === "Bearer without-scope"
      ? { userId: owner.id, role: "admin", via: "api-key", keyId: "key_none", scopes: ["nothing:read"] }
      : await authenticate(incoming, reply);
}

/** What a caller should meet. */
function expected({ need, link }: Expectation, caller: Caller): Outcome {
  if (need === "nothing") return "allowed";
  if (caller.refused !== undefined) return caller.refused;
  if (caller.link !== undefined && link !== true) return "unauthenticated";
  if (need === "account" || caller.role === "admin") return "allowed";
  if (need === "admin") return "forbidden";
  if (need === "developer") return caller.role === "developer" ? "allowed" : "forbidden";
  if ("team" in need) {
    if (caller.team === null) return "hidden";
    return need.team === "member" || caller.team === "owner" ? "allowed" : "forbidden";
  }
  const needed =
    "run" in need
      ? need.run
      : "sandbox" in need
        ? need.sandbox
        : "model" in need
          ? need.model
          : "dataset" in need
            ? need.dataset
            : need.asset;
  if (caller.level === "owner") return "allowed";
  if (caller.level === null) return "hidden";
  if (needed === "owner") return "forbidden";
  const level = caller.role === "end_user" ? "run" : caller.level;
  return levelCovers(level, needed) ? "allowed" : "forbidden";
}

/** What is used up by a call is made anew for each. */
async function fill(name: RouteName, expectation: Expectation): Promise<Record<string, string>> {
  const { need } = expectation;
  const parts: Record<string, string> = { ARTIFACT: artifactId };
  if (typeof need === "string") return parts;
  if ("run" in need) parts["id"] = { getTestReport: judgedId, getAnalysis: analysedId, deleteRun: liveId }[name as string] ?? runId;
  if ("sandbox" in need) parts["id"] = sandboxId;
  if ("dataset" in need) parts["id"] = datasetId;
  if ("model" in need) {
    parts["id"] = modelId;
    await server.context.database.queries.updateTable("assets").set({ deleted_at: null }).where("id", "=", modelId).execute();
  }
  if ("asset" in need) {
    parts["id"] = assetId;
    await server.context.database.queries
      .updateTable("assets")
      .set({ deleted_at: null, owner_id: owner.id })
      .where("id", "=", assetId)
      .execute();
  }
  if (expectation.params?.["id"] === "GRANT")
    parts["id"] = await share(server, owner, { resourceType: "run", resourceId: runId, email: "once@example.org", level: "view" });
  if ("team" in need) Object.assign(parts, await makeTeam());
  return parts;
}

async function makeTeam(): Promise<Record<string, string>> {
  const { queries } = server.context.database;
  const made = (await (await server.send("POST", "/api/v1/teams", { name: "T" }, owner.headers)).json()) as { id: string };
  const other = people["stranger"] as Person;
  const extra = await createAccount(server);
  for (const person of [people["member"] as Person, extra])
    await queries.insertInto("team_members").values({ team_id: made.id, user_id: person.id, role: "member" }).execute();
  const invited = await server.send("POST", `/api/v1/teams/${made.id}/invitations`, { email: other.email }, owner.headers);
  const { invitation } = (await invited.json()) as { invitation: { id: string } };
  return { id: made.id, MEMBER: extra.id, INVITATION: invitation.id };
}

async function call(name: RouteName, route: Route, expectation: Expectation, caller: Caller): Promise<Outcome> {
  const parts = await fill(name, expectation);
  const given: Record<string, string> = { ...expectation.params, ...(parts["id"] === undefined ? {} : { id: parts["id"] }) };
  const path = route.path.replaceAll(/:(\w+)/g, (_, key: string) => parts[given[key] ?? ""] ?? given[key] ?? "missing");
  const query = expectation.query === undefined ? "" : `?${expectation.query.replace("ID", runId)}`;
  const address = `${path}${query}`;
  if (sockets.includes(name)) return await upgrade(address, caller);
  const body = expectation.body === undefined ? undefined : JSON.parse(JSON.stringify(expectation.body).replace('"ID"', `"${runId}"`));
  const answer =
    body === "bytes"
      ? await server.fetch(address, {
          method: route.method,
          headers: { ...caller.headers, "content-type": "application/octet-stream" },
          body: "x",
        })
      : await server.send(route.method, address, body, caller.headers);
  return outcomeOf(answer.status, await answer.text(), expectation);
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
  if (code === "forbidden") return "forbidden";
  return code === "not_found" && typeof need !== "string" ? "hidden" : "allowed";
}

/** Asks for a WebSocket. */
function upgrade(path: string, { headers }: Caller): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, {
      agent: false, // the connection of a refused one is closed
      headers: {
        ...(headers.authorization === "" ? {} : headers),
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    sent.on("error", reject);
    sent.on("upgrade", (_answer, socket) => {
      socket.destroy();
      resolve("allowed");
    });
    sent.on("response", (answer) => {
      const need = { sandbox: "edit" } as const;
      text(answer).then((body) => resolve(outcomeOf(answer.statusCode ?? 0, body, { need })), reject);
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

  it("agrees with what each caller meets", async () => {
    expect(await findDifferences(callers)).toEqual([]);
  }, 300_000);

  it("is nothing by a link alone while that is not allowed", async () => {
    await allowLinks(false);
    const { "link, not signed in": link, anonymous, "link that was never made": never } = callers;
    const off = { refused: "unauthenticated" } as const;
    expect(
      await findDifferences({
        anonymous: anonymous as Caller,
        link: { ...(link as Caller), ...off },
        never: { ...(never as Caller), ...off },
      }),
    ).toEqual([]);
  }, 120_000);
});

/** Where what callers meet is not what they should. */
async function findDifferences(tried: Readonly<Record<string, Caller>>): Promise<string[]> {
  const wrong: string[] = [];
  const counts: Record<string, Partial<Record<Outcome, number>>> = {};
  for (const [name, route] of table) {
    const expectation = expectations[name];
    if (expectation === undefined) continue;
    for (const [who, caller] of Object.entries(tried)) {
      const outcome = await call(name, route, expectation, caller).catch((error: unknown) => String(error));
      const should = expected(expectation, caller);
      if (outcome !== should) wrong.push(`${name}, ${who}: ${outcome} instead of ${should}`);
      else (counts[who] ??= {})[should] = ((counts[who] ??= {})[should] ?? 0) + 1;
    }
  }
  // oxlint-disable-next-line no-console -- how much was tried is worth seeing
  console.table(counts);
  return wrong;
}
