import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "@syla/contracts/runs";
import type { Workspace, WorkspaceVersion } from "@syla/contracts/workspaces";
import { execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sweepWorkspaces } from "../../src/workspaces/lifecycle.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const run = (workspaceId: string, code: string, more: object = {}, person = ann) =>
  execute(server, { code, entrypoint: "script.sh", workspaceId, ...more }, person.headers);
const codeOf = async (input: object, person = ann) =>
  (await errorOf(server.send("POST", "/api/v1/executions?wait=true", input, person.headers))).code;
const running = async (id: string) => await waitForRun(server, id, ({ stdout }) => stdout.includes("begun"));
const versions = async (id: string) =>
  (await json<{ items: WorkspaceVersion[] }>(server.fetch(`/api/v1/workspaces/${id}/versions`, { headers: ann.headers }))).items;

it("finds the files of its workspace, and what it makes, changes and removes goes back", async () => {
  const { id } = await createWorkspace(server, ann, "Worked in", {
    "in.txt": "1\n",
    "same.txt": "same\n",
    "old/gone.txt": "x\n",
    "go.sh": "cat in.txt\n",
  });
  const code = `cat in.txt; printf 2 > in.txt; rm -r old; mkdir -p new/deep; printf '#!/bin/sh\\n' > new/deep/tool; chmod +x new/deep/tool
    touch same.txt; mkdir __pycache__; echo cached > __pycache__/a.pyc; ln -s /etc/passwd link`;
  const ended = await run(id, code, {
    files: [
      { path: "sent.txt", content: "sent" },
      { path: "sent-too.txt", content: "a" },
    ],
  });
  expect(ended).toMatchObject({ status: "succeeded", stdout: "1\n" });
  expect(ended.workspace).toMatchObject({ id, outcome: "merged", writeBack: true, changed: 3, version: null, error: null });
  expect(await readFiles(server, ann, id)).toEqual({
    "go.sh": "cat in.txt\n",
    "in.txt": "2",
    "new/deep/tool": "#!/bin/sh\n",
    "same.txt": "same\n",
  });
  expect(await versions(id)).toMatchObject([{ number: 1, cause: "before_run", runId: ended.id }]);
  const log = await (await server.fetch(`/api/v1/runs/${ended.id}/log`, { headers: ann.headers })).text();
  expect(log).toContain("1 entry is no files");

  const own = await execute(server, { entrypoint: "go.sh", workspaceId: id }, ann.headers);
  expect([own.stdout, own.workspace?.outcome, own.language]).toEqual(["2", "unchanged", "bash"]);
  const listed = await json<{ items: Run[] }>(server.fetch(`/api/v1/runs?workspace=${id}`, { headers: ann.headers }));
  expect(listed.items.map((item) => item.id)).toEqual([own.id, ended.id]);
  expect(await (await server.fetch(`/api/v1/runs/${own.id}/file?path=go.sh`, { headers: ann.headers })).text()).toBe("cat in.txt\n");
});

it("has many files as it has few, and the next run has what this one left", async () => {
  const files = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`d${index % 5}/f${index}.txt`, `${index}`]));
  const { id } = await createWorkspace(server, ann, "Large", files);
  const code =
    "ls */*.txt | wc -l; printf new > d1/f1.txt; rm -r d2; mkdir d2; printf back > d2/f2.txt; rm d3/f3.txt; touch d4/f4.txt; mkdir e; printf e > e/e.txt";
  const ended = await run(id, code, { files: [{ path: "d0/f0.txt", content: "sent" }] });
  expect([ended.stdout.trim(), ended.workspace?.outcome]).toEqual(["150", "merged"]);
  const left = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith("d2/") && path !== "d3/f3.txt"));
  const expected = { ...left, "d1/f1.txt": "new", "d2/f2.txt": "back", "e/e.txt": "e" };
  expect(await readFiles(server, ann, id)).toEqual(expected);
  expect(ended.workspace?.changed).toBe(33); // three were written, and thirty are gone
  const next = await run(
    id,
    "find . -name '*.txt' | wc -l; cat d1/f1.txt d2/f2.txt d0/f0.txt; ls d2; ls d3/f3.txt; grep -c ' - overlay ' /proc/self/mountinfo",
  );
  expect(next.stdout.trim()).toBe(`${Object.keys(expected).length}\nnewback0f2.txt\n1`);
  expect([next.workspace?.outcome, await readFiles(server, ann, id)]).toEqual(["unchanged", expected]);
});

