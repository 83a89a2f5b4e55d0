import { request } from "node:http";
import { text } from "node:stream/consumers";
import { accessLevels, levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { ErrorCode } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import { routes, type RouteName } from "@syla/contracts/routes";
import { newId } from "@syla/server/platform/ids";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectations, type Expectation } from "./expectations.ts";
import { createAccount, setStatus, share, type Person } from "./people.ts";

/** How a call ended, as far as permission is concerned. */
type Outcome = "allowed" | "unauthenticated" | "suspended" | "no scope" | "forbidden" | "hidden";

/** Somebody who calls. `level`: what a grant gives them; `capped`: an end user, who changes nothing of what others have. */
interface Caller {
  readonly headers: { readonly authorization: string };
  readonly refused?: Outcome;
  readonly role: "end_user" | "developer" | "admin";
  readonly level: AccessLevel | "owner" | null;
  readonly team: "owner" | "member" | null;
}

const table = Object.entries(routes) as [RouteName, Route][];
const sockets: readonly string[] = ["openTerminal", "openPort", "followNotifications"];
let server: TestServer;
let owner: Person;
let people: Record<string, Person>;
let callers: Record<string, Caller>;
let runId: string;
let judgedId: string;
let artifactId: string;
let sandboxId: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT_ANONYMOUS: "0", SYLA_RATE_LIMIT: "0" });
  owner = await createAccount(server);
  const run = await execute(
    server,
    { files: [{ path: "main.sh", content: "cat > /output/a" }], entrypoint: "main.sh", stdin: "x" },
    owner.headers,
  );
  runId = run.id;
  const tests = { cases: [{ stdin: "", expected: { stdout: "1\n" } }] };
  judgedId = (await execute(server, { code: "echo 1", entrypoint: "main.sh", tests }, owner.headers)).id;
  const artifacts = (await (await server.fetch(`/api/v1/runs/${runId}/artifacts`, { headers: owner.headers })).json()) as {
    items: { id: string }[];
  };
  artifactId = artifacts.items[0]?.id ?? "";
  sandboxId = await insertSandbox();
  await makeCallers();
});
afterAll(() => server[Symbol.asyncDispose]());

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

async function makeCallers(): Promise<void> {
  const things = [
    { resourceType: "run", resourceId: runId },
    { resourceType: "run", resourceId: judgedId },
    { resourceType: "sandbox", resourceId: sandboxId },
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
function expected({ need }: Expectation, caller: Caller): Outcome {
  if (need === "nothing") return "allowed";
  if (caller.refused !== undefined) return caller.refused;
  if (need === "account" || caller.role === "admin") return "allowed";
  if (need === "admin") return "forbidden";
  if (need === "developer") return caller.role === "developer" ? "allowed" : "forbidden";
  if ("team" in need) {
    if (caller.team === null) return "hidden";
    return need.team === "member" || caller.team === "owner" ? "allowed" : "forbidden";
  }
  const needed = "run" in need ? need.run : need.sandbox;
  if (caller.level === "owner") return "allowed";
  if (caller.level === null) return "hidden";
  const level = caller.role === "end_user" ? "run" : caller.level;
  return levelCovers(level, needed) ? "allowed" : "forbidden";
}

/** What is used up by a call is made anew for each. */
async function fill(name: RouteName, expectation: Expectation): Promise<Record<string, string>> {
  const { need } = expectation;
  const parts: Record<string, string> = { ARTIFACT: artifactId };
  if (typeof need === "string") return parts;
  if ("run" in need) parts["id"] = name === "getTestReport" ? judgedId : runId;
  if ("sandbox" in need) parts["id"] = sandboxId;
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
    expect(table.filter(([, route]) => route.method !== "GET" && route.audit === undefined).map(([name]) => name)).toEqual([]);
  });

  it("agrees with what each caller meets", async () => {
    const wrong: string[] = [];
    const counts: Record<string, Partial<Record<Outcome, number>>> = {};
    for (const [name, route] of table) {
      const expectation = expectations[name];
      if (expectation === undefined) continue;
      for (const [who, caller] of Object.entries(callers)) {
        const outcome = await call(name, route, expectation, caller).catch((error: unknown) => String(error));
        const should = expected(expectation, caller);
        if (outcome !== should) wrong.push(`${name}, ${who}: ${outcome} instead of ${should}`);
        else (counts[who] ??= {})[should] = ((counts[who] ??= {})[should] ?? 0) + 1;
      }
    }
    // oxlint-disable-next-line no-console -- how much was tried is worth seeing
    console.table(counts);
    expect(wrong).toEqual([]);
  }, 300_000);
});
