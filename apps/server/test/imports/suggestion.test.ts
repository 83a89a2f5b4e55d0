import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { remarksOn } from "../../src/imports/remarks.ts";
import { suggest } from "../../src/imports/suggestion.ts";
import { openRuntimes } from "../../src/runtimes/service.ts";
import { analyseAll, type Tree } from "../programs/analysis/analyse-here.ts";

const runtimes = await openRuntimes(posix.join(import.meta.dirname, "../../../../runtimes"));

/** What is proposed for each of these trees. */
function suggestAll(trees: readonly Tree[], mayGuess = false) {
  return analyseAll(trees).map((analysis, index) => {
    const entries = Object.keys(trees[index] ?? {}).map((path) => ({ path, size: 1, mode: 420 as const, sha256: "0".repeat(64) }));
    const suggestion = suggest({ name: "program", entries, analysis, mayGuess }, runtimes);
    return { ...suggestion, remarks: remarksOn(suggestion, analysis).map(({ code, path, line }) => `${code} ${path}:${line ?? ""}`) };
  });
}

const main = { "main.py": "import click\n" };

describe("the file that says what a program needs", () => {
  const cases: readonly {
    readonly title: string;
    readonly tree: Tree;
    readonly file: string | null;
    readonly packages: readonly string[];
  }[] = [
    {
      title: "is not that for development",
      tree: { "dev-requirements.txt": "black\n", "requirements-dev.txt": "-r requirements.txt\npytest\n", "requirements.txt": "click\n" },
      file: "requirements.txt",
      packages: ["click"],
    },
    {
      title: "is never that for development, tests or documentation",
      tree: {
        "requirements-dev.txt": "pytest\n",
        "requirements/test.txt": "tox\n",
        "docs/requirements.txt": "sphinx\n",
        "lint-requirements.txt": "ruff\n",
      },
      file: null,
      packages: [],
    },
    {
      title: "is the one that includes the other, with the packages of both",
      tree: { "base.txt": "rich>=13\n", "requirements.txt": "click\n-r base.txt\n" },
      file: "requirements.txt",
      packages: ["click", "rich>=13"],
    },
    {
      title: "is the one that nothing includes",
      tree: {
        "requirements/base.txt": "click\n",
        "requirements/production.txt": "-r base.txt\ngunicorn\n",
        "requirements/test.txt": "-r base.txt\npytest\n",
      },
      file: "requirements/production.txt",
      packages: ["gunicorn", "click"],
    },
    {
      title: "is pyproject.toml at the top, and not one below",
      tree: {
        "pyproject.toml": '[project]\nname = "p"\ndependencies = ["click"]\n',
        "requirements.txt": "rich\n",
        "a/pyproject.toml": '[project]\nname = "a"\ndependencies = ["b"]\n',
      },
      file: "pyproject.toml",
      packages: ["click"],
    },
    {
      title: "is at the top rather than a more telling one below",
      tree: { "requirements.txt": "click\n", "plugin/pyproject.toml": '[project]\nname = "a"\ndependencies = ["b"]\n' },
      file: "requirements.txt",
      packages: ["click"],
    },
    { title: "is of its language", tree: { "package.json": '{"dependencies": {"vite": "^5"}}' }, file: null, packages: [] },
    {
      title: "is no file that only limits versions, nor the block of another script",
      tree: {
        "requirements-limits.txt": "click<9\n",
        "requirements.txt": "-c requirements-limits.txt\nclick\n",
        "other.py": '# /// script\n# dependencies = ["rich"]\n# ///\n',
      },
      file: "requirements.txt",
      packages: ["click"],
    },
  ];
  const found = suggestAll(cases.map(({ tree }) => ({ ...main, ...tree })));

  it.each(cases.map((one, index) => ({ ...one, index })))("$title", ({ file, packages, index }) => {
    const { dependencies } = found[index] ?? {};
    expect([dependencies?.file, dependencies?.packages.map(({ name, constraint }) => name + constraint)]).toEqual([file, packages]);
  });
});

describe("what comes from an address or a path", () => {
  const node = { "main.js": "" };
  const cases: readonly {
    readonly title: string;
    readonly tree: Tree;
    readonly packages: readonly string[];
    readonly lines: readonly string[];
  }[] = [
    {
      title: "of requirements",
      tree: {
        ...main,
        "requirements.txt":
          "click\n-e git+https://example.org/a.git#egg=internal-tool\n./local\nother @ https://example.org/o.zip\nhttps://example.org/w-1.0.whl\n",
        "more.py": "import other\n",
      },
      packages: ["click"],
      lines: ["requirements.txt:2", "requirements.txt:3", "requirements.txt:4", "requirements.txt:5"],
    },
    {
      title: "of Poetry, whatever else asks for it by its name",
      tree: {
        ...main,
        "pyproject.toml":
          '[tool.poetry.dependencies]\nclick = "8.1.7"\na = {git = "https://example.org/a.git"}\nb = {path = "../b"}\nthird = [{version = "1", markers = "os_name == \'nt\'"}, {url = "https://example.org/c.whl"}]\n',
      },
      packages: ["click8.1.7"],
      lines: ["pyproject.toml:3", "pyproject.toml:4", "pyproject.toml:5"],
    },
    {
      title: "of package.json",
      tree: {
        ...node,
        "package.json":
          '{"dependencies": {"a": "git+ssh://git@example.org/a.git", "b": "file:../b", "c": "owner/c", "d": "npm:e@^1", "f": "^2"}}\n',
      },
      packages: ["dnpm:e@^1", "f^2"],
      lines: ["package.json:1", "package.json:1", "package.json:1"],
    },
  ];
  const found = suggestAll(cases.map(({ tree }) => tree));

  it.each(cases.map((one, index) => ({ ...one, index })))(
    "$title is named, and its name is asked of no index",
    ({ packages, lines, index }) => {
      const { dependencies, remarks } = found[index] ?? {};
      expect(dependencies?.packages.map(({ name, constraint }) => name + constraint)).toEqual(packages);
      expect(remarks).toEqual(lines.map((line) => `not_from_an_index ${line}`));
    },
  );
});