it("notices what is written again in the moment that it begins, with as many bytes", async () => {
  const { id } = await createWorkspace(server, ann, "At once", { "a.txt": "1" });
  for (const digit of ["2", "3", "4", "5"]) {
    const ended = await run(id, `printf ${digit} > a.txt; touch -d @0 a.txt`);
    expect([ended.workspace?.outcome, await readFiles(server, ann, id)]).toEqual(["merged", { "a.txt": digit }]);
  }
});

it("leaves the workspace as it is where nothing is to be written back", async () => {
  const { id } = await createWorkspace(server, ann, "Read only", { "a.txt": "1" });
  expect((await run(id, "echo 2 > a.txt", { writeBack: false })).workspace).toMatchObject({ writeBack: false, outcome: null });
  const short = await createWorkspace(server, ann, "Ephemeral", { "a.txt": "1" }, { kind: "ephemeral" });
  expect((await run(short.id, "echo 2 > a.txt")).workspace).toMatchObject({ writeBack: false, outcome: null });
  expect([await readFiles(server, ann, id), await readFiles(server, ann, short.id)]).toEqual([{ "a.txt": "1" }, { "a.txt": "1" }]);

  const guest = await createAccount(server);
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: guest.email, level: "run" });
  expect((await run(id, "echo 2 > a.txt; cat a.txt", {}, guest)).workspace).toMatchObject({ writeBack: false });
  expect(await codeOf({ code: "1", entrypoint: "a.sh", workspaceId: id, writeBack: true }, guest)).toBe("forbidden");
  const again = await server.send("POST", `/api/v1/runs/${(await run(id, "echo 3 > a.txt")).id}/rerun?wait=true`, {}, ann.headers);
  expect((await json<Run>(again)).workspace).toMatchObject({ id, writeBack: false });
});

/** A run that waits for its turn while `meanwhile` happens, of somebody who may have one at once. */
async function runAfter(person: Person, input: object, meanwhile: () => Promise<unknown>): Promise<Run> {
  await server.send("PATCH", `/api/v1/quotas/${person.id}`, { concurrentRuns: 1 });
  const first = await submit(server, { code: "echo begun; sleep 60", entrypoint: "wait.sh" }, person.headers);
  await running(first.id);
  const waiting = await json<Run>(server.send("POST", "/api/v1/runs", input, person.headers));
  expect(waiting.status).toBe("queued");
  await meanwhile();
  await server.send("POST", `/api/v1/runs/${first.id}/cancel`, undefined, person.headers);
  return await waitForRun(server, waiting.id);
}

it("puts what it left together with what was written meanwhile, or keeps it beside as a version", async () => {
  const person = await createAccount(server);
  const files = { "a.txt": "1\n2\n3\n4\n5\n", "b.bin": "\0one" };
  const { id } = await createWorkspace(server, person, "Both", files);
  const edit = (changes: readonly object[]) => async () =>
    expect((await server.send("POST", `/api/v1/workspaces/${id}/files`, { changes }, { ...person.headers, "if-match": "*" })).status).toBe(
      200,
    );
  const merged = await runAfter(
    person,
    { code: "sed -i s/5/five/ a.txt; echo new > new.txt", entrypoint: "s.sh", workspaceId: id },
    edit([write("a.txt", "one\n2\n3\n4\n5\n")]),
  );
  expect(merged.workspace).toMatchObject({ outcome: "merged", revision: 1, changed: 2 });
  const both = { "a.txt": "one\n2\n3\n4\nfive\n", "b.bin": "\0one", "new.txt": "new\n" };
  expect(await readFiles(server, person, id)).toEqual(both);

  const beside = await runAfter(
    person,
    { code: "echo run > b.bin; echo run > new.txt", entrypoint: "s.sh", workspaceId: id },
    edit([write("b.bin", "\0edited")]),
  );
  expect(beside.workspace).toMatchObject({ outcome: "kept_beside", error: { code: "workspace_conflict" } });
  expect(await readFiles(server, person, id)).toEqual({ ...both, "b.bin": "\0edited" });
  expect(await readFiles(server, person, id, `?version=${beside.workspace?.version}`)).toEqual({
    ...both,
    "b.bin": "run\n",
    "new.txt": "run\n",
  });
}, 90_000);

