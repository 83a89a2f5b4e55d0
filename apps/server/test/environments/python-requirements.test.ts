import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inlineBlock, readRequest } from "../../src/environments/request-from-tree.ts";
import { readNodeManifest } from "../../src/environments/node-manifest.ts";
import type { Blobs } from "../../src/platform/blobs.ts";
import type { InstalledRuntime } from "../../src/runtimes/service.ts";
import { readRequirements } from "../../src/environments/python-requirements.ts";

const read = (text: string, others: Readonly<Record<string, string>> = {}) =>
  readRequirements("requirements.txt", (path) => (path === "requirements.txt" ? text : others[path]));

describe("a requirements file", () => {
  test("gives its requirements without comments, with what it includes", () => {
    const text =
      "\u{feff}# all\r\nidna >= 3 ; python_version > '3'  # why\r\n\r\n-r more/other.txt\nthing[extra]==1.0 \\\n    --hash=sha256:aa\n-c limits.txt\n--pre\n";
    const found = read(text, { "more/other.txt": "-r ../requirements.txt\nnested\n", "limits.txt": "idna<4\n" });
    expect(found).toEqual({
      requirements: ["idna >= 3 ; python_version > '3'", "nested", "thing[extra]==1.0 --hash=sha256:aa", "--pre"],
      constraints: ["idna<4"],
      skipped: [],
      problems: [],
    });
  });

  test.each([
    ["--index-url https://x.example/simple", "index"],
    ["-i https://x.example/simple", "index"],
    ["--find-links=/tmp", "index"],
    ["--trusted-host x.example", "index"],
    ["-e ./src", "folder"],
    ["-e .[dev]", "folder"],
    ["-e git+https://x.example/a.git", "folder"],
    [".[dev]", "path"],
    ["..", "path"],
    ["./.", "path"],
    ["./local", "path"],
    ["../up", "path"],
    ["/abs/thing.whl", "path"],
    ["thing.whl", "path"],
    ["git+ssh://git@x.example/a.git", "address"],
    ["https://x.example/thing.tar.gz", "address"],
    ["thing @ file:///etc/passwd", "address"],
    ["thing[a]@https://x.example/t.whl", "address"],
    ["--config-settings x=y", "option"],
    ["!!!", "not a requirement"],
  ])("%s is refused with its line", (line, word) => {
    const { requirements, problems } = read(`idna\n${line}\n`);
    expect(requirements).toEqual(["idna"]);
    expect(problems).toMatchObject([{ path: "requirements.txt:2" }]);
    expect(problems[0]?.message).toContain(word);
  });

  test.each([".", "./", "-e .", "-e.", "--editable .", "--editable=./", "-e . # itself"])(
    "%s is the program itself, and left out",
    (line) => {
      expect(read(`${line}\nidna\n`)).toEqual({ requirements: ["idna"], constraints: [], skipped: ["requirements.txt:1"], problems: [] });
    },
  );

  test("whatever the text, no line that names an address, an option or a path gets through", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("-e .", "a @ http://x", "git+http://x", "\\", "# x", "a==1"))),
        (lines) => {
          for (const line of read(lines.join("\n")).requirements)
            expect(line).toMatch(/^(?:--(?:pre|prefer-binary|require-hashes|only-binary|no-binary)|[A-Za-z0-9])/);
        },
      ),
    );
  });
});

