import type { AnalysedDependency } from "@syla/contracts/analysis";
import { describe, expect, it } from "vitest";
import { analyseAll, type Tree } from "./analyse-here.ts";

interface ManifestCase {
  readonly title: string;
  readonly tree: Tree;
  /** `name constraint group`, with what is there. */
  readonly dependencies: readonly string[];
  /** `code line` */
  readonly problems?: readonly string[];
}

const one = (title: string, file: string, text: string, dependencies: string[], problems: string[] = []): ManifestCase => ({
  title,
  tree: { [file]: text },
  dependencies,
  problems,
});

const cases: readonly ManifestCase[] = [
  one(
    "requirements with comments, blanks and continued lines",
    "requirements.txt",
    "# first\n\na==1.0 # why\nb>=2, \\\n  <3\nc ~= 1.4 ; python_version<'3.12'\nd(>=1)\n",
    ["a ==1.0", "b >=2,<3", "c ~=1.4", "d >=1"],
  ),
  one("requirements as Windows writes them", "requirements.txt", "\ufeffa==1\r\nb\r\n", ["a ==1", "b"]),
  { title: "requirements in UTF-16", tree: { "requirements.txt": Buffer.from("\ufeffa==1\n", "utf16le") }, dependencies: ["a ==1"] },
  one(
    "requirements that would run code",
    "requirements.txt",
    "-e .\n--editable ./lib\ngit+https://example.org/x.git#egg=x\n./y\nz.whl\nw @ file:///w\n",
    ["lib", "x", "y", "z.whl", "w"],
    ["runs_code 1", "runs_code 2", "runs_code 3", "runs_code 4", "runs_code 5", "runs_code 6"],
  ),
  one(
    "requirements that are none",
    "requirements.txt",
    "$$$\na=1\nb==\n==1\nc[\nd >= 1 2\n",
    [],
    [
      "invalid_requirement 1",
      "invalid_requirement 2",
      "invalid_requirement 3",
      "invalid_requirement 4",
      "invalid_requirement 5",
      "invalid_requirement 6",
    ],
  ),
  one(
    "requirements that lead out of the tree",
    "requirements.txt",
    "-r ../a.txt\n-r /etc/passwd\n-r https://example.org/a.txt\n-r none.txt\n-rnone.txt\n",
    [],
    ["include_outside 1", "include_outside 2", "include_outside 3", "include_missing 4", "include_missing 5"],
  ),
  {
    title: "requirements that include others, and themselves",
    tree: {
      "requirements.txt": "-r base.in\n-c limits/all.txt\na\n",
      "base.in": "--requirement more/x.in\nb\n",
      "more/x.in": "-r ../requirements.txt\nc\n",
      "limits/all.txt": "d<2\n",
    },
    dependencies: ["b", "d <2 constraint", "c", "a"],
    problems: ["include_circle 1", "include_circle 1", "include_circle 1"],
  },
  one(
    "PEP 621",
    "pyproject.toml",
    '[project]\nname="x"\ndependencies=["a[b,c]>=1", "d @ https://example.org/d.whl"]\noptional-dependencies.extra=["e"]\n[dependency-groups]\ntest=["f", {include-group="lint"}]\nlint=["g"]\n[build-system]\nrequires=["hatchling"]\n',
    ["a >=1", "d", "e extra", "f test", "g lint", "hatchling build"],
  ),
  one(
    "a project whose parts have other types",
    "pyproject.toml",
    'project = 3\n[tool.poetry.dependencies]\na = 3\nb = "^1"\n',
    ["b ^1"],
    ["invalid_manifest 1", "invalid_requirement 3"],
  ),
  one(
    "dependencies that are computed",
    "pyproject.toml",
    '[project]\nname="x"\ndynamic=["dependencies"]\n',
    [],
    ["dynamic_dependencies 3"],
  ),
  one(
    "Poetry",
    "pyproject.toml",
    '[tool.poetry]\nname="x"\n[tool.poetry.dependencies]\npython="^3.11"\na="^1.2"\nb={version="*",extras=["c"],optional=true}\nd={git="https://example.org/d.git"}\ne=[{version="1",python="<3.9"},{version="2"}]\n[tool.poetry.group.dev.dependencies]\nf="*"\n',
    ["a ^1.2", "b * optional", "d", "e 1", "e 2", "f * dev"],
  ),
  one("TOML that is none", "pyproject.toml", '[project]\nname = "x\n', [], ["invalid_toml 2"]),
  one("PEP 723", "a.py", '# /// script\n# dependencies = ["a>1"]\n# ///\n', ["a >1"]),
  one("two blocks of PEP 723", "a.py", "# /// script\n# ///\n\n# /// script\n# ///\n", [], ["invalid_inline 4"]),
  one("a block of PEP 723 without an end", "a.py", "# /// script\n# x = 1\n", [], ["invalid_inline 1"]),
  one(
    "setup.cfg",
    "setup.cfg",
    "[metadata]\nname = x\n[options]\ninstall_requires =\n  a>=1\n  b # why\n[options.extras_require]\ntest = c\n",
    ["a >=1", "b", "c test"],
  ),
  one(
    "setup.py in literals",
    "setup.py",
    "from setuptools import setup\nsetup(name='x', install_requires=['a', 'b>1'], extras_require={'t': ['c']})\n",
    ["a", "b >1", "c t"],
  ),
  one(
    "setup.py that computes",
    "setup.py",
    "import setuptools\nsetuptools.setup(install_requires=open('r').read().split())\n",
    [],
    ["dynamic_dependencies 2"],
  ),
  one("Pipfile", "Pipfile", '[packages]\na = "*"\nb = {version = ">=1", extras = ["c"]}\n[dev-packages]\nd = "==2"\n', [
    "a",
    "b >=1",
    "d ==2 dev",
  ]),
  one(
    "imports, where nothing is declared",
    "a.py",
    "import os, yaml\nimport PIL.Image\nfrom . import b\nfrom sklearn import svm\nimport a\n",
    ["pillow", "PyYAML", "scikit-learn"],
  ),
  {
    title: "imports beside declarations",
    tree: { "a.py": "import yaml, requests\n", "requirements.txt": "PyYAML\n" },
    dependencies: ["PyYAML"],
    problems: ["undeclared_import 1"],
  },
  one(
    "package.json",
    "package.json",
    '{"dependencies":{"a":"^1"},"devDependencies":{"b":"2"},"peerDependencies":{"c":"*"},"optionalDependencies":{"d":"file:../d"}}',
    ["a ^1", "b 2 dev", "c * peer", "d optional"],
  ),
  one(
    "package.json with other types",
    "package.json",
    '{"name":1,"dependencies":["a"],"devDependencies":{"b":1},"bin":3,"scripts":[],"main":{}}',
    [],
    ["invalid_manifest 1", "invalid_requirement 1"],
  ),
  one("package.json that ends early", "package.json", '{"dependencies":\n{"a"', [], ["invalid_json 2"]),
  one(
    "go.mod",
    "go.mod",
    'module "example.org/x"\ngo 1.24\nrequire a.org/b v1.0.0\nrequire (\n\tc.org/d/v2 v2.1.0-rc.1 // indirect; why\n)\nexclude a.org/b v0.9.0\nreplace a.org/b v1.0.0 => ./b\nretract [v1.0.0, v1.1.0]\n',
    ["a.org/b v1.0.0", "c.org/d/v2 v2.1.0-rc.1 indirect"],
  ),
  one(
    "go.mod that is none",
    "go.mod",
    "module x\nrequire a.org/b\nfrobnicate\nrequire (\n",
    [],
    ["invalid_go_mod 2", "invalid_go_mod 3", "invalid_go_mod 4"],
  ),
];

const describeDependency = ({ name, constraint, group }: AnalysedDependency) =>
  [name, constraint, group].filter((part) => part !== null).join(" ");

describe("manifests", () => {
  const documents = analyseAll(cases.map(({ tree }) => tree));

  it.each(cases.map((entry, index) => ({ ...entry, index })))("$title", ({ dependencies, problems = [], index }) => {
    const document = documents[index];
    expect(document?.dependencies.map(describeDependency)).toEqual(dependencies);
    expect(document?.problems.map(({ code, line }) => `${code} ${line ?? ""}`)).toEqual(problems);
  });
});
