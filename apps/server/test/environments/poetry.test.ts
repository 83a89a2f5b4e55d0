import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPoetry } from "../../src/environments/poetry.ts";
import { type EnvironmentRequest, requestKeyOf } from "../../src/environments/request.ts";
import { readRequest } from "../../src/environments/request-from-tree.ts";
import type { Blobs } from "../../src/platform/blobs.ts";
import type { InstalledRuntime } from "../../src/runtimes/service.ts";

const read = (text: string) => readPoetry("pyproject.toml", text);
const one = (entry: string) => read(`[tool.poetry.dependencies]\npython = "^3.9"\nrich = ${entry}\n`);

test.each([
  ["^1.2.3", ">=1.2.3,<2.0.0"],
  ["^1.2", ">=1.2,<2.0"],
  ["^1", ">=1,<2"],
  ["^0.2.3", ">=0.2.3,<0.3.0"],
  ["^0.0.3", ">=0.0.3,<0.0.4"],
  ["^0.0", ">=0.0,<0.1"],
  ["^0", ">=0,<1"],
  ["^0.0.0", ">=0.0.0,<0.0.1"],
  ["^2023.10.1", ">=2023.10.1,<2024.0.0"],
  ["^1.2.3.4", ">=1.2.3.4,<2.0.0"],
  ["^0.0.0.4", ">=0.0.0.4,<0.0.1"],
  ["^1.2.3b1", ">=1.2.3b1,<2.0.0"],
  ["^1.0.0-alpha.1", ">=1.0.0-alpha.1,<2.0.0"],
  ["^1!2.3", ">=1!2.3,<1!3.0"],
  ["^ v1.2", ">=1.2,<2.0"],
  ["~1.2.3", ">=1.2.3,<1.3.0"],
  ["~1.2", ">=1.2,<1.3"],
  ["~1", ">=1,<2"],
  ["~0.0.3", ">=0.0.3,<0.1.0"],
  ["~=1.2.3", "~=1.2.3"],
  ["~= 1.2", "~=1.2"],
  ["1.2.*", "==1.2.*"],
  ["==1.*", "==1.*"],
  ["1.x", "==1.*"],
  ["1.*.*", "==1.*"],
  ["!=1.3.*", "!=1.3.*"],
  ["*", ""],
  ["1.2.3", "==1.2.3"],
  ["=1.2", "==1.2"],
  ["== 1.2.3", "==1.2.3"],
  ["1.2.3+cpu.1", "==1.2.3+cpu.1"],
  ["1.2.3.post1", "==1.2.3.post1"],
  ["2.0rc1", "==2.0rc1"],
  [">= 1.2, < 1.5", ">=1.2,<1.5"],
  [">=1.2 <1.5", ">=1.2,<1.5"],
  [">=1.2,<2.0,!=1.5,", ">=1.2,<2.0,!=1.5"],
  ["^1.2,!=1.4.0", ">=1.2,<2.0,!=1.4.0"],
  ["<>1.4", "!=1.4"],
  ["* || ^1", ""],
])("the version %s of Poetry is %s", (written, specifiers) => {
  expect(one(JSON.stringify(written))).toEqual({ requirements: [`rich${specifiers}`], problems: [] });
});

test.each([
  ['{ version = "^13", extras = ["jupyter", "all"] }', "rich[jupyter,all]>=13,<14"],
  ['{ version = "*", markers = "sys_platform == \'linux\'" }', "rich ; sys_platform == 'linux'"],
  ['{ version = "1.0", python = "^3.8" }', 'rich==1.0 ; python_version >= "3.8" and python_version < "4.0"'],
  ['{ version = "1.0", python = "3.9.*" }', 'rich==1.0 ; python_full_version == "3.9.*"'],
  [
    '{ version = "1.0", python = "~2.7 || >=3.6.1" }',
    'rich==1.0 ; (python_version >= "2.7" and python_version < "2.8") or (python_full_version >= "3.6.1")',
  ],
  ['{ version = "1.0", python = "*" }', "rich==1.0"],
  [
    '{ version = "1.0", python = "<3.9 || >3.10", platform = "darwin", markers = "os_name == \'a\' or os_name == \'b\'" }',
    `rich==1.0 ; ((python_version < "3.9") or (python_version > "3.10")) and (sys_platform == "darwin") and (os_name == 'a' or os_name == 'b')`,
  ],
  ['{ version = "^13", allow-prereleases = true }', "rich>=13,<14,>=0.dev0"],
])("the table %s is %s", (written, requirement) => {
  expect(one(written)).toEqual({ requirements: [requirement], problems: [] });
});

test("several constraints are several requirements; what is optional, for Python or of other groups is none", () => {
  const text = `[project]
name = "x"
dynamic = ["dependencies"]
[tool.poetry.dependencies]
Python = ">=3.9"
numpy = [{ version = "<2", python = "<3.12" }, { version = "^2", python = ">=3.12" }]
extra = { version = "1", optional = true }
[tool.poetry.extras]
all = ["extra"]
[tool.poetry.group.main.dependencies]
idna = "*"
[tool.poetry.group.dev.dependencies]
pytest = { git = "https://git.example/x" }
[tool.poetry.dev-dependencies]
black = "*"
`;
  expect(read(text)).toEqual({
    requirements: ['numpy<2 ; python_version < "3.12"', 'numpy>=2,<3 ; python_version >= "3.12"', "idna"],
    problems: [],
  });
});

