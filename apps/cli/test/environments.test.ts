import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment, EnvironmentImage, PackageIndex, Sandbox } from "@syla/sdk";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const uv = join(import.meta.dirname, "../../../.build/runtimes/uv/uv");

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("programs with packages, from the command line", () => {
  let server: TestServer;
  let index: TestPackageIndex;
  let home: string;
  let person: { authorization: string };

  beforeAll(async () => {
    index = await startTestPackageIndex();
    index.publish({ name: "greet", version: "1.0", license: "MIT", files: { "greet.py": "TEXT = 'hello'\n" } });
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
    person = await createPerson(server);
    const main =
      "import greet, os, sys; print(greet.TEXT, sys.argv[1:], os.environ.get('MODE'), sys.stdin.read()); sys.exit(len(sys.argv) - 1)";
    const dependencies = { source: "requirements", file: "requirements.txt" };
    for (const [name, requirements] of [
      ["packed", "greet\n"],
      ["broken", "greet==9\n"],
    ] as const) {
      const config = { runtime: "python", entrypoint: "main.py", dependencies };
      const files = [
        { path: "main.py", content: main },
        { path: "requirements.txt", content: requirements },
      ];
      await server.send("POST", "/api/v1/assets", { type: "program", name, config, files }, person);
    }
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  const syla = (args: readonly string[], stdin?: string) =>
    runCli(args, {
      env: { SYLA_URL: server.url, SYLA_API_KEY: person.authorization.slice("Bearer ".length), SYLA_HOME: home },
      ...(stdin === undefined ? {} : { stdin }),
    });
  const json = async <T>(...args: string[]) => JSON.parse((await syla([...args, "--json"])).stdout) as T;

  test("an environment is built ahead, shown with its packages and its lock, listed, and its log printed", async () => {
    const built = await json<Environment>("environment", "build", "packed");
    expect(built).toMatchObject({ state: "ready", isHere: true });
    const shown = await syla(["environment", "show", "packed"]);
    expect(shown.stdout).toMatch(/greet\s+1\.0\s+MIT/);
    expect((await syla(["environment", "show", built.id, "--lock"])).stdout).toMatch(/^greet==1\.0 \\\n/);
    expect((await syla(["environment", "logs", "packed"])).stdout).toContain("+ greet==1.0");
    expect((await json<{ items: Environment[] }>("environment", "list", "-q", "greet")).items.map(({ id }) => id)).toContain(built.id);
  }, 60_000);

  test("a program is run with its packages, arguments, variables and input; its exit code is the command's", async () => {
    const ran = await syla(["run", "packed", "--env", "MODE=fast", "--", "a", "b"], "typed");
    expect([ran.code, ran.stdout]).toEqual([2, "hello ['a', 'b'] fast typed\n"]);
    expect((await syla(["run", "no-such-program"])).code).not.toBe(0);
  }, 60_000);

  test("what cannot be built says why and what to do, and ends with an error", async () => {
    const failed = await syla(["environment", "build", "broken"]);
    expect(failed.code).toBe(65);
    expect(failed.stderr).toMatch(/greet==9|no such version/);
    expect((await syla(["run", "broken"])).stderr).toMatch(/no version of greet==9/);
  }, 60_000);

  test("a program's environment is worked in, begun anew after a change, and stopped", async () => {
    const shell = (...args: string[]) => syla(["program", "shell", "packed", ...args]);
    const first = await shell("--command", "python -c 'import greet; print(greet.TEXT)'; echo kept > note; exit 3");
    expect([first.code, first.stdout]).toEqual([3, "hello\n"]);
    expect((await shell("--command", "cat note")).stdout).toBe("kept\n");
    expect((await syla(["program", "shell", "packed", "-c", "cat"], "typed")).stdout).toBe("typed");
    const sandbox = await json<Sandbox>("program", "shell", "packed");
    expect(sandbox).toMatchObject({ status: "running", program: { name: "packed" } });
    expect((await syla(["sandbox", "list"])).stdout).toContain(`${sandbox.id}\tpacked\trunning\tpython\t${sandbox.createdAt}\tpacked\n`);
    const change = { changes: [{ op: "write", file: { path: "new.txt", content: "new" } }] };
    await server.send("POST", `/api/v1/programs/${sandbox.program?.id}/files`, change, { ...person, "if-match": "*" });
    const old = await shell("--command", "ls");
    expect([old.stdout.includes("note"), old.stderr]).toEqual([true, expect.stringContaining("--restart")]);
    const anew = await shell("--restart", "--command", "ls");
    expect([anew.stdout, anew.stderr]).toEqual(["main.py\nnew.txt\nrequirements.txt\n", ""]);
    expect((await shell()).stderr).toContain("no_terminal");
    expect((await shell("--stop")).code).toBe(0);
    expect((await shell("--stop")).stderr).toContain("there was none");
    const broken = await syla(["program", "shell", "broken", "--command", "true"]);
    expect([broken.code, broken.stderr]).toEqual([65, expect.stringMatching(/no version of greet==9/)]);
  }, 60_000);

  test("package indexes are created, listed, changed and forgotten", async () => {
    const words = ["environment", "index", "create", "acme", "https://packages.example.org/simple", "--packages", "acme-*", "corp"];
    const created = await json<PackageIndex>(...words);
    expect(created).toMatchObject({ name: "acme", language: "python", packages: ["acme-*", "corp"], credentialId: null });
    expect((await syla(["environment", "index", "list"])).stdout).toMatch(/acme\spython\sacme-\* corp/);
    expect(await json<PackageIndex>("environment", "index", "update", "acme", "--packages", "acme-*")).toMatchObject({
      packages: ["acme-*"],
    });
    const bad = await syla([...words.slice(0, 3), "second", "https://u:p@x.example.org", "--packages", "x"]);
    expect([bad.code, bad.stderr.includes("password")]).toEqual([65, true]);
    expect((await syla(["environment", "index", "delete", "acme"])).stdout).toBe("acme is forgotten.\n");
    expect((await syla(["environment", "index", "delete", "acme"])).stderr).toContain("no package index");
  });

  test("the image of an environment is shown; building one is for administrators", async () => {
    expect(await json<EnvironmentImage>("environment", "image", "show", "packed")).toMatchObject({ state: "none", repository: null });
    expect((await syla(["environment", "image", "show", "packed"])).stdout).toMatch(/registry\s+not set up/);
    expect((await syla(["environment", "image", "build", "packed"])).stderr).toMatch(/not allowed|forbidden|may not/i);
  });
});