describe("a file that is made to take long", () => {
  const most = 1024 * 1024;
  const files = (texts: Readonly<Record<string, string>>) => {
    const entries = Object.entries(texts).map(([path, text]) => ({ path, mode: 420 as const, size: text.length, sha256: path }));
    return { blobs: { get: async (path: string) => Buffer.from(texts[path] ?? "") } as unknown as Blobs, entries };
  };
  const ask = async (
    language: string,
    source: "requirements" | "pyproject" | "inline" | "go.mod",
    texts: Readonly<Record<string, string>>,
  ) => {
    const { blobs, entries } = files(texts);
    const runtime = { definition: { name: language }, version: "1.0.0" } as unknown as InstalledRuntime;
    return await readRequest(blobs, runtime, { dependencies: { source, file: null, packages: [] }, entrypoint: "main.py" }, entries);
  };
  const hostile: readonly (readonly [string, string])[] = [
    ["newlines", "\n".repeat(most)],
    ["spaces", `a${" ".repeat(most - 2)}b`],
    ["tabs at its begin", `${"\t".repeat(most - 1)}b`],
    ["comments without an end", `a${" #".repeat(most / 2 - 2)}\rb`],
    ["spaces before the last, unfinished line", `a${" ".repeat(most - 3)}b\\`],
    ["begins of metadata", "# /// script\n".repeat(80_000)],
    ["hashes", `a==1 ${"--hash=".repeat(149_000)}`],
    ["modules without a version", `a/b${"\n".repeat(most - 4)}`],
    ["replacements", `replace a${" ".repeat(most - 20)}v`],
  ];

  test.each(hostile)("of %s is read soon", async (_what, text) => {
    await ask("python", "requirements", { "requirements.txt": text });
    await ask("python", "pyproject", { "pyproject.toml": text });
    await ask("python", "inline", { "main.py": text });
    await ask("go", "go.mod", { "go.mod": text });
    const module = await ask("go", "go.mod", { "go.mod": `require a/b v1.0.0\n${text.slice(30)}` });
    expect(module?.dependencies[0]).toBe("a/b@v1.0.0");
  });

  test.each([
    ["python", "requirements", "requirements.txt"],
    ["python", "pyproject", "pyproject.toml"],
    ["python", "inline", "main.py"],
    ["go", "go.mod", "go.mod"],
  ] as const)("of %s is refused by its name when it is too large: %s", async (language, source, path) => {
    await expect(ask(language, source, { [path]: "#".repeat(most + 1) })).rejects.toMatchObject({
      code: "dependencies_unsupported",
      fields: [{ path, message: "is larger than 1 MiB" }],
    });
  });

  test("of mistakes is refused with the first of them", async () => {
    const refused = ask("python", "requirements", { "requirements.txt": "!\n".repeat(100_000) });
    await expect(refused).rejects.toMatchObject({ code: "dependencies_unsupported", fields: { length: 100 } });
  });

  test("is no other: modules and what replaces them are found line by line", async () => {
    const text = "module m\r\n\r\nrequire (\r\n\ta.example/b v1.2.3 // indirect\r\n)\r\nrequire c.example/d v0.1.0\r\n";
    expect(await ask("go", "go.mod", { "go.mod": text })).toMatchObject({ dependencies: ["a.example/b@v1.2.3", "c.example/d@v0.1.0"] });
    const local = ask("go", "go.mod", { "go.mod": `${text}replace a.example/b v1.2.3 => ../b\r\n` });
    await expect(local).rejects.toMatchObject({ fields: [{ path: "go.mod", message: expect.stringContaining("../b") }] });
  });
});

test("of a package.json only what says what to install is kept", () => {
  const manifest = readNodeManifest(
    "package.json",
    JSON.stringify({ scripts: { postinstall: "evil" }, bin: "x", dependencies: { a: "^1", b: "npm:c@2" } }),
  );
  expect(JSON.parse(manifest.text)).toEqual({ name: "program", version: "0.0.0", private: true, dependencies: { a: "^1", b: "npm:c@2" } });
  expect(manifest).toMatchObject({ dependencies: ["a@^1", "b@npm:c@2"], problems: [] });
});

test.each(["git+https://x.example/a", "github:a/b", "a/b", "file:../x", "link:x", "https://x.example/a.tgz", "workspace:*", "../x"])(
  "a dependency on %s is refused",
  (range) => {
    expect(readNodeManifest("package.json", JSON.stringify({ dependencies: { thing: range } })).problems).toMatchObject([
      { path: "package.json thing" },
    ]);
  },
);

test.each(["{", "[]", '{"dependencies": 1}', '{"dependencies": {"a": 1}}', "null"])("the package.json %s is refused", (text) => {
  expect(readNodeManifest("package.json", text).problems).toHaveLength(1);
});

test("the metadata of a script is found where PEP 723 has it", () => {
  expect(inlineBlock('#!/usr/bin/env python\n# /// script\n# dependencies = [\n#   "idna",\n# ]\n# ///\nprint(1)\n')).toBe(
    'dependencies = [\n  "idna",\n]\n',
  );
  expect(inlineBlock("# /// script\r\n# a = 1\r\n#\r\n# b = 2\r\n# ///  \r\nprint(1)\r\n")).toBe("a = 1\n\nb = 2\n");
  expect(inlineBlock("# /// script\nprint(1)\n# /// script\n# a = 1\n# ///")).toBe("a = 1\n");
  for (const none of ["print(1)\n# /// other\n# x\n# ///\n", "# /// script\n# ///\n", "# /// script\n# a = 1\n", "#", ""])
    expect(inlineBlock(none)).toBeNull();
});

test("of packages that are named one by one, any version is one without a constraint", async () => {
  const packages = ["*", " * ", "", ">=2"].map((constraint, index) => ({ name: `p${index}`, constraint, extras: [] }));
  const runtime = { definition: { name: "python" }, version: "1.0.0" } as unknown as InstalledRuntime;
  const config = { dependencies: { source: "manual" as const, file: null, packages }, entrypoint: "main.py" };
  const request = await readRequest({} as unknown as Blobs, runtime, config, []);
  expect(request?.files).toEqual({ "requirements.txt": "p0\np1\np2\np3>=2\n" });
});