test.each([
  ['{ git = "https://git.example/x.git", rev = "a" }', "address"],
  ['{ url = "https://x.example/a.whl" }', "address"],
  ['{ path = "../x", develop = true }', "path"],
  ['{ file = "x.whl" }', "path"],
  ['{ version = "1", source = "private" }', "index"],
  ['"^1 || ^3"', "||"],
  ['"^"', "cannot be read"],
  ['""', "cannot be read"],
  ['"1 ; os_name"', "cannot be read"],
  ['"~=1"', "cannot be read"],
  ['">=1.*"', "cannot be read"],
  ['"1\\n--index-url x"', "cannot be read"],
  ['"@ https://x.example/a"', "cannot be read"],
  ["3", "neither"],
  ["1979-05-27", "neither"],
  ["{ version = 1 }", "cannot be read"],
  ['{ version = "1", extras = "a" }', "extras"],
  ['{ version = "1", extras = ["a]"] }', "extras"],
  ['{ version = "1", markers = "os_name == \'a\' # b" }', "markers"],
  ['{ version = "1", markers = "os_name --hash=sha256:a" }', "markers"],
  ['{ version = "1", python = "old" }', "Python"],
  ['{ version = "1", platform = "a\\" or \\"" }', "platform"],
])("%s is refused by its name", (entry, word) => {
  const found = one(entry);
  expect(found?.requirements).toEqual([]);
  expect(found?.problems).toMatchObject([{ path: "pyproject.toml tool.poetry.dependencies.rich" }]);
  expect(found?.problems[0]?.message).toContain(word);
});

test("where the project itself names its dependencies, and where nothing of Poetry is, it is not asked", () => {
  for (const text of [
    '[project]\ndependencies = ["idna"]\n[tool.poetry.dependencies]\nrich = "^13"\n',
    '[project]\ndescription = "poetry"\n',
    "[tool.poetry\n",
  ])
    expect(read(text)).toBeNull();
  expect(read('[tool.poetry]\nname = "poetry"\n')).toEqual({ requirements: [], problems: [] });
  expect(read("[tool.poetry]\ndependencies = 3\n")?.problems).toMatchObject([{ message: "is not a table" }]);
  expect(read('[tool.poetry.dependencies]\n"a; b" = "*"\n')?.problems).toMatchObject([{ message: "is not the name of a package" }]);
});

test("whatever a version says, it stays within its requirement", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({
          unit: fc.constantFrom("^", "~", "=", "<", ">", "!", "1", ".", "0", "*", ",", " ", "|", "a", "-", "+", "\n", ";", "#", "@"),
        }),
      ),
      (text) => {
        for (const line of one(JSON.stringify(text).replaceAll("\u007f", ""))?.requirements ?? [])
          expect(line).toMatch(/^rich[=<>!~0-9a-z.*,+_!-]*$/i);
      },
    ),
  );
});

describe("a program of Poetry", () => {
  const ask = async (text: string) => {
    const entries = [{ path: "pyproject.toml", mode: 420 as const, size: text.length, sha256: "a" }];
    const runtime = { definition: { name: "python" }, version: "3.13.1" } as unknown as InstalledRuntime;
    const config = { dependencies: { source: "pyproject" as const, file: null, packages: [] }, entrypoint: "main.py" };
    return await readRequest({ get: async () => Buffer.from(text) } as unknown as Blobs, runtime, config, entries);
  };

  const keyOf = (request: EnvironmentRequest | null) => (request === null ? null : requestKeyOf(request));

  test("asks for its packages, and for another environment when they change", async () => {
    const first = await ask('[tool.poetry.dependencies]\npython = "^3.9"\nrich = "^13"\n');
    expect(first).toMatchObject({ source: "pyproject", dependencies: ["rich>=13,<14"], files: { "requirements.txt": "rich>=13,<14\n" } });
    const other = await ask('[tool.poetry.dependencies]\npython = "^3.9"\nrich = "^14"\n');
    expect(keyOf(first)).not.toBeNull();
    expect(keyOf(other)).not.toBe(keyOf(first));
    expect(await ask('[tool.poetry.dependencies]\npython = "^3.9"\n')).toBeNull();
  });

  test("is refused as a whole when one of them comes from elsewhere", async () => {
    await expect(ask('[tool.poetry.dependencies]\nidna = "*"\nrich = { git = "https://git.example/x" }\n')).rejects.toMatchObject({
      code: "dependencies_unsupported",
      fields: [{ path: "pyproject.toml tool.poetry.dependencies.rich" }],
    });
  });

  test.each(["^".repeat(400_000), `1${".1".repeat(400_000)}`, " ,".repeat(400_000), "1".repeat(900_000)])(
    "made to take long is read soon",
    async (text) => {
      await expect(ask(`[tool.poetry.dependencies]\nrich = "${text}"\n`)).rejects.toMatchObject({ code: "dependencies_unsupported" });
    },
  );
});
