import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { SandboxExecResult } from "@syla/contracts/sandboxes/processes";
import type { WorkspaceSandbox } from "@syla/contracts/workspace-sandboxes";
import type { WorkspaceVersion } from "@syla/contracts/workspaces";
import { readEvents } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "../workspaces/workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0", SYLA_SANDBOX_LIMIT: "20" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (method: string, path: string, body?: unknown, person = ann) => server.send(method, `/api/v1${path}`, body, person.headers);
const open = async (workspaceId: string, more: object = {}, person = ann) => {
  const answer = await send("POST", "/sandboxes", { workspaceId, ...more }, person);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return await json<Sandbox>(answer);
};
const exec = async (id: string, command: string, person = ann) =>
  await json<SandboxExecResult>(send("POST", `/sandboxes/${id}/exec`, { command }, person));
const save = async (id: string, person = ann) => (await json<Sandbox>(send("POST", `/sandboxes/${id}/save`, undefined, person))).saved;
const edit = (id: string, changes: readonly object[], person = ann) =>
  server.send("POST", `/api/v1/workspaces/${id}/files`, { changes }, { ...person.headers, "if-match": "*" });
const versions = async (id: string) => (await json<{ items: WorkspaceVersion[] }>(send("GET", `/workspaces/${id}/versions`))).items;
const end = (id: string, person = ann) => send("DELETE", `/sandboxes/${id}`, undefined, person);
const codeOf = async (answer: Response | Promise<Response>) => (await errorOf(answer)).code;

it("has the files of its workspace, gives back what was changed there and fetches what others have changed", async () => {
  const { id, profile } = await createWorkspace(server, ann, "Shared desk", {
    "a.txt": "1\n",
    "b.txt": "b\n",
    "old/c.txt": "c\n",
    "n/node_modules/m.js": "m",
  });
  const sandbox = await open(id);
  expect(sandbox).toMatchObject({ workspace: { id, name: "Shared desk", writeBack: true }, saved: null, network: "none" });
  expect(sandbox.limits?.memoryBytes.value).toBe(profile.memoryBytes);
  expect((await exec(sandbox.id, "cat a.txt b.txt old/c.txt n/node_modules/m.js")).stdout).toBe("1\nb\nc\nm");

  const work =
    "echo 2 > a.txt; rm -r old; mkdir d; printf '#!/bin/sh\\n' > d/tool; chmod +x d/tool; touch b.txt; ln -s /etc/passwd link; mkdir __pycache__; echo x > __pycache__/y; rm -r n";
  await exec(sandbox.id, work);
  expect(await save(sandbox.id)).toMatchObject({ outcome: "merged", changed: 3, skipped: 1, fetched: 0, error: null });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2\n", "b.txt": "b\n", "d/tool": "#!/bin/sh\n", "n/node_modules/m.js": "m" });
  expect(await versions(id)).toMatchObject([{ number: 1, cause: "before_sandbox", runId: null }]);

  await edit(id, [write("b.txt", "others\n"), write("new/e.txt", "e\n"), { op: "delete", path: "d/tool" }]);
  expect(await save(sandbox.id)).toMatchObject({ fetched: 3, error: null });
  expect((await exec(sandbox.id, "cat b.txt new/e.txt; ls d")).stdout).toBe("others\ne\n");
  await exec(sandbox.id, "echo 3 > a.txt; touch -d @0 a.txt");
  expect(await save(sandbox.id)).toMatchObject({ outcome: "merged", changed: 1 });
  expect(await save(sandbox.id)).toMatchObject({ outcome: "merged", changed: 1 });
  expect((await versions(id)).length).toBe(1);
  await end(sandbox.id);
});

it("saves by itself before it is paused, and before it ends", async () => {
  const { id } = await createWorkspace(server, ann, "By itself", { "a.txt": "1" });
  const sandbox = await open(id);
  await exec(sandbox.id, "printf 2 > a.txt");
  const paused = await json<Sandbox>(send("POST", `/sandboxes/${sandbox.id}/pause`));
  expect(paused).toMatchObject({ status: "paused", saved: { outcome: "merged", changed: 1 } });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2" });
  await send("POST", `/sandboxes/${sandbox.id}/resume`);
  await exec(sandbox.id, "printf 3 > a.txt");
  expect((await end(sandbox.id)).status).toBe(204);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "3" });
  expect(await json<Sandbox>(send("GET", `/sandboxes/${sandbox.id}`))).toMatchObject({ status: "stopped", saved: { changed: 1 } });
});

