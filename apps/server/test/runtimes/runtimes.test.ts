import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Run } from "@syla/contracts/runs";
import type { Runtime } from "@syla/contracts/runtimes";
import { execute } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { matchesVersion } from "../../src/runtimes/binaries.ts";
import { RuntimeDefinition } from "../../src/runtimes/definition.ts";
import { pickPython } from "../../src/runtimes/python-versions.ts";
import { openRuntimes } from "../../src/runtimes/service.ts";

const folder = join(import.meta.dirname, "../../../../runtimes");

describe("the languages", () => {
  it("are listed with what is installed, and each one's example runs", async () => {
    await using server = await startTestServer();
    const { items } = (await (await server.fetch("/api/v1/runtimes")).json()) as { items: Runtime[] };
    expect(items.map((item) => item.name)).toEqual(expect.arrayContaining(["python", "node", "bash"]));
    for (const item of items.filter(({ available, compiled }) => available && !compiled)) {
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

  it("in a version: by the beginning of it, recorded, and asked for again by a rerun", async () => {
    await using server = await startTestServer();
    const { items } = (await (await server.fetch("/api/v1/runtimes")).json()) as { items: Runtime[] };
    const version = items.find((item) => item.name === "python")?.version ?? "";
    const [major, minor] = version.split(".");
    for (const language of [`python@${major}`, `py@${major}.${minor}`, `PYTHON@${version}`]) {
      const run = await execute(server, { language, code: "print(1)" });
      expect(run).toMatchObject({
        status: "succeeded",
        language: "python",
        runtimeVersion: version,
        requestedVersion: language.split("@")[1],
      });
    }
    const plain = await execute(server, { language: "python", code: "print(1)" });
    expect(plain).toMatchObject({ runtimeVersion: version, requestedVersion: null });
    const asked = await execute(server, { language: `python@${major}`, code: "print(2)" });
    const again = (await (await server.send("POST", `/api/v1/runs/${asked.id}/rerun`)).json()) as Run;
    expect(again.requestedVersion).toBe(major);
    for (const wrong of ["python@2", "python@", `python@${major}.${minor}0`, "python@3.x", `python@ ${version}`, "python@3@3"]) {
      const answer = await server.send("POST", "/api/v1/executions", { language: wrong, code: "print(1)" });
      expect([wrong, answer.status]).toEqual([wrong, 400]);
      expect(await answer.json()).toMatchObject({
        code: "unknown_version",
        details: { known: expect.arrayContaining([version]) as string[] },
      });
    }
  });

  it.each([
    ["3.11.2", "3.11", true],
    ["3.11.2", "3", true],
    ["3.11.2", "3.11.2", true],
    ["3.110.1", "3.11", false],
    ["3.11.2", "3.1", false],
    ["3.1.2p20", "3.1.2", false],
    ["3.1.2p20", "3.1", true],
    ["3.11.2", "", false],
    [null, "3", false],
  ])("of version %j match %j: %j", (version, wanted, matches) => {
    expect(matchesVersion(version, wanted)).toBe(matches);
  });

  it("are found in every version that wildcards stand for, each once, the default one first", async () => {
    using directory = createTemporaryDirectory();
    cpSync(join(folder, "bash"), join(directory.path, "bash"), { recursive: true });
    const tool = (name: string, version: string) => {
      const path = join(directory.path, "bin", name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `#!/bin/sh\necho tool ${version}\n`, { mode: 0o755 });
    };
    for (const version of ["9.1", "10.2", "8.4"]) tool(`tool-${version}/bin/tool`, version);
    tool("tool", "9.1");
    tool("tool-11/bin/other", "11");
    const definition = parse(readFileSync(join(folder, "bash/runtime.yaml"), "utf8")) as object;
    const candidates = [
      { path: join(directory.path, "bin/tool"), default: true },
      { path: "$HOME/bin/tool-*/bin/tool", up: 2 },
    ];
    writeFileSync(join(directory.path, "bash/runtime.yaml"), JSON.stringify({ ...definition, binary: { candidates, version: [] } }));
    rmSync(join(directory.path, "bin/tool-8.4/bin/tool"));
    writeFileSync(join(directory.path, "bin/tool-8.4/bin/tool"), "", { mode: 0o644 }); // cannot be executed
    mkdirSync(join(directory.path, "runtimes"));
    renameSync(join(directory.path, "bash"), join(directory.path, "runtimes/bash"));
    const runtimes = await openRuntimes(join(directory.path, "runtimes"), { home: directory.path, runtimes: "/nowhere" });
    expect(runtimes.list()[0]).toMatchObject({ version: "9.1", versions: ["9.1", "10.2"] });
    const source = realpathSync(join(directory.path, "bin/tool-10.2"));
    expect(runtimes.get("bash@10").spec).toMatchObject({
      name: "bash@10.2",
      binary: join(source, "bin/tool"),
      mounts: [{ source, target: "/opt/runtimes/bash/tool-10.2" }],
    });
  });

  it("of Python: another one than the system's is found in the server's folder, and runs programs", async () => {
    using directory = createTemporaryDirectory();
    // An installation of its own, made of the system's: another binary, in a folder outside of /usr, that calls itself 3.0.1.
    const system = execFileSync("/usr/bin/python3", ["-I", "-c", "import sys; print(sys.version_info[1])"], { encoding: "utf8" }).trim();
    const home = join(directory.path, "python/mine");
    mkdirSync(join(home, "bin"), { recursive: true });
    const said = `[ "$*" = --version ] && echo Python 3.0.1 && exit; exec /usr/bin/python3.${system} "$@"`;
    writeFileSync(join(home, "bin/python3.0"), `#!/bin/sh\n${said}\n`, { mode: 0o755 });
    await using server = await startTestServer({ SYLA_RUNTIMES_DIR: directory.path });
    const { items } = (await (await server.fetch("/api/v1/runtimes")).json()) as { items: Runtime[] };
    const python = items.find((item) => item.name === "python");
    expect(python?.versions).toContain("3.0.1");
    expect(python?.version).not.toBe("3.0.1");
    const run = await execute(server, { language: "python@3.0", code: "print(6 * 7)" });
    expect(run).toMatchObject({ status: "succeeded", stdout: "42\n", runtimeVersion: "3.0.1", error: null });
  });

  it.each([
    [["3.11.2"], [">=3.9"], "3.11.2"],
    [["3.11.2", "3.13.0"], [">=3.12"], "3.13.0"],
    [["3.11.2", "3.13.0", "3.12.1"], [">=3.12,<3.13"], "3.12.1"],
    [["3.11.2"], [">=3.12"], null],
    [["3.11.2"], ["==3.11"], "3.11.2"],
    [["3.11.2"], ["==3.11.*"], "3.11.2"],
    [["3.11.2"], ["==3.11.7"], "3.11.2"],
    [["3.11.2", "3.11.7"], ["==3.11.7"], "3.11.7"],
    [["3.11.2"], ["==3.1"], null],
    [["3.11.2", "3.10.4"], ["!=3.11.*,>=3.10"], "3.10.4"],
    [["3.11.2"], ["^3.9"], "3.11.2"],
    [["3.11.2"], ["^4.0"], null],
    [["3.11.2", "3.9.1"], ["~3.9"], "3.9.1"],
    [["3.11.2"], ["~=3.10"], "3.11.2"],
    [["3.11.2"], ["~=3.10.1"], null],
    [["3.11.2"], ["3.8 || 3.11"], "3.11.2"],
    [["3.11.2"], [">= 3.9 , < 4"], "3.11.2"],
    [["3.11.2"], [">=3.9 <3.11"], null],
    [["3.11.2"], [">3.11"], "3.11.2"],
    [["3.11.2"], ["<=3.11"], "3.11.2"],
    [["3.11.2", "3.12.1"], [">=3.9", "==3.12"], "3.12.1"],
    [["3.11.2"], ["whatever it takes"], "3.11.2"],
    [["3.11.2"], ["*"], "3.11.2"],
    [[], [">=3.9"], null],
  ])("of Python: of %j the one that fits %j is %j", (versions, constraints, picked) => {
    expect(pickPython(versions, constraints)).toBe(picked);
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