describe("the file that a program begins with", () => {
  const secret = `sk-proj-${"aB3dE5fG7h".repeat(5)}`;
  const notebook = JSON.stringify({
    cells: [{ cell_type: "code", source: "print(1)", metadata: {}, outputs: [], execution_count: null }],
    metadata: { kernelspec: { name: "python3", language: "python", display_name: "Python 3" } },
    nbformat: 4,
    nbformat_minor: 5,
  });
  const cases: readonly {
    readonly title: string;
    readonly tree: Tree;
    readonly entrypoint: string | null;
    readonly remarks?: readonly string[];
  }[] = [
    { title: "is no notebook", tree: { "a.ipynb": notebook }, entrypoint: null, remarks: ["notebook_alone a.ipynb:"] },
    { title: "is a program beside a notebook", tree: { "a.ipynb": notebook, "lib.py": "print(1)\n" }, entrypoint: "lib.py" },
    {
      title: "is what package.json names in a folder",
      tree: { "package.json": '{"main": "./server/start.js"}', "server/start.js": "" },
      entrypoint: "server/start.js",
    },
    {
      title: "is what package.json names without its ending",
      tree: { "package.json": '{"main": "lib"}', "lib/index.js": "", "index.js": "" },
      entrypoint: "lib/index.js",
    },
    {
      title: "is the source of what is not built",
      tree: {
        "package.json": '{"main": "dist/index.js", "scripts": {"start": "npm run build && node dist/index.js"}}',
        "src/index.ts": "",
        "src/other.ts": "",
      },
      entrypoint: "src/index.ts",
    },
    {
      title: "is what the start script runs",
      tree: { "package.json": '{"scripts": {"start": "tsx --env-file=.env src/serve.ts"}}', "src/serve.ts": "", "a.ts": "" },
      entrypoint: "src/serve.ts",
    },
    {
      title: "is the usual one beside a package.json that names none",
      tree: { "web/package.json": "{}", "web/src/main.ts": "" },
      entrypoint: "web/src/main.ts",
    },
    {
      title: "is the program, and not what belongs to its pages",
      tree: { "package.json": '{"main": "a.js"}', "a.js": "", "main.py": 'if __name__ == "__main__":\n    pass\n' },
      entrypoint: "main.py",
    },
    {
      title: "is a program at the top rather than one below",
      tree: { "web/package.json": "{}", "web/index.js": "", "tool.py": "" },
      entrypoint: "tool.py",
    },
    {
      title: "is another one when the likeliest looks secret",
      tree: { "main.py": `key = "${secret}"\n`, "app.py": "" },
      entrypoint: "app.py",
      remarks: ["entrypoint_left_out main.py:1"],
    },
    {
      title: "is the one that looks secret when nothing else is likely",
      tree: { "main.py": `\nkey = "${secret}"\n`, "tests/run.py": "" },
      entrypoint: "main.py",
      remarks: ["entrypoint_left_out main.py:2"],
    },
    {
      title: "lies in the tree, whatever is named",
      tree: { "package.json": '{"main": "../../etc/x.js"}', "x.js": "" },
      entrypoint: "x.js",
    },
  ];
  const found = suggestAll(cases.map(({ tree }) => tree));

  it.each(cases.map((one, index) => ({ ...one, index })))("$title", ({ entrypoint, remarks = [], index }) => {
    expect([found[index]?.entrypoint, found[index]?.remarks]).toEqual([entrypoint, remarks]);
  });
});

describe("packages that no file is read for", () => {
  const setup = {
    "main.py": "import click, numpy\n",
    "setup.cfg": "[options]\ninstall_requires =\n  click>=8\n  pywin32>=300; sys_platform == 'win32'\n  tool @ https://example.org/t.zip\n",
  };
  const imports = {
    "main.py":
      "import os, yaml, cv2, own, numpy as np\nfrom PIL import Image\nfrom google import genai\nfrom google.cloud import storage\nimport google.cloud.storage\n",
    "own.py": "import sklearn.metrics, bs4, dotenv\n",
    "setup.py": "import setuptools\n",
    "tests/test_own.py": "import numpy, pytest\n",
  };
  const cases = [
    {
      title: "are those of setup.cfg, copied",
      tree: setup,
      mayGuess: false,
      packages: ["click>=8", "pywin32>=300 ; sys_platform == 'win32'"],
      remarks: ["dependencies_copied setup.cfg:", "not_from_an_index setup.cfg:5"],
    },
    {
      title: "are guessed from what is imported",
      tree: imports,
      mayGuess: true,
      packages: ["beautifulsoup4", "google-cloud-storage", "numpy", "opencv-python", "pillow", "python-dotenv", "PyYAML", "scikit-learn"],
      remarks: ["dependencies_guessed null:"],
    },
    { title: "are not guessed unasked", tree: imports, mayGuess: false, packages: [], remarks: [] },
    { title: "are none when nothing is imported", tree: { "main.py": "import os\n" }, mayGuess: true, packages: [], remarks: [] },
  ];

  it.each(cases)("$title", ({ tree, mayGuess, packages, remarks }) => {
    const [found] = suggestAll([tree], mayGuess);
    expect(found?.dependencies.packages.map(({ name, constraint }) => name + constraint)).toEqual(packages);
    expect(found?.dependencies).toMatchObject({ source: packages.length === 0 ? "none" : "manual", file: null });
    expect(found?.remarks).toEqual(remarks);
  });
});