it("does not wait for a run in the queue to be ended; that is refused when its turn has come", async () => {
  const guest = await createAccount(server);
  const { id } = await createWorkspace(server, ann, "Ended first", { "a.sh": "echo 1\n" });
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: guest.email, level: "run" });
  const end = async (action: string) => (await server.send("POST", `/api/v1/workspaces/${id}/${action}`, undefined, ann.headers)).status;
  const input = { entrypoint: "a.sh", workspaceId: id };
  const archived = await runAfter(guest, input, async () => expect([await end("suspend"), await end("archive")]).toEqual([200, 200]));
  expect(archived).toMatchObject({ status: "failed", error: { class: "denied", code: "workspace_archived" } });
  await end("resume");
  const remove = (query: string) => server.fetch(`/api/v1/workspaces/${id}${query}`, { method: "DELETE", headers: ann.headers });
  const deleted = await runAfter(guest, input, async () => expect((await remove("?forGood=true")).status).toBe(204));
  expect(deleted).toMatchObject({ status: "failed", error: { code: "workspace_deleted" } });
}, 60_000);

it("is not begun in a workspace that is deleted while it is let in", async () => {
  const { queries } = server.context.database;
  const limited = await createAccount(server);
  await server.send("PATCH", `/api/v1/quotas/${limited.id}`, { concurrentRuns: 1 });
  for (const person of [ann, limited]) {
    const { id } = await createWorkspace(server, person, "Deleted at once", { "a.sh": "echo 1\n" });
    let code = Promise.resolve("");
    await queries.transaction().execute(async (work) => {
      await work.updateTable("workspaces").set({ deleted_at: new Date() }).where("id", "=", id).execute();
      code = codeOf({ entrypoint: "a.sh", workspaceId: id }, person);
      const isStopped = async () => (await sql`select from pg_locks where not granted`.execute(queries)).rows.length > 0;
      while (!(await isStopped())) await sleep(10);
    });
    expect(await code).toBe("workspace_deleted");
    expect((await sql`select from runs where workspace_id = ${id}`.execute(queries)).rows).toEqual([]);
  }
});

it("writes back with no more right than what asked for the run, and that is noted", async () => {
  const { id } = await createWorkspace(server, ann, "By a key", { "a.txt": "1" });
  const make = async (scopes: readonly string[]) => {
    const made = await json<{ id: string; key: string }>(server.send("POST", "/api/v1/api-keys", { name: "k", scopes }, ann.headers));
    return { ...ann, keyId: made.id, headers: { authorization: `Bearer ${made.key}` } };
  };
  const narrow = await make(["runs:*"]);
  expect((await run(id, "printf 2 > a.txt", {}, narrow)).workspace).toMatchObject({ writeBack: false });
  expect(await codeOf({ code: "1", entrypoint: "a.sh", workspaceId: id, writeBack: true }, narrow)).toBe("scope_missing");
  const wide = await make(["runs:*", "workspaces:write"]);
  expect((await server.send("PATCH", `/api/v1/api-keys/${wide.keyId}/quotas`, { storageMb: 1 }, ann.headers)).status).toBe(200);
  const ended = await run(id, "printf 2 > a.txt", {}, wide);
  expect(ended.workspace).toMatchObject({ outcome: "merged" });
  const large = await run(id, "head -c 2000000 /dev/urandom > large", {}, wide);
  expect(large.workspace).toMatchObject({ outcome: "refused", error: { code: "quota_exceeded" } });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2" });

  await server.context.audit.flushed();
  const events = server.context.database.queries.selectFrom("audit_events").selectAll().orderBy("id");
  expect(await events.where("resource_id", "=", ended.id).execute()).toMatchObject([
    { action: "run.create", details: { workspaceId: id } },
  ]);
  expect(await events.where("resource_id", "=", id).where("action", "=", "workspace.change_files").execute()).toMatchObject([
    { actor_id: ann.id, via: "server", outcome: "ok", details: { runId: ended.id, returned: "merged", changed: 1 } },
    { actor_id: ann.id, outcome: "failed", error_code: "quota_exceeded", details: { runId: large.id } },
  ]);
}, 60_000);

it("takes nothing half from a run that was ended from outside", async () => {
  const { id } = await createWorkspace(server, ann, "Killed", { "a.txt": "1" });
  const ended = await run(id, "printf 2 > a.txt; printf half > b.txt; sleep 60", { limits: { wallMs: 1500 } });
  expect(ended).toMatchObject({ status: "timed_out", workspace: { outcome: "kept_beside", changed: 2, version: 1 } });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1" });
  expect(await readFiles(server, ann, id, "?version=1")).toEqual({ "a.txt": "2", "b.txt": "half" });
});

