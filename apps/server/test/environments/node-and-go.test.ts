import type { Run } from "@syla/contracts/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, json } from "../catalog/programs.ts";

/** Small packages from the registries that this machine's npm and Go are set up with. */
describe("environments of other languages", () => {
  let server: TestServer;
  let owner: Person;
  beforeAll(async () => {
    server = await startTestServer();
    owner = await createAccount(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const run = async (name: string, files: Record<string, string>, config: object) => {
    const program = await createProgram(server, owner, name, files, { config });
    const done = await json<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: program.id }, owner.headers));
    return { program, done };
  };
  const node = (manifest: object, main: string) => ({ "main.mjs": main, "package.json": JSON.stringify(manifest) });
  const nodeConfig = { runtime: "node", entrypoint: "main.mjs", dependencies: { source: "package.json", file: "package.json" } };

  test("a Node.js program finds its modules, their commands, and cannot change them", async () => {
    const main = `import ms from "ms";
import { writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
console.log(ms("2 days"), execFileSync("semver", ["1.2.3"]).toString().trim());
try { writeFileSync("node_modules/ms/index.js", "evil"); } catch (error) { console.log(error.code); }`;
    const manifest = {
      scripts: { postinstall: "exit 9" },
      dependencies: { ms: "2.1.3", semver: "^7.0.0" },
      devDependencies: { "no-such-package-here": "1" },
    };
    const { done } = await run("Modules", node({ ...manifest, devDependencies: {} }, main), nodeConfig);
    expect([done.status, done.stdout, done.stderr]).toEqual(["succeeded", "172800000 1.2.3\nEROFS\n", ""]);
  }, 120_000);

  test("a module that does not exist, or not in that version, is told by name", async () => {
    const missing = await run("Missing", node({ dependencies: { "syla-no-such-package-x1": "1.0.0" } }, ""), nodeConfig);
    expect(missing.done.error).toMatchObject({ class: "user_code", code: "package_not_found" });
    expect(missing.done.error?.message).toContain("syla-no-such-package-x1");
    const version = await run("Version", node({ dependencies: { ms: "99.0.0" } }, ""), nodeConfig);
    expect(version.done.error).toMatchObject({ class: "user_code", code: "package_version_not_found" });
  }, 120_000);

  test("a program that brings its modules with it needs none", async () => {
    const files = {
      ...node({ dependencies: { ms: "2.1.3" } }, 'import own from "ms"; console.log(own);'),
      "node_modules/ms/index.js": "module.exports = 'its own';",
    };
    const { done } = await run("Brings its own", files, nodeConfig);
    expect(done).toMatchObject({ status: "succeeded", stdout: "its own\n", program: { environmentId: null } });
  });

  test("a Go program is compiled with its modules", async () => {
    const main =
      'package main\nimport ("fmt"; "github.com/pkg/errors")\nfunc main() { fmt.Println(errors.Wrap(errors.New("inner"), "outer")) }\n';
    const files = { "main.go": main, "go.mod": "module example\n\ngo 1.21\n\nrequire github.com/pkg/errors v0.9.1\n" };
    const { done } = await run("Go", files, { runtime: "go", entrypoint: "main.go", dependencies: { source: "go.mod", file: "go.mod" } });
    expect([done.status, done.stdout, done.error]).toEqual(["succeeded", "outer: inner\n", null]);
  }, 300_000);
});
