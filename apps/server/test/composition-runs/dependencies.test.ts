import { AppError } from "@syla/contracts/errors";
import { describe, expect, it } from "vitest";
import { unionOfNeeds, type ProgramNeeds } from "../../src/composition-runs/dependencies.ts";
import { canAgree } from "../../src/composition-runs/version-specifiers.ts";

const python = { language: "python", runtimeVersion: "3.12.1" };
const program = (name: string, files: Record<string, string>, ...nodes: string[]): ProgramNeeds => ({
  name,
  nodes: nodes.length === 0 ? [name] : nodes,
  request: { manager: "uv", ...python, source: "manual", dependencies: [], files },
});
const requirements = (name: string, ...lines: string[]) => program(name, { "requirements.txt": lines.map((line) => `${line}\n`).join("") });
const union = (...programs: ProgramNeeds[]) => unionOfNeeds(programs, python, false);
function refusal(...programs: ProgramNeeds[]): AppError {
  try {
    union(...programs);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("what the programs of a composition need together", () => {
  it("is what each has written, wherever it was: requirements, a project, a script, a lock", () => {
    const together = union(
      requirements("one", "words>=1", 'old==1 ; python_version < "3.8"', "--pre"),
      program("two", {
        "pyproject.toml": '[project]\nname = "two"\ndependencies = ["More[x]~=3.0"]\n[tool.uv]\ndev-dependencies = ["no"]\n',
        "uv.lock": "x",
      }),
      program("three", { "pyproject.toml": 'dependencies = ["words >= 1", "script"]\n' }),
      program("four", { "lock.txt": "locked==2.0 --hash=sha256:ab\n--require-hashes\n" }),
      program("five", { "requirements.txt": "words>=1\n", "constraints.txt": "deep<3\n" }),
    );
    expect(together).toEqual({
      manager: "uv",
      ...python,
      source: "manual",
      dependencies: ["More[x]~=3.0", "locked==2.0", 'old==1 ; python_version < "3.8"', "script", "words >= 1", "words>=1"],
      files: {
        "requirements.txt": '--pre\nMore[x]~=3.0\nlocked==2.0\nold==1 ; python_version < "3.8"\nscript\nwords >= 1\nwords>=1\n',
        "constraints.txt": "deep<3\n",
      },
    });
    expect(union()).toBeNull();
    expect(union(program("none", { "pyproject.toml": "[project]\nname = 'x'\n" }))).toBeNull();
  });

  it("has Mellea where a model is asked, in the version that a program wants", () => {
    expect(unionOfNeeds([requirements("one", "words")], python, true)?.dependencies).toEqual(["mellea>=0.8,<0.9", "words"]);
    expect(unionOfNeeds([requirements("one", "Mellea==0.8.2")], python, true)?.dependencies).toEqual(["Mellea==0.8.2"]);
    expect(unionOfNeeds([], python, true)?.files).toEqual({ "requirements.txt": "mellea>=0.8,<0.9\n" });
  });

  it("is refused where two wishes cannot be met, and says which nodes want what", () => {
    const error = refusal(
      program("One", { "requirements.txt": "Some.Words>=2,<3\n" }, "a", "m/b"),
      program("Two", { "pyproject.toml": 'dependencies = ["some-words~=1.4"]\n' }, "c"),
      program("Three", { "requirements.txt": "some_words\n" }, "d"),
    );
    expect(error).toMatchObject({
      code: "dependency_conflict",
      message: "The programs of the composition need different versions of some-words: One >=2,<3 (nodes a, m/b), Two ~=1.4 (node c).",
      details: {
        package: "some-words",
        wishes: [
          { by: "One", nodes: ["a", "m/b"], constraint: ">=2,<3" },
          { by: "Two", nodes: ["c"], constraint: "~=1.4" },
          { by: "Three", nodes: ["d"], constraint: "" },
        ],
      },
    });
    expect(
      refusal(program("One", { "requirements.txt": "words\n", "constraints.txt": "words<2\n" }), requirements("Two", "words==2")).code,
    ).toBe("dependency_conflict");
    // What holds on other machines alone is left to whoever installs.
    expect(union(requirements("One", 'words==1 ; sys_platform == "win32"'), requirements("Two", "words==2"))).not.toBeNull();
  });

  it("is refused where a program asks for something else than packages of the index, with the program's name", () => {
    for (const line of ["words @ https://example.org/words.whl", "git+https://example.org/words", "./words", "-e ."])
      expect(refusal(program("Odd", { "pyproject.toml": `dependencies = [${JSON.stringify(line)}]\n` }))).toMatchObject({
        code: "dependencies_unsupported",
        message: expect.stringContaining("The dependencies of Odd cannot be installed"),
      });
    for (const text of ["dependencies = 3", "dependencies = [1]", "= ="])
      expect(refusal(program("Odd", { "pyproject.toml": text })).code).toBe("dependencies_unsupported");
    expect(union(program("Odd", { "pyproject.toml": "__proto__ = 1\n[project]\nconstructor = 2\n" }))).toBeNull();
  });
});

describe("two wishes for versions", () => {
  const agreeing = [
    ["", "==1"],
    ["==1.0", "==1"],
    [">=1,<2", ">=1.9.9"],
    ["==1.4.*", ">=1.4.7"],
    ["~=1.4", "==1.9"],
    ["~=1.4.2", "==1.4.9"],
    [">=1", "<=1"],
    ["!=1.5", ">=1"],
    ["==1.0rc1", "<1.0"],
    ["==1.0.post1", ">1.0"],
    ["==1!1.0", ">=2020"],
    ["==2.*", "==2.1.*"],
    ["== 1.0+local", "==1.0"],
    ["whatever", "==1"],
    ["==1.0-x-y-z", "==2"],
  ];
  const contrary = [
    ["==1", "==2"],
    [">=2", "<2"],
    [">1", "<=1"],
    ["==1.4.*", ">=1.5"],
    ["~=1.4", "==2.0"],
    ["~=1.4.2", "==1.5"],
    ["~=1.4.2", "==1.4.1"],
    ["!=1.5", "==1.5"],
    ["==1.0rc1", ">=1.0"],
    ["==1.0.dev3", ">=1.0a1"],
    ["==1!1.0", "<2020"],
    ["===1.0", "===1.1"],
    [">=2,<3", "<2"],
  ];
  it.each(agreeing)("%s and %s can be met", (one, other) => {
    expect([canAgree(one, other), canAgree(other, one)]).toEqual([true, true]);
  });
  it.each(contrary)("%s and %s cannot be met", (one, other) => {
    expect([canAgree(one, other), canAgree(other, one)]).toEqual([false, false]);
  });
});
