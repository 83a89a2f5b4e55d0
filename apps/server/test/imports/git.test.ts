import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitRefs, Import, ImportEvent } from "@syla/contracts/imports";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let git: TestGitServer;
/** Another server that may be reached. */
let other: TestGitServer;
let server: TestServer;
let commits: string[];
beforeAll(async () => {
  git = await startTestGitServer();
  commits = git.create("repo", [
    { files: { "main.py": "print('one')", "lib/a.py": "a = 1" }, tag: "v1" },
    {
      files: {
        "main.py": "print('two')",
        ".gitattributes": "main.py export-ignore\n*.txt filter=lfs\nlib/a.py export-subst\n",
        ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = file:///etc\n',
        "big.txt": "version https://git-lfs.github.com/spec/v1\n",
      },
    },
    { files: { "main.py": "print('branch')" }, branch: "feature/x" },
  ]);
  other = await startTestGitServer();
  other.create("repo", [{ files: { "main.py": "print('other')" } }]);
  const reached = [git, other].map(({ url }) => new URL(url).host).join(",");
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: reached });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
afterEach(() => {
  for (const name of Object.keys(git.behaviour)) delete git.behaviour[name as keyof typeof git.behaviour];
});

const refs = (body: object) => server.send("POST", "/api/v1/imports/git-refs", body);
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

async function fetchRepository(source: object): Promise<Import> {
  const response = await server.send("POST", "/api/v1/imports", { source: { kind: "git", url: `${git.url}/repo.git`, ...source } });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as Import;
  for (;;) {
    const found = Import.parse(await (await server.fetch(`/api/v1/imports/${id}`)).json());
    if (found.state === "review" || found.state === "failed") return found;
    await sleep(50);
  }
}

const filesOf = async ({ id }: Import) =>
  ((await (await server.fetch(`/api/v1/imports/${id}/files`)).json()) as { items: { path: string }[] }).items.map((file) => file.path);

