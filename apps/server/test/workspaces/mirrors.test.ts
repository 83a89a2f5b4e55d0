import type { Credential } from "@syla/contracts/credentials";
import type { WorkspaceMirror } from "@syla/contracts/workspace-mirrors";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { countStored } from "../../src/quotas/store.ts";
import { createAccount, setStatus, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { commitTo } from "./upstream.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let git: TestGitServer;
let server: TestServer;
let ann: Person;
beforeAll(async () => {
  git = await startTestGitServer();
  server = await startTestServer({ SYLA_RATE_LIMIT: "0", SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
  ann = await createAccount(server);
});
afterEach(() => {
  for (const key of Object.keys(git.behaviour)) delete git.behaviour[key as keyof typeof git.behaviour];
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
});

const urlOf = (name: string) => `${git.url}/${name}.git`;
const at = (id: string) => `/api/v1/workspaces/${id}/mirror`;
const set = (id: string, body: object, person = ann) => server.send("POST", at(id), body, person.headers);
const mirror = async (id: string, body: object, person = ann) => await json<WorkspaceMirror>(set(id, body, person));
const fetchNow = async (id: string, body: object = {}) =>
  await json<WorkspaceMirror>(server.send("POST", `${at(id)}/fetch`, body, ann.headers));
const look = async (id: string, person = ann) =>
  (await json<{ mirror: WorkspaceMirror | null }>(server.fetch(at(id), { headers: person.headers }))).mirror;
const change = (id: string, changes: readonly object[]) =>
  server.send("POST", `/api/v1/workspaces/${id}/files`, { changes }, { ...ann.headers, "if-match": "*" });
const queries = () => server.context.database.queries;
const due = (id: string) =>
  queries()
    .updateTable("workspace_mirrors")
    .set({ next_at: new Date(0) })
    .where("workspace_id", "=", id)
    .execute();
const commit = (name: string, files: Readonly<Record<string, string | null>>) => commitTo(git.folder(name), files);
const patience = { timeout: 60_000, interval: 250 };

/** A workspace of Ann's that somebody else may edit, and who that is. */
async function shareOne(name: string): Promise<{ id: string; bob: Person; grant: string }> {
  const { id } = await createWorkspace(server, ann, name, {});
  const bob = await createAccount(server);
  const grant = await share(server, ann, { resourceType: "workspace", resourceId: id, email: bob.email, level: "edit" });
  return { id, bob, grant };
}

async function toldOf(person: Person, id: string): Promise<string[]> {
  const told = queries().selectFrom("notifications").select(["title", "details"]).where("user_id", "=", person.id).orderBy("seq");
  const rows = await told.execute();
  return rows.filter(({ details }) => (details as { workspaceId?: string }).workspaceId === id).map(({ title }) => title);
}

describe("a workspace that follows a repository", () => {
  it("gets what changes there, together with what was changed here", async () => {
    const [first] = git.create("together", [{ files: { "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n", "gone.txt": "gone\n" } }]);
    const { id } = await createWorkspace(server, ann, "Together", { "own.txt": "own\n" });
    expect(await look(id)).toBe(null);
    expect(await mirror(id, { url: urlOf("together") })).toMatchObject({
      commit: first,
      state: "following",
      problem: null,
      everyMinutes: 60,
      createdBy: { id: ann.id },
    });
    const came = { "own.txt": "own\n", "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n", "gone.txt": "gone\n" };
    expect(await readFiles(server, ann, id)).toEqual(came);
    await change(id, [write("a.txt", "1\n2\n3\n4\nfive\n"), { op: "delete", path: "b.txt" }]);
    commit("together", { "a.txt": "one\n2\n3\n4\n5\n", "c.txt": "c\n", "gone.txt": null });
    const before = (await fetchNow(id)).commit;
    expect(before).not.toBe(first);
    expect(await readFiles(server, ann, id)).toEqual({ "own.txt": "own\n", "a.txt": "one\n2\n3\n4\nfive\n", "c.txt": "c\n" });
    expect(await readFiles(server, ann, id, "?version=2")).toMatchObject({ "a.txt": "1\n2\n3\n4\nfive\n", "gone.txt": "gone\n" });
    const { revision } = await json<{ revision: number }>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
    expect((await fetchNow(id)).commit).toBe(before);
    expect(await json(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }))).toMatchObject({ revision });
  }, 120_000);

  it("takes one branch and one folder of it alone, with a credential where that is needed", async () => {
    git.create("parts", [
      { files: { "jobs/a.txt": "main\n", "b.txt": "b\n" } },
      { files: { "jobs/a.txt": "next\n", "jobs/c.txt": "c\n" }, branch: "next" },
    ]);
    git.behaviour.token = "letmein";
    const key = { kind: "git", name: "the git server", username: "robot", value: "letmein", host: git.url };
    const { id: credentialId } = await json<Credential>(server.send("POST", "/api/v1/credentials", key, ann.headers));
    const { id } = await createWorkspace(server, ann, "Parts", {});
    const wish = { url: urlOf("parts"), ref: "next", path: "jobs" };
    expect(await mirror(id, wish)).toMatchObject({ state: "failing", problem: { code: "git_not_found" } });
    expect(await mirror(id, { ...wish, credentialId })).toMatchObject({ state: "following", credentialId });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "next\n", "c.txt": "c\n" });
    const uses = [{ type: "workspace", id, name: "Parts" }];
    const path = `/api/v1/credentials/${credentialId}`;
    expect(await json(server.fetch(path, { headers: ann.headers }))).toMatchObject({ useCount: 1, uses });
    expect(await errorOf(server.fetch(path, { method: "DELETE", headers: ann.headers }))).toMatchObject({ code: "credential_in_use" });
    expect((await server.fetch(`${path}?force=true`, { method: "DELETE", headers: ann.headers })).status).toBe(204);
    expect(await fetchNow(id)).toMatchObject({ state: "stopped", nextAt: null, problem: { code: "credential_unusable" } });
    const somebodys = await json<Credential>(
      server.send("POST", "/api/v1/credentials", { ...key, name: "somebody's" }, (await createAccount(server)).headers),
    );
    expect(await errorOf(set(id, { ...wish, credentialId: somebodys.id }))).toMatchObject({ code: "credential_unusable" });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "next\n", "c.txt": "c\n" });
  }, 120_000);

  it("has diverged where both have changed the same: nothing is overwritten until somebody says whose stays", async () => {
    const owner = await createAccount(server);
    git.create("conflict", [{ files: { "a.txt": "base\n", "b.txt": "b\n" } }]);
    const { id } = await createWorkspace(server, owner, "Conflict", {});
    await share(server, owner, { resourceType: "workspace", resourceId: id, email: ann.email, level: "edit" });
    const { commit: first } = await mirror(id, { url: urlOf("conflict") });
    await change(id, [write("a.txt", "here\n")]);
    commit("conflict", { "a.txt": "there\n", "b.txt": "b2\n", "large.txt": "x".repeat(100_000) });
    const stored = await countStored(queries(), ann.id);
    expect(await fetchNow(id)).toMatchObject({
      commit: first,
      state: "diverged",
      problem: {
        code: "workspace_conflict",
        paths: ["a.txt"],
        message: 'The repository and the workspace have both changed "a.txt". Nothing was changed.',
      },
    });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "here\n", "b.txt": "b\n" });
    // What did not come in counts for nobody.
    expect(await countStored(queries(), ann.id)).toBe(stored);
    expect(await fetchNow(id, { onConflict: "mine" })).toMatchObject({ state: "following" });
    expect(await readFiles(server, ann, id)).toMatchObject({ "a.txt": "here\n", "b.txt": "b2\n" });
    commit("conflict", { "a.txt": "there again\n" });
    expect(await fetchNow(id)).toMatchObject({ state: "diverged" });
    expect(await fetchNow(id, { onConflict: "theirs" })).toMatchObject({ state: "following", problem: null });
    expect(await readFiles(server, ann, id)).toMatchObject({ "a.txt": "there again\n", "b.txt": "b2\n" });
  }, 120_000);

  it("has diverged from its beginning where a file is there already, and goes on once they agree", async () => {
    git.create("agree", [{ files: { "a.txt": "there\n", "b.txt": "b\n" } }]);
    const { id } = await createWorkspace(server, ann, "Agree", { "a.txt": "here\n" });
    expect(await mirror(id, { url: urlOf("agree") })).toMatchObject({ state: "diverged", commit: null });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "here\n" });
    await change(id, [write("a.txt", "there\n")]);
    await due(id);
    await expect.poll(async () => (await look(id))?.state, patience).toBe("following");
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "there\n", "b.txt": "b\n" });
  }, 120_000);

  it("is fetched by itself when its time has come, and tells of what fails once", async () => {
    git.create("timed", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Timed", {});
    await mirror(id, { url: urlOf("timed"), everyMinutes: 5 });
    commit("timed", { "a.txt": "2\n" });
    await due(id);
    await expect.poll(() => readFiles(server, ann, id), patience).toEqual({ "a.txt": "2\n" });
    git.behaviour.status = 500;
    await due(id);
    await expect.poll(async () => (await look(id))?.problem?.code, patience).toBe("git_unreachable");
    const checkedAt = (await look(id))?.checkedAt;
    await due(id);
    await expect.poll(async () => (await look(id))?.checkedAt, patience).not.toBe(checkedAt);
    const failing = await look(id);
    expect(failing).toMatchObject({ state: "failing" });
    // The second time it waits longer.
    expect(Date.parse(failing?.nextAt ?? "") - Date.parse(failing?.checkedAt ?? "")).toBeGreaterThan(9 * 60_000);
    expect(await toldOf(ann, id)).toEqual([`Nothing came into “Timed” from ${urlOf("timed")}`]);
    delete git.behaviour.status;
    expect(await fetchNow(id)).toMatchObject({ state: "following" });
  }, 180_000);

  it("is left alone while it is archived, and taken over from a server that was killed", async () => {
    git.create("asleep", [{ files: { "a.txt": "1\n" } }]);
    const [asleep, killed] = [
      (await createWorkspace(server, ann, "Asleep", {})).id,
      (await createWorkspace(server, ann, "Killed", {})).id,
    ] as const;
    const before = await mirror(asleep, { url: urlOf("asleep") });
    await mirror(killed, { url: urlOf("asleep") });
    await server.send("POST", `/api/v1/workspaces/${asleep}/archive`, undefined, ann.headers);
    expect(await errorOf(server.send("POST", `${at(asleep)}/fetch`, {}, ann.headers))).toMatchObject({ code: "workspace_archived" });
    commit("asleep", { "a.txt": "2\n" });
    const take = (until: string) =>
      sql`update workspace_mirrors set taken_until = now() + ${until}::interval where workspace_id = ${killed}`.execute(queries());
    await take("1 hour");
    expect(await errorOf(server.send("POST", `${at(killed)}/fetch`, {}, ann.headers))).toMatchObject({ code: "conflict" });
    await due(asleep);
    await due(killed);
    await take("-1 second");
    await expect.poll(() => readFiles(server, ann, killed), patience).toEqual({ "a.txt": "2\n" });
    expect(await look(asleep)).toMatchObject({ checkedAt: before.checkedAt, state: "following" });
    await server.send("POST", `/api/v1/workspaces/${asleep}/resume`, undefined, ann.headers);
    await expect.poll(() => readFiles(server, ann, asleep), patience).toEqual({ "a.txt": "2\n" });
  }, 180_000);

  it("brings nothing in that there is no room for", async () => {
    git.create("large", [{ files: { "a.txt": "x".repeat(2_000_000) } }]);
    const poor = await createAccount(server);
    const { id } = await createWorkspace(server, poor, "Full", { "own.txt": "own\n" });
    await server.send("PATCH", `/api/v1/quotas/${poor.id}`, { storageMb: 1 });
    expect(await mirror(id, { url: urlOf("large") }, poor)).toMatchObject({ state: "failing", problem: { code: "quota_exceeded" } });
    expect(await readFiles(server, poor, id)).toEqual({ "own.txt": "own\n" });
    expect(await countStored(queries(), poor.id)).toBe(4);
  }, 120_000);
});

