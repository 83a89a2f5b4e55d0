import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Runtime } from "@syla/contracts/runtimes";
import { execute } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { RuntimeDefinition } from "../../src/runtimes/definition.ts";
import { openRuntimes } from "../../src/runtimes/service.ts";

const folder = join(import.meta.dirname, "../../../../runtimes");

describe("the languages", () => {
  it("are listed with what is installed, and each one's example runs", async () => {
    await using server = await startTestServer();
    const { items } = (await (await server.fetch("/api/v1/runtimes")).json()) as { items: Runtime[] };
    expect(items.map((item) => item.name)).toEqual(expect.arrayContaining(["python", "node", "bash"]));
    for (const item of items.filter(({ available }) => available)) {
      expect(item).toMatchObject({ available: true, install: null, version: expect.stringMatching(/^\d+\.\d+/) as string });
      const run = await execute(server, { language: item.name, code: item.example, stdin: "Ann\n" });
      expect([item.name, run.status, run.error]).toEqual([item.name, "succeeded", null]);
      expect(run.stdout).not.toBe("");
      expect(run.runtimeVersion).toBe(item.version);
    }
    expect((await server.fetch("/api/v1/runtimes", { headers: { authorization: "" } })).status).toBe(401);
  });

  it("share no name, alias, extension or shebang", async () => {
    const runtimes = await openRuntimes(folder);
    const definitions = runtimes.installed().map((runtime) => runtime.definition);
    for (const words of [
      definitions.flatMap(({ name, aliases }) => [name, ...aliases]),
      definitions.flatMap(({ extensions }) => extensions),
      definitions.flatMap(({ shebangs }) => shebangs),
    ])
      expect(new Set(words).size).toBe(words.length);
    for (const { name, extensions, entrypoint, entrypoints } of definitions)
      for (const file of [entrypoint, ...Object.values(entrypoints)]) {
        expect(extensions.some((extension) => file.endsWith(extension))).toBe(true);
        expect(runtimes.detect(file, "")?.definition.name).toBe(name);
      }
  });

  it.each([
    ["a.py", "", "python"],
    ["a.b/c.TS", "", "node"],
    ["a", "#!/usr/bin/python3", "python"],
    ["a", "#! /usr/bin/env node", "node"],
    ["a", "#!/usr/bin/env -S -i bash -e", "bash"],
    ["a.py", "#!/bin/bash", "python"],
    ["a", "#!/usr/bin/python3.11", "python"],
    ["a", "#!", undefined],
    ["a", "", undefined],
    [".py", "", undefined],
    ["a.txt", "#!/usr/bin/env", undefined],
    ["a", `#!${"/".repeat(250)}`, undefined],
  ])("of %j beginning with %j is %s", async (file, firstLine, name) => {
    expect((await openRuntimes(folder)).detect(file, firstLine)?.definition.name).toBe(name);
  });

  it("that are not installed are listed with the way to get them, and refused", async () => {
    using directory = createTemporaryDirectory();
    cpSync(join(folder, "bash"), join(directory.path, "bash"), { recursive: true });
    mkdirSync(join(directory.path, "cobol"));
    const text = readFileSync(join(folder, "bash/runtime.yaml"), "utf8");
    const cobol = {
      ...(parse(text) as object),
      name: "cobol",
      aliases: [],
      extensions: [".cob"],
      shebangs: [],
      binary: { candidates: ["/nowhere/cobc"], version: [] },
      install: "apt-get install gnucobol",
    };
    writeFileSync(join(directory.path, "cobol/runtime.yaml"), JSON.stringify(cobol));
    writeFileSync(join(directory.path, "cobol/hello.cob"), "DISPLAY 'HELLO'.");
    const runtimes = await openRuntimes(directory.path);
    expect(runtimes.list().find((runtime) => runtime.name === "cobol")).toMatchObject({
      available: false,
      version: null,
      install: "apt-get install gnucobol",
    });
    expect(runtimes.installed().map((runtime) => runtime.definition.name)).toEqual(["bash"]);
    expect(runtimes.get("COBOL").spec).toBeNull();
    expect(() => runtimes.get("cobbol")).toThrow(/Did you mean cobol\?/);
  });

  it.each([
    ["an unknown field", { colour: "red" }],
    ["a name with a space", { name: "my language" }],
    ["an extension without a dot", { extensions: ["py"] }],
    ["no binary", { binary: { candidates: [], version: [] } }],
    ["a pattern that is none", { errors: [{ pattern: "(", code: "syntax_error" }] }],
    ["an unknown error code", { errors: [{ pattern: "x", code: "oops" }] }],
  ])("are not defined with %s", (_what, change) => {
    const definition = parse(readFileSync(join(folder, "bash/runtime.yaml"), "utf8")) as object;
    expect(RuntimeDefinition.safeParse(definition).success).toBe(true);
    expect(RuntimeDefinition.safeParse({ ...definition, ...change }).success).toBe(false);
  });
});