it("keeps what others have changed too beside, once, and says so", async () => {
  const { id } = await createWorkspace(server, ann, "Both", { "b.bin": "\0one" });
  const sandbox = await open(id);
  await exec(sandbox.id, "echo mine > b.bin; echo new > new.txt");
  await edit(id, [write("b.bin", "\0theirs")]);
  const beside = await save(sandbox.id);
  expect(beside).toMatchObject({ outcome: "kept_beside", changed: 2, version: 1, error: { code: "workspace_conflict" } });
  expect(await readFiles(server, ann, id)).toEqual({ "b.bin": "\0theirs" });
  expect(await readFiles(server, ann, id, "?version=1")).toEqual({ "b.bin": "mine\n", "new.txt": "new\n" });
  expect(await save(sandbox.id)).toMatchObject({ outcome: "kept_beside", version: 1 });
  await exec(sandbox.id, "printf '\\0theirs' > b.bin");
  expect(await save(sandbox.id)).toMatchObject({ outcome: "merged", error: null });
  expect(await readFiles(server, ann, id)).toEqual({ "b.bin": "\0theirs", "new.txt": "new\n" });
  await end(sandbox.id);
});

it("is not believed: names that no workspace has, too much, and what cannot be read leave the workspace as it is", async () => {
  const { id } = await createWorkspace(server, ann, "Hostile", { "a.txt": "1", "d/b.txt": "b" });
  const sandbox = await open(id);
  await exec(sandbox.id, "chmod 000 d; mkfifo pipe; printf 2 > a.txt");
  expect(await save(sandbox.id)).toMatchObject({ outcome: "refused", error: { code: "payload_too_large" } });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1", "d/b.txt": "b" });
  await exec(sandbox.id, "chmod 755 d; truncate -s 200M big");
  expect(await save(sandbox.id)).toMatchObject({ outcome: "refused", error: { code: "payload_too_large" } });
  await exec(sandbox.id, "rm big; printf x > \"$(printf 'bad\\377')\"; printf y > 'back\\slash'; rm 'back\\slash'");
  expect(await save(sandbox.id)).toMatchObject({ outcome: "merged", skipped: 2 });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2", "d/b.txt": "b" });
  await end(sandbox.id);
});

it("is for those who may run in the workspace, within what that allows", async () => {
  const { id } = await createWorkspace(server, ann, "Guarded", { "a.txt": "1" });
  const [guest, reader, stranger] = [await createAccount(server), await createAccount(server), await createAccount(server)];
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: guest.email, level: "run" });
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: reader.email, level: "view" });
  const create = (person: Person, more: object = {}) => codeOf(send("POST", "/sandboxes", { workspaceId: id, ...more }, person));
  expect([await create(stranger), await create(reader)]).toEqual(["not_found", "forbidden"]);
  expect(await codeOf(send("POST", `/workspaces/${id}/sandbox`, {}, reader))).toBe("forbidden");
  expect(await codeOf(send("GET", `/workspaces/${id}/sandbox`, undefined, stranger))).toBe("not_found");
  expect(await create(guest, { writeBack: true })).toBe("forbidden");
  expect(await create(ann, { network: "full" })).toBe("invalid_request");
  expect(await create(ann, { limits: { cpus: 3 } })).toBe("limit_out_of_range");
  expect(await create(ann, { files: [{ path: "x", content: "" }] })).toBe("invalid_request");

  const theirs = await open(id, {}, guest);
  expect(theirs.workspace?.writeBack).toBe(false);
  await exec(theirs.id, "echo 2 > a.txt", guest);
  expect(await save(theirs.id, guest)).toMatchObject({ outcome: "unchanged" });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1" });
  expect(await codeOf(send("POST", `/sandboxes/${theirs.id}/save`, undefined, stranger))).toBe("not_found");
  // What somebody has of a workspace they do not pass on by sharing a sandbox.
  const grant = { resourceType: "sandbox", resourceId: theirs.id, level: "edit", email: stranger.email };
  expect((await send("POST", "/grants", grant, guest)).status).toBeGreaterThanOrEqual(400);
  await end(theirs.id, guest);
});

