import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let home: string;
let ann: { authorization: string };
let bob: { authorization: string };
let bobEmail: string;
let run: string;

beforeAll(async () => {
  server = await startTestServer();
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
  ann = await createPerson(server);
  bob = await createPerson(server);
  bobEmail = ((await (await server.fetch("/api/v1/users/me", { headers: bob })).json()) as { email: string }).email;
  run = (await execute(server, { code: "true", entrypoint: "a.sh" }, ann)).id;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const syla = (person: { authorization: string }, ...args: string[]) =>
  runCli(args, { env: { SYLA_URL: server.url, SYLA_API_KEY: person.authorization.slice("Bearer ".length), SYLA_HOME: home } });

describe("syla runs share", () => {
  test("lets a person in, shows them, and takes it back", async () => {
    expect((await syla(ann, "runs", "share", run, "--with", bobEmail, "--level", "run")).code).toBe(0);
    expect((await syla(bob, "runs", "list", "--shared")).stdout).toContain(run);
    expect((await syla(ann, "runs", "access", run)).stdout).toContain(`${bobEmail}\trun\tdirect\n`);
    expect((await syla(bob, "runs", "access", run)).stdout).toBe("run\n");
    expect((await syla(ann, "runs", "unshare", run, bobEmail)).code).toBe(0);
    expect((await syla(bob, "runs", "list", "--shared")).stdout).toBe("");
  });

  test("makes a link that is printed once, with an end", async () => {
    const made = await syla(ann, "runs", "share", run, "--link", "--expires", "1h");
    expect(made.stdout).toMatch(/\/share#syla_share_[\w-]{43}\n$/);
    expect(made.stderr).toContain("opens for people who sign in");
    const shown = JSON.parse((await syla(ann, "runs", "access", run, "--json")).stdout) as { grants: { id: string }[] };
    expect(shown.grants).toMatchObject([{ subject: { type: "link" }, expiresAt: expect.any(String) as string }]);
    expect((await syla(ann, "runs", "unshare", run, shown.grants[0]?.id ?? "")).code).toBe(0);
  });

  test("says that a link opens without signing in, where that is allowed", async () => {
    await server.send("PATCH", "/api/v1/admin/settings", { values: { anonymousLinks: "true" } });
    const made = await syla(ann, "runs", "share", run, "--link");
    expect(made.stderr).toContain("can view it without signing in");
    const token = made.stdout.trim().split("#")[1] ?? "";
    expect((await syla({ authorization: `Bearer ${token}` }, "runs", "show", run)).code).toBe(0);
    expect((await syla(ann, "runs", "access", run)).stdout).toContain("link, also to view without signing in\tview\tsyla_share_");
    expect(JSON.parse((await syla(ann, "runs", "share", run, "--link", "--json")).stdout)).toMatchObject({ anonymous: true });
    for (const name of new Set((await syla(ann, "runs", "access", run)).stdout.match(/syla_share_[\w-]{6}/g)))
      expect((await syla(ann, "runs", "unshare", run, name)).code).toBe(0);
    await server.send("PATCH", "/api/v1/admin/settings", { values: { anonymousLinks: null } });
  });

  test("says what is wrong", async () => {
    for (const args of [[], ["--with", bobEmail, "--link"], ["--with", bobEmail, "--level", "own"], ["--team", "nobody"]])
      expect((await syla(ann, "runs", "share", run, ...args)).code).toBe(64);
    expect((await syla(ann, "program", "share", "one", "two", "--with", bobEmail, "--cap", "5/day")).code).toBe(64);
    expect((await syla(bob, "runs", "share", run, "--with", bobEmail)).code).toBe(66);
    expect((await syla(ann, "runs", "unshare", run, "nobody@example.org")).code).toBe(64);
  });
});

describe("syla team", () => {
  test("create, add, show, remove and delete", async () => {
    const id = (await syla(ann, "team", "create", "Compilers", "-d", "gcc")).stdout.trim();
    expect(id).toMatch(/^team_/);
    expect((await syla(ann, "team", "list")).stdout).toBe(`${id}\tCompilers\towner\t1\n`);
    const url = (await syla(ann, "team", "add", "compilers", bobEmail)).stdout.trim();
    await server.send("POST", "/api/v1/teams/join", { token: new URL(url).hash.slice(1) }, bob);
    expect((await syla(bob, "team", "show", id)).stdout).toContain(`\t${bobEmail}\tmember\n`);
    await syla(ann, "runs", "share", run, "--team", "Compilers");
    expect((await syla(bob, "runs", "list", "--shared")).stdout).toContain(run);
    expect((await syla(ann, "team", "leave", id)).stderr).toContain("last_owner");
    expect((await syla(ann, "team", "delete", id)).stderr).toContain("1 runs");
    expect((await syla(ann, "team", "remove", id, bobEmail)).code).toBe(0);
    expect((await syla(bob, "team", "list")).stdout).toBe("");
    expect((await syla(ann, "team", "delete", id, "--yes")).code).toBe(0);
    expect((await syla(ann, "team", "list")).stdout).toBe("");
  }, 180_000);
});
