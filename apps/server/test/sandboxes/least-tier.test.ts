import { Team } from "@syla/contracts/teams";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createProgram } from "../catalog/programs.ts";

/** Who may ask for how much isolation, on a server that has no virtual machines: what asks for them by itself is refused, never run without. */

let server: TestServer;
let ann: { authorization: string };
beforeAll(async () => {
  server = await startTestServer();
  ann = await createPerson(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;
const send = (method: string, path: string, body?: unknown, person: Record<string, string> = ann) =>
  server.send(method, path, body, person);
const submit = async (more: object = {}) => {
  const answer = await send("POST", "/api/v1/executions?wait=true", { language: "bash", code: "echo ran", ...more });
  const { code, detail, tier, stdout } = await json<Record<string, string>>(answer);
  return answer.status === 200 ? `${tier}: ${stdout}` : `${code}: ${detail}`;
};
const setting = (value: string) => send("PATCH", "/api/v1/admin/settings", { values: { leastTier: value } }, {});

it("is what each run asks for, where nobody asks for more", async () => {
  expect(await submit()).toBe("namespace: ran\n");
  expect(await submit({ tier: "microvm" })).toMatch(/^tier_unavailable/);
  const run = await execute(server, { language: "bash", code: "true" }, ann);
  expect(run).toMatchObject({ tier: "namespace", walls: ["bubblewrap", "namespaces", "seccomp"] });
});

it("is never less than what a team asks for, of what its members run", async () => {
  const team = await json<{ id: string }>(send("POST", "/api/v1/teams", { name: "careful" }));
  expect(Team.parse(await json(send("PATCH", `/api/v1/teams/${team.id}`, { leastTier: "microvm" })))).toMatchObject({
    leastTier: "microvm",
  });
  expect(await submit({ tier: "namespace" })).toBe(
    'tier_too_weak: The team "careful" asks for the tier microvm at least, and namespace is weaker.',
  );
  expect(await submit()).toMatch(/^tier_unavailable/); // it would be a machine, and there are none
  expect(await json(send("POST", "/api/v1/sandboxes", { tier: "namespace" }))).toMatchObject({ code: "tier_too_weak" });
  expect(await json(send("POST", "/api/v1/sandboxes", {}))).toMatchObject({ code: "tier_unavailable" });
  const bob = await createPerson(server);
  expect((await execute(server, { language: "bash", code: "true" }, bob)).tier).toBe("namespace");
  expect(await json(send("PATCH", `/api/v1/teams/${team.id}`, { leastTier: "kubernetes" }))).toMatchObject({ code: "invalid_request" });
  await send("PATCH", `/api/v1/teams/${team.id}`, { leastTier: "namespace" });
  expect(await submit()).toBe("namespace: ran\n");
});

it("is never less than what a program asks for", async () => {
  const asset = await createProgram(
    server,
    { headers: ann },
    "careful",
    { "main.sh": "echo ran" },
    { config: { runtime: "bash", entrypoint: "main.sh", leastTier: "microvm" } },
  );
  const run = async (more: object) => await json<{ code: string }>(send("POST", "/api/v1/runs", { programId: asset.id, ...more }));
  expect(await run({ tier: "namespace" })).toMatchObject({ code: "tier_too_weak" });
  expect(await run({})).toMatchObject({ code: "tier_unavailable" });
  expect(await json(send("POST", "/api/v1/sandboxes", { programId: asset.id, tier: "namespace" }))).toMatchObject({
    code: "tier_too_weak",
  });
});

it("is never less than what administrators ask for, of whatever is run", async () => {
  expect((await setting("microvm")).status).toBe(200);
  expect(await submit({ tier: "namespace" })).toBe(
    "tier_too_weak: This server asks for the tier microvm at least, and namespace is weaker.",
  );
  expect(await submit()).toMatch(/^tier_unavailable/);
  const options = await json<{ defaultTier: string }>(send("GET", "/api/v1/run-options"));
  expect(options.defaultTier).toBe("microvm");
  expect((await setting("pods")).status).toBe(400);
  expect((await setting("")).status).toBe(200);
  expect(await submit()).toBe("namespace: ran\n");
});
