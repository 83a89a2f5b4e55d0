import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxExecResult } from "@syla/contracts/sandboxes/processes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const create = (body: object, { headers } = ann) => server.send("POST", "/api/v1/sandboxes", body, headers);

it("has a copy of the files of a workspace, with what runs in it get", async () => {
  const { id, profile } = await createWorkspace(server, ann, "Copied", { "a.txt": "one\n", "src/b.txt": "two\n" });
  const ben = await createAccount(server);
  expect((await errorOf(create({ workspaceId: id }, ben))).code).toBe("not_found");
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: ben.email, level: "view" });
  expect((await errorOf(create({ workspaceId: id }, ben))).code).toBe("forbidden");
  const cleo = await createAccount(server);
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: cleo.email, level: "run" });
  const files = [{ path: "a.txt", content: "mine\n" }];
  const sandbox = await json<Sandbox>(create({ workspaceId: id, files }, cleo));
  expect(sandbox.limits).toMatchObject({ cpus: { value: profile.cpus }, memoryBytes: { value: profile.memoryBytes } });
  const command = "cat a.txt src/b.txt; echo changed > src/b.txt";
  const result = await json<SandboxExecResult>(server.send("POST", `/api/v1/sandboxes/${sandbox.id}/exec`, { command }, cleo.headers));
  expect(result).toMatchObject({ exitCode: 0, stdout: "mine\ntwo\n" });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "one\n", "src/b.txt": "two\n" });
  await server.send("DELETE", `/api/v1/sandboxes/${sandbox.id}`, undefined, cleo.headers);
});

it("gets no more than runs in the workspace may have", async () => {
  const { id, profile } = await createWorkspace(server, ann, "Bounded");
  expect((await errorOf(create({ workspaceId: id, network: "full" }))).code).toBe("invalid_request");
  expect((await errorOf(create({ workspaceId: id, limits: { cpus: profile.cpus + 1 } }))).code).toBe("limit_out_of_range");
  expect((await errorOf(create({ workspaceId: id, programId: "prog_none" }))).code).toBe("invalid_request");
  await server.send("POST", `/api/v1/workspaces/${id}/archive`, undefined, ann.headers);
  expect((await errorOf(create({ workspaceId: id }))).code).toBe("workspace_archived");
});