it("takes all of what a run leaves, or nothing: too many files, names that are none, no room", async () => {
  const { id } = await createWorkspace(server, ann, "Too much", { "a.txt": "1" });
  const many = await run(id, "printf 2 > a.txt; for i in $(seq 10100); do : > f$i; done");
  expect(many.workspace).toMatchObject({ outcome: "refused", error: { code: "payload_too_large" } });
  const collision = await run(id, "head -c 4000000 /dev/urandom > a.txt; : > A.TXT");
  expect(collision.workspace).toMatchObject({ outcome: "refused", error: { code: "invalid_path" } });
  // What was refused is not counted.
  const { queries } = server.context.database;
  expect(await queries.selectFrom("uploads").select("size").where("owner_id", "=", ann.id).where("size", "=", 4_000_000).execute()).toEqual(
    [],
  );
  const poor = await createAccount(server);
  const { id: small } = await createWorkspace(server, poor, "Small", { "a.txt": "1" });
  await server.send("PATCH", `/api/v1/quotas/${poor.id}`, { storageMb: 1 });
  const large = await run(small, "printf 2 > a.txt; head -c 2000000 /dev/urandom > large", {}, poor);
  expect(large.workspace).toMatchObject({ outcome: "refused", error: { code: "quota_exceeded" } });
  expect([await readFiles(server, ann, id), await readFiles(server, poor, small)]).toEqual([{ "a.txt": "1" }, { "a.txt": "1" }]);
}, 60_000);

it("is held to the limits and the network of its workspace", async () => {
  const { id } = await createWorkspace(server, ann, "Limits", { "a.sh": "echo 1\n", "b.sh": "echo 2\n" }, { kind: "ephemeral" });
  const ended = await execute(server, { entrypoint: "a.sh", workspaceId: id }, ann.headers);
  expect(ended.requestedLimits).toEqual({ cpus: 0.5, memoryBytes: 512 * 1024 ** 2, diskBytes: 1024 ** 3 });
  expect(await codeOf({ entrypoint: "a.sh", workspaceId: id, limits: { cpus: 1 } })).toBe("limit_out_of_range");
  expect(await codeOf({ entrypoint: "a.sh", workspaceId: id, network: { allow: ["example.org"] } })).toBe("invalid_request");
  expect(await codeOf({ entrypoint: "a.sh", workspaceId: id, cache: true })).toBe("invalid_request");
  expect(await codeOf({ entrypoint: "c.sh", workspaceId: id })).toBe("empty_code");
  expect(await codeOf({ workspaceId: id })).toBe("entrypoint_missing");
  expect(await codeOf({ code: "1", entrypoint: "a.sh/b.sh", workspaceId: id })).toBe("invalid_path");
  expect(await codeOf({ code: "1", entrypoint: "x.sh", writeBack: true })).toBe("invalid_request");
  const lasting = (await createWorkspace(server, ann, "Archived", { "a.sh": "echo 1\n" })).id;
  await server.send("POST", `/api/v1/workspaces/${lasting}/archive`, undefined, ann.headers);
  expect(await codeOf({ entrypoint: "a.sh", workspaceId: lasting })).toBe("workspace_archived");
});

it("is run again only by those who may run in its workspace, within what that allows", async () => {
  const { id } = await createWorkspace(server, ann, "Again", { "a.sh": "echo 1\n", "b.sh": "echo 2\n" }, { kind: "session" });
  const guest = await createAccount(server);
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: guest.email, level: "run" });
  const ended = await execute(server, { entrypoint: "a.sh", workspaceId: id }, guest.headers);
  const listed = await json<{ items: object[] }>(server.fetch(`/api/v1/runs/${ended.id}/files`, { headers: guest.headers }));
  expect(listed.items).toMatchObject([
    { path: "a.sh", from: "workspace" },
    { path: "b.sh", from: "workspace" },
  ]);
  const again = async (changes: object, { headers } = guest) => {
    const answer = await server.send("POST", `/api/v1/runs/${ended.id}/rerun`, changes, headers);
    return answer.ok ? (await waitForRun(server, (await json<Run>(answer)).id)).stdout : (await errorOf(answer)).code;
  };
  expect(await again({ entrypoint: "b.sh" })).toBe("2\n");
  expect(await again({ network: { allow: ["example.org"] } })).toBe("invalid_request");
  expect(await again({ limits: { cpus: 2 } })).toBe("limit_out_of_range");

  await server.send("PATCH", `/api/v1/runs/${ended.id}`, { visibility: "public" }, guest.headers);
  expect(await again({}, await createAccount(server))).toBe("not_found");
  await server.send("POST", `/api/v1/workspaces/${id}/archive`, undefined, ann.headers);
  expect(await again({})).toBe("workspace_archived");
});

