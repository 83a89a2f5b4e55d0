import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkspaceMirror } from "@syla/contracts/workspace-mirrors";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let git: TestGitServer;
let server: TestServer;
let ann: Person;
beforeAll(async () => {
  git = await startTestGitServer();
  server = await startTestServer({ SYLA_RATE_LIMIT: "0", SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
  ann = await createAccount(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
});

const urlOf = (name: string) => `${git.url}/${name}.git`;
const at = (id: string) => `/api/v1/workspaces/${id}/mirror`;
const mirror = async (id: string, body: object) => await json<WorkspaceMirror>(server.send("POST", at(id), body, ann.headers));
const fetchNow = async (id: string, body: object = {}) =>
  await json<WorkspaceMirror>(server.send("POST", `${at(id)}/fetch`, body, ann.headers));
const change = (id: string, changes: readonly object[]) =>
  server.send("POST", `/api/v1/workspaces/${id}/files`, { changes }, { ...ann.headers, "if-match": "*" });

/** Commits files to a repository of the server. */
function commit(name: string, files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(tmpdir(), "syla-mirror-"));
  const run = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-C", folder, ...words], { stdio: "pipe" });
  run("clone", "--quiet", git.folder(name), ".");
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
  run("add", "--all");
  run("commit", "--quiet", "--message", "more");
  run("push", "--quiet", "origin", "main");
  rmSync(folder, { recursive: true });
}

describe("a workspace that takes after a repository", () => {
  it("gets what changes there, together with what was changed here", async () => {
    const [first] = git.create("together", [{ files: { "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n" } }]);
    const { id } = await createWorkspace(server, ann, "Together", { "own.txt": "own\n" });
    expect(await mirror(id, { url: urlOf("together") })).toMatchObject({
      commit: first,
      problem: null,
      everyMinutes: 60,
      createdBy: { id: ann.id },
    });
    expect(await readFiles(server, ann, id)).toEqual({ "own.txt": "own\n", "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n" });
    await change(id, [write("a.txt", "1\n2\n3\n4\nfive\n")]);
    commit("together", { "a.txt": "one\n2\n3\n4\n5\n", "c.txt": "c\n" });
    const before = (await fetchNow(id)).commit;
    expect(before).not.toBe(first);
    expect(await readFiles(server, ann, id)).toEqual({
      "own.txt": "own\n",
      "a.txt": "one\n2\n3\n4\nfive\n",
      "b.txt": "b\n",
      "c.txt": "c\n",
    });
    const { revision } = await json<{ revision: number }>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
    expect((await fetchNow(id)).commit).toBe(before);
    expect(await json(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }))).toMatchObject({ revision });
  }, 120_000);

  it("stays as it is where both have changed the same, until somebody says whose stays", async () => {
    git.create("conflict", [{ files: { "a.txt": "base\n", "b.txt": "b\n" } }]);
    const { id } = await createWorkspace(server, ann, "Conflict", {});
    const { commit: first } = await mirror(id, { url: urlOf("conflict") });
    await change(id, [write("a.txt", "here\n")]);
    commit("conflict", { "a.txt": "there\n", "b.txt": "b2\n" });
    expect(await fetchNow(id)).toMatchObject({ commit: first, problem: { code: "workspace_conflict" } });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "here\n", "b.txt": "b\n" });
    expect(await fetchNow(id, { onConflict: "theirs" })).toMatchObject({ problem: null });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "there\n", "b.txt": "b2\n" });
  }, 120_000);

  it("is fetched by itself when its time has come, and tells of what fails once", async () => {
    git.create("timed", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Timed", {});
    await mirror(id, { url: urlOf("timed"), everyMinutes: 5 });
    commit("timed", { "a.txt": "2\n" });
    const due = () =>
      server.context.database.queries
        .updateTable("workspace_mirrors")
        .set({ next_at: new Date(0) })
        .where("workspace_id", "=", id)
        .execute();
    await due();
    await expect.poll(() => readFiles(server, ann, id), { timeout: 60_000, interval: 500 }).toEqual({ "a.txt": "2\n" });
    git.behaviour.status = 500;
    await due();
    const look = async () => (await json<WorkspaceMirror>(server.fetch(at(id), { headers: ann.headers }))).problem?.code ?? null;
    await expect.poll(look, { timeout: 60_000, interval: 500 }).toBe("git_unreachable");
    delete git.behaviour.status;
    expect(await fetchNow(id)).toMatchObject({ problem: null });
  }, 180_000);

  it("is set and ended by those who may change it, and refused for what is no repository", async () => {
    git.create("rights", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Rights", {});
    const viewer = await createAccount(server);
    await share(server, ann, { resourceType: "workspace", resourceId: id, email: viewer.email, level: "view" });
    expect((await server.fetch(at(id), { headers: viewer.headers })).status).toBe(404);
    expect((await server.send("POST", at(id), { url: urlOf("rights") }, viewer.headers)).status).toBe(403);
    expect((await server.send("POST", at(id), { url: "file:///etc" }, ann.headers)).status).toBe(400);
    expect(await mirror(id, { url: urlOf("missing") })).toMatchObject({ commit: null, problem: { code: "git_not_found" } });
    expect(await mirror(id, { url: "http://127.0.0.1:1/x.git" })).toMatchObject({ problem: { code: "git_unreachable" } });
    await mirror(id, { url: urlOf("rights") });
    expect((await server.fetch(at(id), { headers: viewer.headers })).status).toBe(200);
    expect((await server.send("DELETE", at(id), undefined, viewer.headers)).status).toBe(403);
    expect((await server.send("DELETE", at(id), undefined, ann.headers)).status).toBe(204);
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
  }, 120_000);
});