describe("the rights of a mirror", () => {
  it("are needed to set and end it, and seeing it takes none but to see the workspace", async () => {
    git.create("rights", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Rights", {});
    const viewer = await createAccount(server);
    await share(server, ann, { resourceType: "workspace", resourceId: id, email: viewer.email, level: "view" });
    expect(await look(id, viewer)).toBe(null);
    expect((await set(id, { url: urlOf("rights") }, viewer)).status).toBe(403);
    const none = { code: "conflict", detail: "The workspace follows no repository." };
    expect(await errorOf(server.send("DELETE", at(id), undefined, ann.headers))).toMatchObject(none);
    expect((await server.send("POST", `${at(id)}/fetch`, {}, ann.headers)).status).toBe(409);
    await mirror(id, { url: urlOf("rights") });
    expect(await look(id, viewer)).toMatchObject({ state: "following" });
    expect((await server.send("POST", `${at(id)}/fetch`, {}, viewer.headers)).status).toBe(403);
    expect((await server.send("DELETE", at(id), undefined, viewer.headers)).status).toBe(403);
    expect((await server.send("DELETE", at(id), undefined, ann.headers)).status).toBe(204);
    expect(await look(id)).toBe(null);
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
    const limited = await json<{ id: string; key: string }>(server.send("POST", "/api/v1/api-keys", { name: "limited" }, ann.headers));
    await server.send("PATCH", `/api/v1/api-keys/${limited.id}/quotas`, { runsPerDay: 50 }, ann.headers);
    const refused = server.send("POST", at(id), { url: urlOf("rights") }, { authorization: `Bearer ${limited.key}` });
    expect((await refused).status).toBe(403);
    expect(await look(id)).toBe(null);
  }, 120_000);

  it("are those of whoever set it: it stops with what they lose, and goes on for somebody who sets it anew", async () => {
    git.create("lost", [{ files: { "a.txt": "1\n" } }]);
    const { id, bob, grant } = await shareOne("Lost");
    expect(await mirror(id, { url: urlOf("lost") }, bob)).toMatchObject({ state: "following", createdBy: { id: bob.id } });
    commit("lost", { "a.txt": "2\n" });
    await server.send("PATCH", `/api/v1/grants/${grant}`, { level: "view" }, ann.headers);
    await due(id);
    await expect.poll(async () => (await look(id))?.state, patience).toBe("stopped");
    expect(await look(id)).toMatchObject({
      nextAt: null,
      problem: { code: "forbidden", message: "Whoever set the mirror may not change the workspace any more." },
    });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
    expect(await toldOf(ann, id)).toEqual([`“Lost” does not follow ${urlOf("lost")} any more`]);
    // That somebody else asks for it gives it no more rights.
    expect(await fetchNow(id)).toMatchObject({ state: "stopped", problem: { code: "forbidden" } });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
    expect(await mirror(id, { url: urlOf("lost") })).toMatchObject({ state: "following", createdBy: { id: ann.id } });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2\n" });
  }, 180_000);

  it("end with the grant, with the account, and with its being suspended", async () => {
    git.create("ends", [{ files: { "a.txt": "1\n" } }]);
    const ends: Readonly<Record<string, (bob: Person, grant: string) => Promise<unknown>>> = {
      not_found: (_bob, grant) => server.fetch(`/api/v1/grants/${grant}`, { method: "DELETE", headers: ann.headers }),
      account_suspended: (bob) => setStatus(server, bob, "suspended"),
      deleted: (bob) => server.send("DELETE", `/api/v1/users/${bob.id}`),
    };
    for (const [name, end] of Object.entries(ends)) {
      const { id, bob, grant } = await shareOne(`Ends with ${name}`);
      expect(await mirror(id, { url: urlOf("ends") }, bob)).toMatchObject({ state: "following" });
      await end(bob, grant);
      const code = name === "deleted" ? "not_found" : name;
      expect(await fetchNow(id)).toMatchObject({ state: "stopped", problem: { code } });
      expect((await look(id))?.createdBy?.id).toBe(name === "deleted" ? undefined : bob.id);
      expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
    }
  }, 180_000);

  it("are asked again when the fetch is over, which may take minutes", async () => {
    git.create("meanwhile", [{ files: { "a.txt": "1\n" } }]);
    const { id, bob, grant } = await shareOne("Meanwhile");
    const held = Promise.withResolvers<void>();
    git.behaviour.held = held.promise;
    const asked = git.requests.length;
    const setting = mirror(id, { url: urlOf("meanwhile") }, bob);
    await expect.poll(() => git.requests.length, patience).toBeGreaterThan(asked);
    await server.fetch(`/api/v1/grants/${grant}`, { method: "DELETE", headers: ann.headers });
    held.resolve();
    await setting;
    expect(await look(id)).toMatchObject({ state: "stopped", commit: null });
    expect(await readFiles(server, ann, id)).toEqual({});
  }, 120_000);

  it("bring nothing in once it was ended or set to another repository while it was fetched", async () => {
    git.create("old", [{ files: { "old.txt": "old\n" } }]);
    git.create("new", [{ files: { "new.txt": "new\n" } }]);
    const { id } = await createWorkspace(server, ann, "Set anew", {});
    for (const next of ["ended", "set anew"]) {
      const held = Promise.withResolvers<void>();
      git.behaviour.held = held.promise;
      const asked = git.requests.length;
      const setting = set(id, { url: urlOf("old") });
      await expect.poll(() => git.requests.length, patience).toBeGreaterThan(asked);
      if (next === "ended") await server.send("DELETE", at(id), undefined, ann.headers);
      else
        await sql`update workspace_mirrors set url = ${urlOf("new")}, taken_until = null, next_at = null where workspace_id = ${id}`.execute(
          queries(),
        );
      held.resolve();
      await setting;
      expect(await readFiles(server, ann, id)).toEqual({});
      const left = await look(id);
      expect([left?.url, left?.commit]).toEqual(next === "ended" ? [undefined, undefined] : [urlOf("new"), null]);
    }
    expect(await fetchNow(id)).toMatchObject({ state: "following" });
    expect(await readFiles(server, ann, id)).toEqual({ "new.txt": "new\n" });
  }, 120_000);
});

describe("a hostile address", () => {
  it.each([
    ["a file", "file:///etc"],
    ["a path", "/etc"],
    ["a command", "ext::sh -c id"],
    ["an option", "--upload-pack=touch /tmp/x"],
    ["an option in a path", "https://git.example.org/--upload-pack=x/y.git"],
    ["a login", "https://somebody:secret@git.example.org/a.git"],
    ["another protocol", "gopher://git.example.org/a.git"],
    ["nothing", "https://git.example.org"],
  ])("that is %s is refused, and sets nothing", async (_what, url) => {
    const { id } = await createWorkspace(server, ann, `Hostile ${url}`.slice(0, 60), {});
    expect((await errorOf(set(id, { url }))).code).toBe("git_url_invalid");
    expect(await look(id)).toBe(null);
  });

  it("is not kept with what may be a secret behind it", async () => {
    git.create("query", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Query", {});
    expect(await mirror(id, { url: `${urlOf("query")}?private_token=planted#more` })).toMatchObject({
      url: urlOf("query"),
      state: "following",
    });
  }, 120_000);

  it.each([
    ["a ref", { ref: "--upload-pack=x" }],
    ["a ref with signs", { ref: "main:refs/heads/x" }],
    ["a folder above", { path: "../../etc" }],
    ["a folder that is an option", { path: "--output=x" }],
  ])(
    "or %s brings nothing in",
    async (_what, more) => {
      git.create(`odd-${JSON.stringify(more).replaceAll(/[^a-z]/g, "")}`, [{ files: { "a.txt": "1\n" } }]);
      const { id } = await createWorkspace(server, ann, `Odd ${JSON.stringify(more)}`, {});
      const url = urlOf(`odd-${JSON.stringify(more).replaceAll(/[^a-z]/g, "")}`);
      expect(await mirror(id, { url, ...more })).toMatchObject({ state: "failing", problem: { code: "git_ref_unknown" } });
      expect(await readFiles(server, ann, id)).toEqual({});
    },
    60_000,
  );

  it("in a private network is out of reach, also by a redirection, and when its owner did not mean it", async () => {
    git.create("redirected", [{ files: { "a.txt": "1\n" } }]);
    const { id } = await createWorkspace(server, ann, "Private", {});
    const unreachable = { state: "failing", commit: null, problem: { code: "git_unreachable" } };
    expect(await mirror(id, { url: "http://127.0.0.3:80/a.git" })).toMatchObject(unreachable);
    expect(await mirror(id, { url: "http://169.254.169.254/a.git" })).toMatchObject(unreachable);
    expect(await mirror(id, { url: `${server.url}/git/${id}.git` })).toMatchObject(unreachable);
    for (const redirectTo of ["http://127.0.0.3:1", server.url, "file:///etc"]) {
      git.behaviour.redirectTo = redirectTo;
      expect(await mirror(id, { url: urlOf("redirected") })).toMatchObject({ state: "failing", commit: null });
    }
    delete git.behaviour.redirectTo;
    expect(await readFiles(server, ann, id)).toEqual({});
    expect(await mirror(id, { url: urlOf("missing") })).toMatchObject({ commit: null, problem: { code: "git_not_found" } });
  }, 120_000);
});