it("ends when its workspace is deleted or archived, and when somebody may not run there any more", async () => {
  const ended = async (id: string, person = ann) => await json<Sandbox>(send("GET", `/sandboxes/${id}`, undefined, person));
  const gone = async (id: string, person = ann) =>
    await expect.poll(async () => (await ended(id, person)).endReason, { timeout: 15_000 }).toBe("access_ended");
  const archived = await createWorkspace(server, ann, "To archive", { "a.txt": "1" }, { kind: "persistent" });
  const one = await open(archived.id);
  await exec(one.id, "printf 2 > a.txt");
  expect((await send("POST", `/workspaces/${archived.id}/archive`)).status).toBe(200);
  await gone(one.id);
  expect((await ended(one.id)).saved).toMatchObject({ outcome: "kept_beside", error: { code: "workspace_archived" } });
  expect(await codeOf(send("POST", "/sandboxes", { workspaceId: archived.id }))).toBe("workspace_archived");

  const deleted = await createWorkspace(server, ann, "To delete", { "a.txt": "1" });
  const two = await open(deleted.id);
  await send("DELETE", `/workspaces/${deleted.id}`);
  await gone(two.id);

  const shared = await createWorkspace(server, ann, "To revoke", { "a.txt": "1" });
  const guest = await createAccount(server);
  const grant = await share(server, ann, { resourceType: "workspace", resourceId: shared.id, email: guest.email, level: "edit" });
  const three = await open(shared.id, {}, guest);
  await exec(three.id, "printf 2 > a.txt", guest);
  expect((await send("DELETE", `/grants/${grant}`)).status).toBe(204);
  await gone(three.id, guest);
  expect((await ended(three.id, guest)).saved).toMatchObject({ outcome: "refused" });
  expect(await readFiles(server, ann, shared.id)).toEqual({ "a.txt": "1" });
});

it("is one for each person and workspace, and keeps its interpreters", async () => {
  const { id } = await createWorkspace(server, ann, "Session", { "a.py": "x = 1\n" }, { kind: "session" });
  const bob = await createAccount(server);
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: bob.email, level: "edit" });
  const find = (person = ann) => json<WorkspaceSandbox>(send("GET", `/workspaces/${id}/sandbox`, undefined, person));
  expect(await find()).toEqual({ workspaceId: id, sandbox: null });
  const started = await Promise.all([1, 2, 3].map(() => send("POST", `/workspaces/${id}/sandbox`, {})));
  expect(started.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 200, 202]);
  const [first, ...others] = await Promise.all(started.map(async (answer) => (await json<WorkspaceSandbox>(answer)).sandbox?.id));
  expect(new Set([first, ...others]).size).toBe(1);
  await expect.poll(async () => (await find()).sandbox?.status, { timeout: 20_000 }).toBe("running");
  expect((await find()).sandbox).toMatchObject({ id: first, onIdle: "pause", idleTimeoutMs: 1_800_000, workspace: { writeBack: true } });
  const bobs = await json<WorkspaceSandbox>(send("POST", `/workspaces/${id}/sandbox`, {}, bob));
  expect(bobs.sandbox?.id).not.toBe(first);

  const base = `/sandboxes/${first}/contexts`;
  const context = await json<{ id: string; name: string }>(send("POST", base, { name: "notebook a.ipynb" }));
  expect(context.name).toBe("notebook a.ipynb");
  const run = async (code: string) => readEvents<SandboxContextEvent>(await send("POST", `${base}/${context.id}/run`, { code }));
  await run("from a import x\nx += 41");
  await send("POST", `/sandboxes/${first}/pause`);
  await send("POST", `/sandboxes/${first}/resume`);
  expect(await run("x")).toMatchObject([
    { type: "result", data: { "text/plain": "42" } },
    { type: "done", status: "ok" },
  ]);
  expect(await json(send("GET", base))).toMatchObject({ items: [{ name: "notebook a.ipynb" }] });

  // Two people at work: what one saves the other has after their own next save.
  await expect.poll(async () => (await find(bob)).sandbox?.status, { timeout: 20_000 }).toBe("running");
  const theirs = bobs.sandbox?.id ?? "";
  await exec(first ?? "", "echo ann > ann.txt");
  await exec(theirs, "echo bob > bob.txt", bob);
  await save(first ?? "");
  expect(await save(theirs, bob)).toMatchObject({ outcome: "merged", fetched: 1 });
  expect((await exec(theirs, "cat ann.txt", bob)).stdout).toBe("ann\n");
  expect(Object.keys(await readFiles(server, ann, id)).toSorted()).toEqual(["a.py", "ann.txt", "bob.txt"]);
  const events = server.context.database.queries.selectFrom("audit_events").select(["action", "details"]).where("resource_id", "=", id);
  await sleep(200);
  const actions = (await events.execute()).map(({ action }) => action);
  expect(actions.filter((action) => action === "workspace.open_sandbox")).toHaveLength(2);
  expect(actions.filter((action) => action === "workspace.change_files")).toHaveLength(2);
  await Promise.all([end(first ?? ""), end(theirs, bob)]);
});

it("is in nothing that it could save to when it was made without a workspace", async () => {
  const { id } = await json<Sandbox>(send("POST", "/sandboxes", {}));
  expect(await codeOf(send("POST", `/sandboxes/${id}/save`))).toBe("conflict");
  await end(id);
});
