import type { WorkspaceAnalysis } from "@syla/contracts/workspace-analysis";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const read = (id: string, { headers } = ann) => server.fetch(`/api/v1/workspaces/${id}/analysis`, { headers });
const begin = (id: string, { headers } = ann) => server.send("POST", `/api/v1/workspaces/${id}/analysis`, undefined, headers);

async function finished(id: string, person = ann): Promise<WorkspaceAnalysis> {
  await expect.poll(async () => (await json<WorkspaceAnalysis>(read(id, person))).state, { timeout: 60_000 }).not.toBe("running");
  return await json<WorkspaceAnalysis>(read(id, person));
}

it("tells what is wrong with the files as they are now, to whoever may read them", async () => {
  const { id, revision, tree } = await createWorkspace(server, ann, "Broken", { "src/a.py": "x = (\n", "b.py": "y = 1\n" });
  expect(await json<WorkspaceAnalysis>(read(id))).toMatchObject({
    workspaceId: id,
    revision,
    tree: tree.sha256,
    state: "none",
    analysis: null,
  });
  const ben = await createAccount(server);
  expect((await errorOf(begin(id, ben))).code).toBe("not_found");
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: ben.email, level: "view" });
  // What somebody else has uploaded is read all the same.
  expect((await begin(id, ben)).status).toBe(202);
  const { state, analysis } = await finished(id, ben);
  expect(state).toBe("done");
  expect(analysis?.problems).toMatchObject([{ severity: "error", code: "syntax_error", file: "src/a.py", line: 1, column: 5 }]);

  const changes = { changes: [write("src/a.py", "x = 1\n")] };
  await server.send("POST", `/api/v1/workspaces/${id}/files`, changes, { ...ann.headers, "if-match": "*" });
  expect((await json<WorkspaceAnalysis>(read(id))).state).toBe("none");
  expect((await begin(id)).status).toBe(202);
  expect((await finished(id)).analysis?.problems).toEqual([]);
});

it("is begun once for the same files", async () => {
  const { id } = await createWorkspace(server, ann, "Once", { "once.py": "z = 3\n" });
  const runs = async () =>
    (await server.context.database.queries.selectFrom("runs").select("id").where("kind", "=", "analysis").execute()).length;
  const before = await runs();
  await Promise.all([begin(id), begin(id), begin(id)]);
  await finished(id);
  await begin(id);
  expect(await runs()).toBe(before + 1);
});
