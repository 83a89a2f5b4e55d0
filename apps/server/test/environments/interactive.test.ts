import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxExecResult } from "@syla/contracts/sandboxes/processes";
import type { Run } from "@syla/contracts/runs";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";
import { Eviction } from "../../src/environments/eviction.ts";
import { findEnvironment, listLayers } from "../../src/environments/store.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("a program in a sandbox that stays, and the room for environments", () => {
  let server: TestServer;
  let index: TestPackageIndex;
  let [owner, other]: Person[] = [];

  beforeAll(async () => {
    index = await startTestPackageIndex();
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    owner = await createAccount(server);
    other = await createAccount(server);
    for (const name of ["greet", "other"]) index.publish({ name, version: "1.0", files: { [`${name}.py`]: `TEXT = "${name} is here"\n` } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const make = (name: string, requirements: string) => {
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };
    const files = {
      "main.py": "import sys; print(sys.prefix.startswith('/layers/'))",
      "data.txt": "of the program",
      "requirements.txt": requirements,
    };
    return createProgram(server, owner as Person, name, files, { config });
  };

  test("a sandbox with a program has its files and its packages, for commands and for code", async () => {
    const program = await make("In a sandbox", "greet\n");
    const input = { programId: program.id, files: [{ path: "data.txt", content: "sent along" }] };
    const created = await server.send("POST", "/api/v1/sandboxes", input, owner?.headers);
    expect(created.status).toBe(201);
    const { id, language } = await json<Sandbox>(created);
    expect(language).toBe("python");
    const exec = async (command: string) =>
      await json<SandboxExecResult>(server.send("POST", `/api/v1/sandboxes/${id}/exec`, { command }, owner?.headers));
    expect(await exec("python main.py; cat data.txt; python -c 'import greet; print(greet.TEXT)'")).toMatchObject({
      exitCode: 0,
      stdout: "True\nsent alonggreet is here\n",
    });
    const layers = await listLayers(server.context.database.queries, server.context.layers.id);
    expect(layers).toHaveLength(1);
    expect((await errorOf(server.send("DELETE", `/api/v1/environments/${layers[0]?.environment_id}`))).code).toBe("environment_in_use");
    expect((await server.send("DELETE", `/api/v1/sandboxes/${id}`, undefined, owner?.headers)).status).toBe(204);
    await expect.poll(async () => (await server.send("DELETE", `/api/v1/environments/${layers[0]?.environment_id}`)).status).toBe(204);
  });

  test("who may not see the program gets no sandbox with it; one whose packages cannot be had says why", async () => {
    const program = await make("Not there", "no-such-package\n");
    expect((await errorOf(server.send("POST", "/api/v1/sandboxes", { programId: program.id }, other?.headers))).code).toBe("not_found");
    const failed = await errorOf(server.send("POST", "/api/v1/sandboxes", { programId: program.id }, owner?.headers));
    expect(failed).toMatchObject({ code: "environment_failed", details: { code: "package_not_found" } });
    expect(
      (await errorOf(server.send("POST", "/api/v1/sandboxes", { programId: program.id, version: "9.0.0" }, owner?.headers))).code,
    ).toBe("not_found");
  });

  test("above the quota what was used longest ago goes, never what is in use, and one that is damaged is built again", async () => {
    const programs = [await make("First", "greet\n"), await make("Second", "other\n")];
    const run = async (place: number) =>
      await json<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: programs[place]?.id }, owner?.headers));
    const environments = [(await run(0)).program?.environmentId ?? "", (await run(1)).program?.environmentId ?? ""];
    const { database, logger, layers } = server.context;
    const eviction = new Eviction({ database, logger, layers, quotaBytes: 1 });
    const states = async () => await Promise.all(environments.map(async (id) => (await findEnvironment(database.queries, id))?.state));
    await eviction.makeRoom();
    expect(await states()).toEqual(["none", "ready"]); // the newest stays, whatever its size
    expect((await run(0)).status).toBe("succeeded");
    const [layer] = (await listLayers(database.queries, layers.id)).filter((row) => row.environment_id === environments[0]);
    expect(await eviction.verify(layer as never)).toBe(true);
    writeFileSync(join(layers.folder, layer?.name ?? "", "pyvenv.cfg"), "home = /tmp\n");
    expect(await eviction.verify(layer as never)).toBe(false);
    expect((await states())[0]).toBe("none");
  });
});
