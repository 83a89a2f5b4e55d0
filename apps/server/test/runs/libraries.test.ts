import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultLimits } from "../../src/runs/config.ts";
import { Libraries } from "../../src/runs/compilations/libraries.ts";
import type { CompiledRuntime } from "../../src/runs/compilations/request.ts";

describe("a standard library that is compiled once", () => {
  let server: TestServer;
  let directory: TemporaryDirectory;
  beforeAll(async () => {
    server = await startTestServer();
    directory = createTemporaryDirectory();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  const open = (name: string) => new Libraries(join(directory.path, name), server.context.sandboxes, server.context.logger);

  function toolchain(script: string): CompiledRuntime {
    const { spec } = server.context.runtimes.get("bash");
    if (spec === null) throw new Error("no bash");
    const library = { command: ["/bin/sh", "-c", script], env: { NOTE: "made" }, use: {}, target: "/opt/made" };
    const compile = { compiler: null, sources: [], command: ["true"], manifests: {}, env: {}, errors: [], library };
    return { spec, compiler: spec.binary, compile };
  }

  async function runWith(runtime: RuntimeSpec, code: string): Promise<string> {
    const files = [{ path: "main.sh", mode: 0o644, content: Buffer.from(code) }];
    const wish = { tenant: "someone", entrypoint: "main.sh", args: [], env: {}, stdin: null, limits: defaultLimits };
    const run = await server.context.sandboxes.start("namespace", { ...wish, runtime, files, artifacts: { maxBytes: 0, maxFiles: 0 } });
    const output = (async function* () {
      for await (const event of run.events) if (event.type === "output") yield event.data;
    })();
    return (await buffer(output)).toString();
  }

  it("is shown read-only, is made once for two at once, and is found again", async () => {
    const runtime = toolchain('mkdir -p /output/a; echo "$NOTE" > /output/a/file; cat /proc/sys/kernel/random/uuid > /output/id');
    const libraries = open("fine");
    const [one, two] = await Promise.all([libraries.prepare(runtime, "namespace"), libraries.prepare(runtime, "namespace")]);
    expect(one?.mounts.at(-1)?.target).toBe("/opt/made");
    expect(two).toEqual(one);
    expect(one?.name).not.toBe(runtime.spec.name);
    mkdirSync(join(directory.path, "fine/unfinished-by-a-killed-server"));
    expect(open("fine").known(runtime)).toEqual(one);
    const said = await runWith(one as RuntimeSpec, "cat /opt/made/a/file; echo x 2>&1 > /opt/made/a/file; echo x 2>&1 > /opt/made/b");
    expect(said).toMatch(/^made\n.*Read-only file system\n.*Read-only file system\n$/);
    expect(readdirSync(join(directory.path, "fine"))).toHaveLength(1);
  });

  it.each([
    ["fails", "echo x > /output/x; exit 1"],
    ["leaves a link", "ln -s /etc/passwd /output/x"],
  ])("and whose making %s is done without", async (_what, script) => {
    const libraries = open("broken");
    expect(await libraries.prepare(toolchain(script), "namespace")).toBeNull();
    expect(libraries.known(toolchain(script))).toBeNull();
    expect(readdirSync(join(directory.path, "broken"))).toEqual([]);
  });
});