describe("a repository", () => {
  it("tells its branches and tags", async () => {
    const response = await refs({ url: `${git.url}/repo.git` });
    expect(GitRefs.parse(await response.json())).toEqual({
      url: `${git.url}/repo.git`,
      default: "main",
      branches: ["feature/x", "main"],
      tags: ["v1"],
      ref: null,
      path: null,
    });
  });

  it("is fetched as it is: nothing of it is left out, run or fetched from elsewhere", async () => {
    const found = await fetchRepository({});
    expect(found).toMatchObject({
      state: "review",
      source: { kind: "git", ref: "main", commit: commits[1] },
      suggestion: { name: "repo", entrypoint: "main.py" },
    });
    expect(await filesOf(found)).toEqual([".gitattributes", ".gitmodules", "big.txt", "lib/a.py", "main.py"]);
    const asset = (await (await server.send("POST", `/api/v1/imports/${found.id}/confirm`, { name: "From git" })).json()) as {
      id: string;
      importSource: object;
    };
    expect(asset.importSource).toMatchObject({ kind: "git", url: `${git.url}/repo.git`, ref: "main", commit: commits[1] });
    expect(await (await server.fetch(`/api/v1/programs/${asset.id}/file?path=main.py`)).text()).toBe("print('two')");
  });

  it.each<[string, object, string[]]>([
    ["a tag", { ref: "v1" }, ["lib/a.py", "main.py"]],
    ["a folder", { ref: "v1", path: "lib" }, ["a.py"]],
    ["a branch with a slash", { ref: "feature/x" }, [".gitattributes", ".gitmodules", "big.txt", "lib/a.py", "main.py"]],
  ])("of which %s is wanted", async (_what, source, files) => {
    const found = await fetchRepository(source);
    expect(found.error).toBeNull();
    expect(await filesOf(found)).toEqual(files);
  });

  it("of which a commit is wanted", async () => {
    const found = await fetchRepository({ ref: commits[0] });
    expect(found).toMatchObject({ state: "review", source: { commit: commits[0] } });
  });

  it("that is private is read with a token, which is not stored", async () => {
    git.behaviour.token = "one-time-token";
    expect((await fetchRepository({})).error?.code).toBe("git_not_found");
    expect((await fetchRepository({ token: "wrong" })).error?.code).toBe("git_denied");
    const found = await fetchRepository({ token: "one-time-token" });
    expect(found.state).toBe("review");
    const { rows } = await server.context.database.queries
      .selectFrom("imports")
      .selectAll()
      .execute()
      .then((all) => ({ rows: all }));
    expect(JSON.stringify(rows)).not.toContain("one-time-token");
    await server.context.audit.flushed();
    expect(JSON.stringify(await server.context.database.queries.selectFrom("audit_events").selectAll().execute())).not.toContain(
      "one-time-token",
    );
  });

  it.each<[string, object, string]>([
    ["there is none", { url: "REPO/none.git" }, "git_not_found"],
    ["there is no such branch", { ref: "gone" }, "git_ref_unknown"],
    ["there is no such folder", { path: "gone" }, "git_ref_unknown"],
    ["the branch is an option", { ref: "--upload-pack=touch /tmp/x" }, "git_ref_unknown"],
    ["the folder leads out", { path: "../etc" }, "git_ref_unknown"],
    ["the host is private", { url: "http://127.0.0.3:80/a.git" }, "git_unreachable"],
    ["the host is a cloud's own", { url: "http://169.254.169.254/a.git" }, "git_unreachable"],
    ["it is a file", { url: "file:///etc/passwd" }, "git_url_invalid"],
    ["it is a command", { url: "ext::sh -c id" }, "git_url_invalid"],
  ])("is told why it cannot be read: %s", async (_why, source, code) => {
    const url = "url" in source ? { url: String(source.url).replace("REPO", git.url) } : {};
    const found = await fetchRepository({ ...source, ...url });
    expect(found.error?.code).toBe(code);
  });

  it("is not followed into private networks, nor when the server fails", async () => {
    git.behaviour.redirectTo = "http://127.0.0.3:1";
    expect(await codeOf(await refs({ url: `${git.url}/repo.git` }))).toMatch(/^git_(unreachable|denied|not_found|failed)$/);
    git.behaviour.redirectTo = server.url;
    expect(await codeOf(await refs({ url: `${git.url}/repo.git` }))).toMatch(/^git_(unreachable|denied|not_found|failed)$/);
    delete git.behaviour.redirectTo;
    git.behaviour.status = 500;
    expect(await codeOf(await refs({ url: `${git.url}/repo.git` }))).toBe("git_unreachable");
  });

  it("that grows while it is read ends at its bound, and leaves nothing", { timeout: 180_000 }, async () => {
    git.behaviour.endless = true;
    const response = await server.send("POST", "/api/v1/imports", { source: { kind: "git", url: `${git.url}/repo.git` } });
    const { id } = (await response.json()) as Import;
    const read = async () => (await (await server.fetch(`/api/v1/imports/${id}`)).json()) as Import;
    await expect.poll(async () => (await read()).state, { timeout: 150_000 }).toBe("failed");
    expect((await read()).error).toMatchObject({ code: "import_too_large" });
    expect(readdirSync(join(server.dataDir, "blobs/incoming"))).toEqual([]);
    delete git.behaviour.endless;
  });

  it("is followed while it is read, over connections that break: each step once, none forgotten", { timeout: 60_000 }, async () => {
    const held = Promise.withResolvers<void>();
    git.behaviour.held = held.promise;
    const response = await server.send("POST", "/api/v1/imports", { source: { kind: "git", url: `${git.url}/repo.git` } });
    const { id } = (await response.json()) as Import;
    /** Events of one connection, which is cut after the first. */
    const next = async (last: number | undefined): Promise<ImportEvent> => {
      const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": String(last) };
      const answer = await server.fetch(`/api/v1/imports/${id}/events`, { headers });
      let text = "";
      for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const data = /^data: (.*)$/m.exec((text += chunk))?.[1];
        if (data === undefined || !text.endsWith("\n\n")) continue;
        return ImportEvent.parse(JSON.parse(data));
      }
      throw new Error("the stream ended without an event");
    };
    const events: ImportEvent[] = [];
    do {
      const event = next(events.at(-1)?.seq);
      if (events.length === 1) held.resolve(); // somebody waits already, and has seen what is so now
      events.push(await event);
    } while (events.at(-1)?.type !== "end");
    delete git.behaviour.held;
    const [first, last] = [events[0], events.at(-1)];
    expect(first).toMatchObject({ type: "progress", state: "fetching", files: 0 });
    expect(last).toMatchObject({ type: "end", import: { state: "review" } });
    const said = events.map((event) => (event.type === "end" ? event.seq : [event.state, event.phase, event.files, event.bytes].join(" ")));
    expect(new Set(said).size).toBe(events.length);
    expect(events.map(({ seq }) => seq)).toEqual([...new Set(events.map(({ seq }) => seq))].toSorted((a, b) => a - b));
    const order = ["fetching", "analysing"];
    const states = events.flatMap((event) => (event.type === "progress" ? [order.indexOf(event.state)] : []));
    expect(states).toEqual(states.toSorted((a, b) => a - b));
  });

  it("whose server says nothing can be given up", async () => {
    git.behaviour.stall = true;
    const response = await server.send("POST", "/api/v1/imports", { source: { kind: "git", url: `${git.url}/repo.git` } });
    const { id } = (await response.json()) as Import;
    const asked = git.requests.length;
    await expect.poll(() => git.requests.length).toBeGreaterThanOrEqual(asked);
    expect((await server.send("POST", `/api/v1/imports/${id}/cancel`)).status).toBe(200);
  });
});

