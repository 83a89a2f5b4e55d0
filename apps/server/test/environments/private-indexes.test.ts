import { existsSync } from "node:fs";
import { createServer, request as sendRequest, type RequestListener, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { Asset } from "@syla/contracts/assets";
import type { Credential } from "@syla/contracts/credentials";
import type { ProgramEnvironment } from "@syla/contracts/environments";
import type { PackageIndex, PackageIndexTest } from "@syla/contracts/package-indexes";
import type { Run } from "@syla/contracts/runs";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { Secret } from "@syla/server/platform/secret";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";
import type { Manager } from "../../src/environments/request.ts";
import { createFileFolders } from "../../src/environments/indexes/file-folders.ts";
import { PackageGateway } from "../../src/environments/indexes/package-gateway.ts";
import { createTurns } from "../../src/environments/indexes/page-turns.ts";
import { patternProblem, routeOf, type RoutedIndex } from "../../src/environments/indexes/routing.ts";
import { rewriteNodePackage, rewritePythonPage } from "../../src/environments/indexes/rewrite.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const secret = "secret-of-the-index";
const authorization = `Basic ${Buffer.from(`reader:${secret}`).toString("base64")}`;

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("package indexes of people and teams", () => {
  let server: TestServer;
  let [common, own, other]: TestPackageIndex[] = [];
  let [alice, bob]: Person[] = [];
  let created: PackageIndex;
  let settled: Asset;
  let credential: Credential;
  let count = 0;

  beforeAll(async () => {
    [common, own, other] = await Promise.all([startTestPackageIndex(), startTestPackageIndex({ authorization }), startTestPackageIndex()]);
    const isReachable = [own, other].map((index) => new URL(index?.url ?? "").host).join(",");
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: common?.url ?? "", SYLA_NETWORK_ALLOW_PRIVATE: isReachable });
    alice = await createAccount(server);
    bob = await createAccount(server);
    common?.publish({ name: "plain", version: "1.0", files: { "plain.py": "FROM = 'common'\n" } });
    common?.publish({ name: "acme-tool", version: "9.0", files: { "acme_tool.py": "FROM = 'somebody who took the name'\n" } });
    own?.publish({ name: "acme-tool", version: "1.0", requires: ["plain"], files: { "acme_tool.py": "FROM = 'own'\n" } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    for (const index of [common, own, other]) await index?.[Symbol.asyncDispose]();
  });

  const send = (who: Person | undefined, method: string, path: string, body?: unknown) =>
    server.send(method, `/api/v1/${path}`, body, who?.headers);
  const make = (who: Person | undefined, requirements: string, main: string) =>
    createProgram(
      server,
      who as Person,
      `Program ${(count += 1)}`,
      { "main.py": main, "requirements.txt": requirements },
      { config: { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } } },
    );
  const run = async (who: Person | undefined, program: Asset, more: object = {}) =>
    await json<Run>(send(who, "POST", "runs?wait=true", { programId: program.id, ...more }));
  const environmentOf = async (who: Person | undefined, program: Asset) =>
    (await json<ProgramEnvironment>(send(who, "GET", `programs/${program.id}/environment`))).environment;
  const main = "import acme_tool, plain; print(acme_tool.FROM, plain.FROM)";
  const wish = () => ({ language: "python", name: "Acme", url: own?.url, packages: ["acme-*"], credentialId: credential.id });

  test("what was chosen before its owner had an index is kept, by a published version and by the working tree", async () => {
    settled = await make(alice, "plain\n", "import plain; print(plain.FROM)");
    expect((await run(alice, settled)).stdout).toBe("common\n");
    const taken = await make(alice, "acme-tool\n", "import acme_tool; print(acme_tool.FROM)");
    expect((await run(alice, taken)).stdout).toBe("somebody who took the name\n");
    expect((await send(alice, "POST", `assets/${settled.id}/versions`, { version: "1.0.0" })).status).toBe(201);
    expect((await run(alice, settled, { version: "1.0.0" })).stdout).toBe("common\n");
    credential = await json<Credential>(
      send(alice, "POST", "credentials", {
        kind: "index",
        name: "Acme",
        username: "reader",
        value: secret,
        host: new URL(own?.url ?? "").origin,
      }),
    );
    const answer = await send(alice, "POST", "package-indexes", wish());
    expect(answer.status).toBe(201);
    created = await json<PackageIndex>(answer);
    expect(created).toMatchObject({ language: "python", packages: ["acme-*"], mayManage: true, owner: { id: alice?.id } });
    common?.publish({ name: "plain", version: "2.0", files: { "plain.py": "FROM = 'common 2'\n" } });
    expect((await run(alice, settled)).stdout).toBe("common\n"); // until somebody asks for newer ones, before any version runs
    expect((await run(alice, settled, { version: "1.0.0" })).stdout).toBe("common\n");
    expect((await run(alice, taken)).stdout).toBe("own\n"); // its version is nowhere to be had any more
    expect((await json<Credential>(send(alice, "GET", `credentials/${credential.id}`))).useCount).toBe(1);
  }, 120_000);

  test("an index is tried before anything is built with it: whether it answers, takes the credential, and has a package", async () => {
    const tried = async (more: object, who = alice) =>
      await json<PackageIndexTest>(send(who, "POST", "package-indexes/test", { language: "python", url: own?.url, ...more }));
    const keyed = { credentialId: credential.id };
    expect(await tried({ ...keyed, packages: ["acme-*", "Acme_Tool"] })).toMatchObject({ ok: true, code: null, package: "Acme_Tool" });
    expect(await tried({ ...keyed, packages: ["acme-*"] })).toMatchObject({ ok: true, code: null, package: null });
    expect(await tried({ ...keyed, package: "acme-nothing" })).toMatchObject({ ok: false, code: "package_missing" });
    expect(await tried({ package: "acme-tool" })).toMatchObject({ ok: false, code: "index_refused", message: "it answered 401" });
    expect(await tried({ ...keyed, language: "node", package: "acme-tool" })).toMatchObject({ ok: false });
    const gone = "http://127.0.0.1:1/simple";
    expect(await tried({ url: gone })).toMatchObject({ ok: false, code: "index_unreachable", message: expect.stringContaining("refused") });
    other?.behave("acme-down", "down");
    expect(await tried({ url: other?.url, package: "acme-down" })).toMatchObject({ code: "index_unreachable", message: "it answered 503" });
    expect(own?.authorizations.filter((value) => value !== "").every((value) => value === authorization)).toBe(true);
    // The credential goes to its own host alone, and is nobody else's to use.
    const elsewhere = { language: "python", url: other?.url, credentialId: credential.id };
    expect(await errorOf(send(alice, "POST", "package-indexes/test", elsewhere))).toMatchObject({ code: "credential_unusable" });
    const theirs = { language: "python", url: own?.url, credentialId: credential.id };
    expect(await errorOf(send(bob, "POST", "package-indexes/test", theirs))).toMatchObject({ code: "credential_unusable" });
    expect((await errorOf(send(alice, "POST", "package-indexes/test", { language: "python", url: "http://a:b@host/" }))).code).toBe(
      "invalid_request",
    );
    expect(other?.authorizations.every((value) => value === "")).toBe(true);
  });

  test("what a pattern names comes from there and from nowhere else, with a credential that no package sees", async () => {
    const spy = `return write_wheel({"acme_spy.py": "SEEN = " + repr(str([dict(os.environ), open("/proc/self/environ").read(), [open(os.path.join(at, f), errors="replace").read() for at, _, fs in os.walk("/workspace") for f in fs if os.path.getsize(os.path.join(at, f)) < 1e6]]))})`;
    own?.publish({ name: "acme-spy", version: "1.0", backend: spy });
    const before = common?.requests.length;
    const program = await make(
      alice,
      "acme-tool\nacme-spy\n",
      `${main}\nimport acme_spy; print(${JSON.stringify(secret)} in acme_spy.SEEN, ${JSON.stringify(authorization.slice(6))} in acme_spy.SEEN, 'packages.syla.internal' in acme_spy.SEEN)`,
    );
    const done = await run(alice, program);
    expect([done.stderr, done.stdout]).toEqual(["", "own common 2\nFalse False True\n"]);
    expect(common?.requests.slice(before).filter((path) => path.includes("acme"))).toEqual([]);
    expect(own?.requests.filter((path) => path.includes("plain"))).toEqual([]);
    expect(new Set(common?.authorizations)).toEqual(new Set([""]));
    const environment = await environmentOf(alice, program);
    const [log, lock] = await Promise.all(
      ["log", "lock"].map(async (part) => await (await send(alice, "GET", `environments/${environment?.id}/${part}`)).text()),
    );
    expect(`${log}${lock}`).not.toContain(secret);
    expect(lock).toContain("acme-tool==1.0");
  }, 120_000);

  test("others are built without it, and share nothing with those who have it", async () => {
    const his = await make(bob, "acme-tool\n", "import acme_tool; print(acme_tool.FROM)");
    const hers = await make(alice, "acme-tool\n", "import acme_tool; print(acme_tool.FROM)");
    expect((await run(bob, his)).stdout).toBe("somebody who took the name\n");
    expect((await run(alice, hers)).stdout).toBe("own\n");
    expect((await environmentOf(alice, hers))?.id).not.toBe((await environmentOf(bob, his))?.id);
  }, 120_000);

  test("a credential never goes along a redirection to elsewhere", async () => {
    const files = { "acme_moved.py": "FROM = 'elsewhere'\n" };
    own?.publish({ name: "acme-moved", version: "1.0", files });
    other?.publish({ name: "acme-moved", version: "1.0", files });
    own?.behave("/files/acme_moved", { redirect: new URL(other?.url ?? "").origin });
    const program = await make(alice, "acme-moved\n", "import acme_moved; print(acme_moved.FROM)");
    expect((await run(alice, program)).stdout).toBe("elsewhere\n");
    expect(other?.requests.length).toBeGreaterThan(0);
    expect(new Set(other?.authorizations)).toEqual(new Set([""]));
  }, 120_000);

  test("an index that refuses, or is down, is said by its name, and nothing is taken from elsewhere in its place", async () => {
    expect((await send(alice, "PATCH", `credentials/${credential.id}`, { value: "an old one" })).status).toBe(200);
    const refused = await run(alice, await make(alice, "acme-tool<2\n", main));
    expect(refused.error).toMatchObject({ class: "infrastructure", code: "index_refused" });
    expect(refused.error?.message).toContain("Acme");
    expect(JSON.stringify(refused)).not.toContain("an old one");
    await send(alice, "PATCH", `credentials/${credential.id}`, { value: secret });
    own?.behave("/simple/acme-tool/", "down");
    const down = await run(alice, await make(alice, "acme-tool<3\n", main));
    expect(down.error).toMatchObject({ class: "infrastructure", code: "index_unreachable" });
    own?.behave("/simple/acme-tool/", "serve");
    const missing = await run(alice, await make(alice, "acme-none\n", main));
    expect(missing.error).toMatchObject({ class: "user_code", code: "package_not_found" });
    expect(common?.requests.filter((path) => path.includes("acme-none"))).toEqual([]);
  }, 180_000);

  const invalid: readonly (readonly [what: string, change: object, code: string, path: string])[] = [
    ["a password in the address", { url: "https://reader:pw@index.example.org/simple" }, "invalid_request", "url"],
    ["a secret over plain HTTP", { url: "http://index.example.org/simple" }, "invalid_request", "url"],
    ["a secret over plain HTTP to an address of the internet", { url: "http://203.0.113.7/simple" }, "invalid_request", "url"],
    ["another scheme", { url: "file:///etc" }, "invalid_request", "url"],
    ["a pattern that is none", { packages: ["acme-*", "*-acme"] }, "invalid_request", "packages.1"],
    ["no packages at all", { packages: [] }, "invalid_request", "packages"],
    ["a name that is taken", { name: "Acme", packages: ["other-*"] }, "conflict", "name"],
    ["packages that come from another one", { name: "Second" }, "conflict", "packages.0"],
    ["such packages, written otherwise", { name: "Second", packages: ["x", "Acme._*"] }, "conflict", "packages.1"],
    ["a credential of nobody", { name: "Third", packages: ["x-*"], credentialId: "cred_none" }, "credential_unusable", "credentialId"],
    ["somebody else's team", { ownerId: "team_none" }, "not_found", "ownerId"],
  ];

  test.each(invalid)("%s is refused", async (_what, change, code, path) => {
    expect(await errorOf(send(alice, "POST", "package-indexes", { ...wish(), ...change }))).toMatchObject({ code, fields: [{ path }] });
  });

  test("a credential is sent to its host and to no other, whoever says so and whatever happens to the row", async () => {
    const change = async (body: object) => await send(alice, "PATCH", `package-indexes/${created.id}`, body);
    for (const body of [{ url: other?.url }, { url: other?.url, credentialId: credential.id }])
      expect(await errorOf(change(body))).toMatchObject({ code: "credential_unusable", fields: [{ path: "credentialId" }] });
    expect((await json<PackageIndex>(send(alice, "GET", "package-indexes"))) as unknown).toMatchObject({ items: [{ url: own?.url }] });
    expect((await change({ url: `${own?.url}/` })).status).toBe(200);
    // The system's too, for administrators as for everybody.
    const input = { kind: "index", name: "Everybody's", value: secret, host: "https://npm.example.org", ownerId: "system" };
    const shared = await json<Credential>(server.send("POST", "/api/v1/credentials", input));
    const system = { language: "node", name: "S", packages: ["@s/*"], ownerId: "system", credentialId: shared.id };
    const share = (url: string) => server.send("POST", "/api/v1/package-indexes", { ...system, url });
    expect(await errorOf(share("https://npm.example.com"))).toMatchObject({
      fields: [{ message: expect.stringContaining("is for npm.example.org") as string }],
    });
    const made = await json<PackageIndex>(share("https://npm.example.org/registry"));
    expect((await server.send("DELETE", `/api/v1/package-indexes/${made.id}`)).status).toBe(204);
    // As if somebody had changed where it is for behind the index's back.
    own?.publish({ name: "acme-late", version: "1.0", files: { "acme_late.py": "" } });
    await server.context.database.queries
      .updateTable("credentials")
      .set({ host: "elsewhere.example.org" })
      .where("id", "=", credential.id)
      .execute();
    const seen = own?.requests.length;
    const late = await make(alice, "acme-late\n", "import acme_late");
    expect(await run(alice, late)).toMatchObject({ status: "failed", error: { code: "index_refused" } });
    expect(own?.requests.length).toBe(seen);
  }, 120_000);

  test("others neither see nor change it; one of the system is for everybody, and administrators'", async () => {
    const listed = async (who: Person | undefined) => (await json<{ items: PackageIndex[] }>(send(who, "GET", "package-indexes"))).items;
    expect((await listed(alice)).map(({ id }) => id)).toEqual([created.id]);
    expect(await listed(bob)).toEqual([]);
    for (const [method, body] of [["PATCH", { name: "Mine" }] as const, ["DELETE", undefined] as const])
      expect((await errorOf(send(bob, method, `package-indexes/${created.id}`, body))).code).toMatch(/^(?:not_found|forbidden)$/);
    const shared = { language: "node", name: "Everybody's", url: "https://npm.example.org", packages: ["@acme/*"], ownerId: "system" };
    expect((await errorOf(send(bob, "POST", "package-indexes", shared))).code).toBe("not_found");
    const made = await json<PackageIndex>(server.send("POST", "/api/v1/package-indexes", shared));
    expect((await listed(bob)).map(({ id, mayManage }) => [id, mayManage])).toEqual([[made.id, false]]);
    expect((await errorOf(send(bob, "DELETE", `package-indexes/${made.id}`))).code).toBe("forbidden");
    expect((await server.send("DELETE", `/api/v1/package-indexes/${made.id}`)).status).toBe(204);
    expect((await send(alice, "DELETE", `package-indexes/${created.id}`)).status).toBe(204);
  });

  test("what was built with an index stays without it, and is nobody else's", async () => {
    const before = await environmentOf(alice, settled);
    expect((await run(alice, settled)).stdout).toBe("common\n");
    expect((await environmentOf(alice, settled))?.id).toBe(before?.id);
    const his = await make(bob, "plain\n", "");
    expect((await environmentOf(bob, his))?.id).not.toBe(before?.id);
  });

  test("an owner has fifty for a language, and each package comes from one of them, also when many are made at once", async () => {
    const url = "https://npm.example.org";
    const add = async (name: string, packages: string[]) =>
      (await send(bob, "POST", "package-indexes", { language: "node", name, url, packages })).status;
    const equal = await Promise.all(["A", "B", "C"].map((name) => add(name, ["@acme/*"])));
    expect(equal.toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    const all = await Promise.all(Array.from({ length: 51 }, (_, place) => add(`N${place}`, [`n${place}`])));
    expect(all.filter((status) => status === 201)).toHaveLength(49);
    const more = { language: "node", name: "More", url, packages: ["more"] };
    expect((await errorOf(send(bob, "POST", "package-indexes", more))).code).toBe("too_many_indexes");
    expect((await send(bob, "POST", "package-indexes", { ...more, language: "go", packages: ["more.example.org"] })).status).toBe(201);
  });
});

describe("which index a package comes from", () => {
  const index = (name: string, packages: string[], isShared = false): RoutedIndex => ({
    id: name,
    name,
    url: "https://x",
    packages,
    credentialId: null,
    isShared,
  });

  test("is what says most of its name, one's own before the system's", () => {
    const indexes = [index("all", ["*"], true), index("acme", ["acme-*"]), index("shared", ["acme-*"], true), index("one", ["Acme_Tool"])];
    const named = (name: string) => routeOf("uv", indexes, name)?.name;
    expect([named("Acme.Tool"), named("acme_other"), named("acme"), named("numpy")]).toEqual(["one", "acme", "all", "all"]);
    expect(routeOf("npm", [index("a", ["@acme/*"])], "@acme/x")?.name).toBe("a");
    expect([
      routeOf("npm", [index("a", ["@acme/*"])], "@acmex/x"),
      routeOf("go", [index("g", ["git.example.org/team/*"])], "git.example.org/teams/x"),
    ]).toEqual([null, null]);
    expect(routeOf("go", [index("g", ["git.example.org/team/*"])], "git.example.org/team")?.name).toBe("g");
    expect([patternProblem("uv", "acme-*"), patternProblem("npm", "@acme/*"), patternProblem("go", "git.example.org/*")]).toEqual([
      null,
      null,
      null,
    ]);
    for (const pattern of ["*x", "a*b", "../x", "@acme*", "", "a b"]) expect(patternProblem("npm", pattern)).not.toBeNull();
  });

  test("pages are renamed link by link, in both forms, and descriptions archive by archive", () => {
    const base = new URL("https://index.example.org/simple/a/");
    const html = `<a href="../../files/a-1.0.tar.gz?x=1&amp;y=2#sha256=00" data-x="1">a</a><A class=b HREF='https://cdn.example.org/a.whl'>b</A>`;
    expect(rewritePythonPage(html, "text/html", base, (url) => `R(${url.href})`)).toBe(
      `<a href="R(https://index.example.org/files/a-1.0.tar.gz?x=1&amp;y=2)#sha256=00" data-x="1">a</a><A class=b HREF='R(https://cdn.example.org/a.whl)'>b</A>`,
    );
    expect(() => rewritePythonPage("[]", "application/json", base, String)).toThrow("no files");
    const described = rewriteNodePackage(
      JSON.stringify({ versions: { "1.0.0": { dist: { tarball: "https://npm.example.org/t/x-1.0.0.tgz" } } } }),
      base,
      (file) => `R/${file}`,
    );
    expect([described.text, described.archives.get("x-1.0.0.tgz")]).toEqual([
      '{"versions":{"1.0.0":{"dist":{"tarball":"R/x-1.0.0.tgz"}}}}',
      "https://npm.example.org/t/x-1.0.0.tgz",
    ]);
  });
});

describe("the index of a build", () => {
  const servers: Server[] = [];
  const listen = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const open = async (manager: Manager, pattern: string, upstream: string) => {
    const index = { id: "idx_1", name: "Acme", url: `${upstream}/base`, packages: [pattern], credentialId: "cred_1", isShared: false };
    const reveal = async () => ({ id: "cred_1", ownerId: "user_1", username: null, host: upstream, value: new Secret("token") });
    const gateway = new PackageGateway({ manager, indexes: [index], fallback: "https://packages.example.org/base", reveal });
    return await listen((request, response) =>
      gateway.hosts["packages.syla.internal"]?.({
        request,
        response,
        path: request.url ?? "/",
        connect: async ({ host, port }) => connect(port, host),
      }),
    );
  };
  afterAll(() => servers.forEach((server) => server.close().closeAllConnections()));

  test("routes packages of Node.js and modules of Go, hands on nothing but what they are asked for, and cannot be written to", async () => {
    const seen: string[] = [];
    const upstream: string = await listen((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      if (request.url === "/base/@acme%2fthing")
        return void response.end(JSON.stringify({ versions: { "1.0.0": { dist: { tarball: `${upstream}/odd/thing-1.0.0.tgz` } } } }));
      response.end(`content of ${request.url}`);
    });
    const ask = async (base: string, path: string, method = "GET") => {
      const answer = await fetch(`${base}${path}`, { method, redirect: "manual" });
      return [answer.status, answer.headers.get("location") ?? (await answer.text())];
    };
    const node = await open("npm", "@acme/*", upstream);
    expect(await ask(node, "/@acme%2fthing")).toEqual([
      200,
      expect.stringContaining("http://packages.syla.internal/@acme/thing/-/thing-1.0.0.tgz"),
    ]);
    expect(await ask(node, "/some/folder/@acme/thing/-/thing-1.0.0.tgz")).toEqual([200, "content of /odd/thing-1.0.0.tgz"]);
    expect(await ask(node, "/@acme/thing/-/other-1.0.0.tgz")).toEqual([404, ""]);
    expect(await ask(node, "/ms")).toEqual([307, "https://packages.example.org/base/ms"]);
    expect(await ask(node, "/ms/-/ms-2.1.3.tgz")).toEqual([307, "https://packages.example.org/base/ms/-/ms-2.1.3.tgz"]);
    const go = await open("go", "git.example.org/Team/*", upstream);
    expect(await ask(go, "/go/git.example.org/!team/a/@v/v1.0.0.zip")).toEqual([
      200,
      "content of /base/git.example.org/!team/a/@v/v1.0.0.zip",
    ]);
    expect(await ask(go, "/go/git.example.com/a/@latest")).toEqual([307, "https://packages.example.org/base/git.example.com/a/@latest"]);
    const before = seen.length;
    for (const path of [
      "/-/whoami",
      "/-/v1/search?text=acme",
      "/@acme%2f..%2f..%2fadmin",
      "/%00",
      "/",
      "/@acme/thing/-/../../../x.tgz",
      "/@acme%2f..",
      "/...",
      "/ms/-/..%5cx.tgz",
    ]) {
      expect((await ask(node, path))[0]).toBeGreaterThanOrEqual(307);
      expect((await ask(go, `/go${path}`))[0]).toBe(404);
    }
    for (const path of ["git.example.org/!team/.../@latest", "git.example.org/!team/a/@v/.."])
      expect(await raw(go, `/go/${path}`)).toEqual([404, ""]);
    for (const method of ["PUT", "POST", "DELETE"]) expect((await ask(node, "/@acme%2fthing", method))[0]).toBe(405);
    expect(seen.length).toBe(before);
    expect(new Set(seen.map((line) => line.split(" ").slice(2).join(" ")))).toEqual(new Set(["Bearer token"]));
  });

  /** As it stands: nothing of the path is resolved. */
  const raw = async (base: string, path: string): Promise<[number | undefined, string]> =>
    await new Promise((resolve, reject) => {
      const { hostname, port } = new URL(base);
      const sent = sendRequest({ hostname, port, path }, (answer) => {
        readText(answer).then((content) => resolve([answer.statusCode, content]), reject);
      });
      sent.on("error", reject).end();
    });

  test("hands on files that pages name, from where the pages came at last, and nothing beside them", async () => {
    const seen: string[] = [];
    const page = (...urls: string[]) => JSON.stringify({ files: urls.map((url) => ({ url })) });
    const listenFor = (name: string, pages: Record<string, string | URL>) =>
      listen((request, response) => {
        const found = pages[request.url ?? ""];
        seen.push(`${name} ${request.url} ${request.headers.authorization}`);
        if (found instanceof URL) return void response.writeHead(302, { location: found.href }).end();
        response.setHeader("content-type", "application/json").end(found ?? `${name} has ${request.url}`);
      });
    const mirror = await listenFor("mirror", { "/m/moved/": page("../files/moved.whl") });
    const upstream = await listenFor("index", {
      "/base/plain/": page("/a/b/plain.whl?x=1", "/a/b/plain.tar.gz", "data:,x"),
      "/base/moved/": new URL("/m/moved/", mirror),
    });
    const base = await open("uv", "*", upstream);
    const link = async (name: string) =>
      /http:\/\/packages\.syla\.internal(\/[^"]+)/.exec((await raw(base, `/simple/${name}/`))[1])?.[1] ?? "";
    expect(await link("plain")).toBe("/files/0/plain.whl?x=1");
    expect(await raw(base, "/files/0/plain.whl?x=1")).toEqual([200, "index has /a/b/plain.whl?x=1"]);
    expect(await raw(base, "/files/0/plain.whl.metadata")).toEqual([200, "index has /a/b/plain.whl.metadata"]);
    const before = seen.length;
    const hostile = [
      "..",
      ".",
      "%2e%2e",
      "..\\..\\admin",
      "..%5cadmin",
      "..%2Fadmin",
      "a%2f..%2fb",
      "\\\\evil.example.org",
      "",
      "a/b",
      "../c",
    ];
    for (const file of hostile) expect(await raw(base, `/files/0/${file}`)).toEqual([404, ""]);
    for (const path of ["/files/7/a", "/files//a", "/files/-1/a"]) expect(await raw(base, path)).toEqual([404, ""]);
    expect(seen.length).toBe(before);
    expect(await raw(base, await link("moved"))).toEqual([200, "mirror has /m/files/moved.whl"]);
    const [secretSeen, mirrorSeen] = ["index", "mirror"].map((name) =>
      seen.filter((line) => line.startsWith(name)).map((line) => line.split(" ")[2]),
    );
    expect([new Set(secretSeen), new Set(mirrorSeen)]).toEqual([new Set(["Bearer"]), new Set(["undefined"])]);
  });

  test("reads hostile pages in linear time, and knows so many folders and no more", async () => {
    const count = 100_000;
    const forms = ["<a ", '<a href="', "<a href", "<a \n", `<a ${"href ".repeat(3)}`, "<a href='\"", "<a href=", " href= "];
    const began = performance.now();
    for (const form of forms)
      for (const start of ["", "<a "]) rewritePythonPage(start + form.repeat(count), "text/html", new URL("https://x"), String);
    for (const fill of [" ", "x", "href=", "\n"])
      for (const start of ["<a href", "<a href=", '<a href="'])
        rewritePythonPage(start + fill.repeat(count * 5), "text/html", new URL("https://x"), String);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(() => rewritePythonPage("<a href=''>".repeat(count + 1), "text/html", new URL("https://x"), String)).toThrow("too many files");
    const folders = createFileFolders(2);
    const index = { id: "i", name: "i", url: "https://x", packages: [], credentialId: null, isShared: false };
    expect(["a/1", "b/1", "a/2"].map((path) => folders.pathOf(index, new URL(path, "https://x")))).toEqual([
      "/files/0/1",
      "/files/1/1",
      "/files/0/2",
    ]);
    expect(() => folders.pathOf(index, new URL("https://x/c/1"))).toThrow("too many folders");
    let [now, most] = [0, 0];
    const take = createTurns(3);
    const work = async () => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
      throw new Error("done");
    };
    await Promise.allSettled(Array.from({ length: 20 }, () => take(work)));
    expect([most, now, await take(async () => "free")]).toEqual([3, 0, "free"]);
  });
});