it("is seen by whoever may see its workspace when it is shown in it, and only as long as they may", async () => {
  const { id } = await createWorkspace(server, ann, "Shown", { "a.sh": "echo shown; sleep 60\n" });
  const [guest, stranger] = [await createAccount(server), await createAccount(server)];
  const grant = await share(server, ann, { resourceType: "workspace", resourceId: id, email: guest.email, level: "view" });
  const own = await run(id, "echo 1", {});
  const shown = await submit(server, { entrypoint: "a.sh", workspaceId: id, shownInWorkspace: true }, ann.headers);
  expect([own.workspace?.shown, shown.workspace?.shown]).toEqual([false, true]);
  const statusOf = async (runId: string, { headers }: Person) => (await server.fetch(`/api/v1/runs/${runId}`, { headers })).status;
  const listed = async ({ headers }: Person) =>
    (await json<{ items: Run[] }>(server.fetch(`/api/v1/runs?workspace=${id}&owner=visible`, { headers }))).items.map((item) => item.id);
  expect(await statusOf(own.id, guest)).toBe(404);
  expect(await statusOf(shown.id, stranger)).toBe(404);
  expect(await statusOf(shown.id, guest)).toBe(200);
  expect(await listed(guest)).toEqual([shown.id]);
  expect(await listed(stranger)).toEqual([]);
  expect((await errorOf(server.send("POST", `/api/v1/runs/${shown.id}/cancel`, undefined, guest.headers))).code).toBe("forbidden");

  const following = await server.fetch(`/api/v1/runs/${shown.id}/events`, { headers: guest.headers });
  const text = following.text();
  await waitForRun(server, shown.id, ({ stdout }) => stdout.includes("shown"));
  expect((await server.send("DELETE", `/api/v1/grants/${grant}`, undefined, ann.headers)).status).toBe(204);
  expect(await text).not.toContain('"type":"end"');
  expect(await statusOf(shown.id, guest)).toBe(404);
  await server.send("POST", `/api/v1/runs/${shown.id}/cancel`, undefined, ann.headers);
  expect(await codeOf({ code: "1", entrypoint: "x.sh", shownInWorkspace: true })).toBe("invalid_request");
});

it("keeps its workspace for as long as it goes on", async () => {
  const { id } = await createWorkspace(server, ann, "Brief", { "a.sh": "echo begun; sleep 60\n" }, { kind: "ephemeral" });
  const { database } = server.context;
  const sweep = async (ephemeralMs = 300_000) => {
    await database.queries
      .updateTable("workspaces")
      .set({ last_used_at: new Date(Date.now() - 3_600_000) })
      .where("id", "=", id)
      .execute();
    await sweepWorkspaces(database, { ephemeralMs, sessionMs: 1e9, idleMs: 1e9, collaborativeIdleMs: 1e9, archiveMs: 1e9 });
    return (await server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers })).status;
  };
  const going = await submit(server, { entrypoint: "a.sh", workspaceId: id }, ann.headers);
  await running(going.id);
  expect(await sweep()).toBe(200);
  const refused = await server.fetch(`/api/v1/workspaces/${id}`, { method: "DELETE", headers: ann.headers });
  expect((await errorOf(refused)).code).toBe("workspace_in_use");
  const space = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
  expect(space).toMatchObject({ runningCount: 1, expiresAt: null });
  await server.send("POST", `/api/v1/runs/${going.id}/cancel`, undefined, ann.headers);
  await waitForRun(server, going.id);
  expect(await sweep()).toBe(200);
  // Its time counts from the end of the run, as it is told.
  const { expiresAt } = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
  expect(Date.parse(expiresAt ?? "")).toBeGreaterThan(Date.now());
  expect(await sweep(1)).toBe(404);
});
