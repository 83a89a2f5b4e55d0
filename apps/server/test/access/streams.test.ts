import { once } from "node:events";
import { createSandbox } from "@syla/testkit/sandboxes";
import { submit } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import Client from "ws";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, setStatus, share, type Person } from "./people.ts";

/** "Within about a second", on a machine that does other things too. */
const soonMs = 2500;

let server: TestServer;
let ann: Person;
let bob: Person;
let run: string;

beforeAll(async () => {
  server = await startTestServer();
  ann = await createAccount(server);
  run = (await submit(server, { code: "echo begun; sleep 120", entrypoint: "a.sh", limits: { wallMs: 120_000 } }, ann.headers)).id;
});
beforeEach(async () => {
  bob = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const thing = () => ({ resourceType: "run", resourceId: run });

/** Follows the run; `ended` resolves with the milliseconds since `mark` when the stream ends. */
async function follow(person: Person) {
  const answer = await server.fetch(`/api/v1/runs/${run}/events`, { headers: person.headers });
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
