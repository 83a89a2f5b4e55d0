import type { Asset } from "@syla/contracts/assets";
import type { Run } from "@syla/contracts/runs";
import type { Schedule } from "@syla/contracts/schedules";
import type { Trigger, TriggerAnswer } from "@syla/contracts/triggers";
import { waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, json } from "../catalog/programs.ts";

/** Who used a program's secrets is in the audit trail, whatever began the run. */

let server: TestServer;
let ann: Person;
let program: Asset;
let first: Run;

beforeAll(async () => {
  server = await startTestServer();
  ann = await createAccount(server);
  const { id: credentialId } = await json<{ id: string }>(
    send("POST", "/api/v1/credentials", { kind: "program", name: "Database", value: "s3cr3t-of-the-database" }),
  );
  const secrets = [{ variable: "DATABASE_URL", credentialId }];
  const config = { runtime: "bash", entrypoint: "main.sh", secrets };
  program = await createProgram(server, ann, "With a secret", { "main.sh": "echo ${#DATABASE_URL}" }, { config });
  first = await json<Run>(send("POST", "/api/v1/runs?wait=true", { programId: program.id }));
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (method: string, path: string, body?: unknown) => server.send(method, path, body, ann.headers);
/** The details of the one note of an action that names the secrets. */
const noted = async (action: string) => {
  const rows = await server.context.database.queries
    .selectFrom("audit_events")
    .select(["details", "resource_id"])
    .where("action", "=", action)
    .execute();
  return rows.filter(({ details }) => JSON.stringify(details).includes('"secretVariables":["DATABASE_URL"]')).map((row) => row.details);
};

test("in a run that was begun by somebody", async () => {
  expect(first.stdout).toBe("22\n");
  await expect.poll(() => noted("run.create")).toEqual([{ programId: program.id, secretVariables: ["DATABASE_URL"] }]);
});

test("in a run that is run again, alone or with others", async () => {
  const again = await json<Run>(send("POST", `/api/v1/runs/${first.id}/rerun`, {}));
  await waitForRun(server, again.id);
  await expect.poll(() => noted("run.rerun")).toEqual([{ secretVariables: ["DATABASE_URL"] }]);
  const many = await json<{ done: string[] }>(send("POST", "/api/v1/runs/bulk", { action: "retry", ids: [first.id] }));
  expect(many.done).toHaveLength(1);
  await expect.poll(() => noted("run.bulk")).toMatchObject([{ action: "retry", secretVariables: ["DATABASE_URL"] }]);
});

test("in a run that a trigger has started", async () => {
  const made = await json<Trigger & { secret: string }>(
    send("POST", "/api/v1/triggers", { name: "Push", programId: program.id, auth: "bearer" }),
  );
  const headers = { authorization: `Bearer ${made.secret}` };
  const answer = await server.fetch(`/api/v1/triggers/${made.id}/calls`, { method: "POST", body: "x", headers });
  const { runId } = await json<TriggerAnswer>(answer);
  await waitForRun(server, runId);
  await expect.poll(() => noted("trigger.call")).toEqual([{ runId, duplicate: false, secretVariables: ["DATABASE_URL"] }]);
});

test("in a run whose time has come", async () => {
  const wish = { name: "Yearly", programId: program.id, cron: "@yearly", missed: "once" };
  const { id } = await json<Schedule>(send("POST", "/api/v1/schedules", wish));
  await sql`UPDATE schedules SET next_at = now() - interval '366 days' WHERE id = ${id}`.execute(server.context.database.queries);
  await expect.poll(() => noted("run.create"), { timeout: 20_000 }).toContainEqual({ scheduleId: id, secretVariables: ["DATABASE_URL"] });
});