describe("a private repository with a stored credential", () => {
  const token = "stored-token-0123456789";
  let credentialId: string;

  const store = async (name: string, input: object) => {
    const body = { kind: "git", name, value: `${token}\n`, username: "ann", host: git.url, ...input };
    return (await (await server.send("POST", "/api/v1/credentials", body)).json()) as { id: string; host: string };
  };
  const begin = (source: object, headers: Record<string, string> = {}, more: object = {}) =>
    server.send("POST", "/api/v1/imports", { source: { kind: "git", url: `${git.url}/repo.git`, ...source }, ...more }, headers);
  const problemOf = async (response: Response) => {
    const { code, fields } = (await response.json()) as { code: string; fields?: { path: string; message: string }[] };
    return [code, fields?.[0]?.path, fields?.[0]?.message];
  };

  beforeAll(async () => {
    const made = await store("private git", {});
    credentialId = made.id;
  });
  beforeEach(() => {
    git.behaviour.token = token;
    git.logins.length = 0;
    other.logins.length = 0;
  });

  it("is read with it, again without being told, and it knows by what it is used", async () => {
    expect((await fetchRepository({})).error?.code).toBe("git_not_found");
    expect((await (await refs({ url: `${git.url}/repo.git`, credentialId })).json()) as GitRefs).toMatchObject({ default: "main" });
    const found = await fetchRepository({ credentialId });
    expect(found.state).toBe("review");
    expect(new Set(git.logins)).toEqual(new Set([`ann:${token}`]));
    const confirmed = await server.send("POST", `/api/v1/imports/${found.id}/confirm`, { name: "Private" });
    const asset = (await confirmed.json()) as { id: string; importSource: object };
    expect(asset.importSource).toMatchObject({ kind: "git", credentialId });
    const kept = (await (await server.fetch(`/api/v1/credentials/${credentialId}`)).json()) as { uses: object[]; lastUsedAt: string };
    expect(kept.uses).toEqual([{ type: "program", id: asset.id, name: "Private" }]);
    expect(Date.now() - Date.parse(kept.lastUsedAt)).toBeLessThan(120_000);
    const used = await server.send("DELETE", `/api/v1/credentials/${credentialId}`);
    expect(((await used.json()) as { code: string }).code).toBe("credential_in_use");

    const again = (await (await begin({}, {}, { assetId: asset.id })).json()) as Import;
    await expect.poll(async () => ((await (await server.fetch(`/api/v1/imports/${again.id}`)).json()) as Import).state).toBe("review");
    expect((await server.send("POST", `/api/v1/imports/${again.id}/confirm`, {})).status).toBe(201);
    const refused = await begin({ credentialId: null }, {}, { assetId: asset.id });
    const { id } = (await refused.json()) as Import;
    await expect.poll(async () => ((await (await server.fetch(`/api/v1/imports/${id}`)).json()) as Import).state).toBe("failed");

    // Who may only look at the program is not told of the credential.
    await server.send("PATCH", `/api/v1/assets/${asset.id}`, { visibility: "public" }, { "if-match": "*" });
    const stranger = await createPerson(server);
    const seen = await (await server.send("GET", `/api/v1/assets/${asset.id}`, undefined, stranger)).text();
    expect(seen).toContain("/repo.git");
    expect(seen).not.toContain(credentialId);
  });

  it("is sent to its host alone: not elsewhere, not after a redirection, and to nobody else's repository", async () => {
    const elsewhere = await begin({ url: `${other.url}/repo.git`, credentialId });
    expect(await problemOf(elsewhere)).toEqual([
      "credential_unusable",
      "source.credentialId",
      `is for ${git.url}, and is sent nowhere else`,
    ]);
    const encrypted = await begin({ url: `${git.url.replace("http:", "https:")}/repo.git`, credentialId });
    expect((await problemOf(encrypted))[0]).toBe("credential_unusable");
    for (const behaviour of ["redirectTo", "redirectLoggedInTo"] as const) {
      git.behaviour[behaviour] = other.url;
      expect((await fetchRepository({ credentialId })).error?.code).toMatch(/^git_(unreachable|not_found|failed)$/);
      delete git.behaviour[behaviour];
    }
    expect([other.logins, git.logins.length > 0]).toEqual([[], true]);
    const stranger = await createPerson(server);
    expect((await problemOf(await begin({ credentialId }, stranger)))[2]).toBe("there is no such credential of yours");
  });

  it("is refused when the credential is another kind, wrong, expired, or given beside a token", async () => {
    const model = await store("a model's", { kind: "model", host: undefined });
    expect((await problemOf(await begin({ credentialId: model.id })))[2]).toBe("is of the kind model, not git");
    expect((await problemOf(await begin({ credentialId, token: "one" })))[1]).toBe("source.credentialId");
    const wrong = await store("wrong", { value: "wrong-token" });
    expect((await fetchRepository({ credentialId: wrong.id })).error?.code).toBe("git_denied");
    const { queries } = server.context.database;
    await queries
      .updateTable("credentials")
      .set({ expires_at: new Date(0) })
      .where("id", "=", wrong.id)
      .execute();
    expect((await fetchRepository({ credentialId: wrong.id })).error?.code).toBe("credential_expired");
    const host = await server.send("PATCH", `/api/v1/credentials/${credentialId}`, { host: "evil.example" });
    expect([host.status, (await problemOf(host))[1]]).toEqual([400, "value"]);
    const moved = await server.send("PATCH", `/api/v1/credentials/${wrong.id}`, {
      host: "https://GitHub.com/",
      value: "new",
      expiresAt: null,
    });
    expect((await moved.json()) as object).toMatchObject({ host: "github.com" });
  });

  it("leaves the secret nowhere: not in what git is started with, what is stored, or what is told", async () => {
    const found = await fetchRepository({ credentialId });
    await server.context.audit.flushed();
    const { queries } = server.context.database;
    const stored = await Promise.all([
      queries.selectFrom("imports").selectAll().execute(),
      queries.selectFrom("audit_events").selectAll().execute(),
      queries.selectFrom("assets").selectAll().execute(),
    ]);
    const basic = Buffer.from(`ann:${token}`).toString("base64");
    for (const text of [JSON.stringify(stored), JSON.stringify(found)]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(basic);
    }
    // The helper of git itself keeps to the server, whatever the network lets through.
    using directory = createTemporaryDirectory();
    const place = join(import.meta.dirname, "../../src/imports/git/login.sh");
    copyFileSync(place, join(directory.path, "login.sh"));
    writeFileSync(join(directory.path, "login"), "username=ann\npassword=secret\n");
    const ask = (word: string, protocol: string, host: string) => {
      // From a file: it does not read to the end what it does not answer.
      writeFileSync(join(directory.path, "question"), `protocol=${protocol}\nhost=${host}\n\n`);
      const words = ["-c", 'exec sh ./login.sh "$1" <question', "sh", word];
      return execFileSync("sh", words, { cwd: directory.path, env: { ORIGIN: "https://git.example.org" } }).toString();
    };
    expect(ask("get", "https", "git.example.org")).toBe("username=ann\npassword=secret\n");
    for (const [word, protocol, host] of [
      ["get", "http", "git.example.org"],
      ["get", "https", "git.example.org.evil.example"],
      ["get", "https", "git.example.org:8443"],
      ["erase", "https", "git.example.org"],
    ] as const)
      expect(ask(word, protocol, host)).toBe("");
  });
});
