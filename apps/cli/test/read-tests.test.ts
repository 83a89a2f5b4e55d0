import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTests } from "../src/runs/read-tests.ts";
import { temporaryFolder } from "./run-cli.ts";

const languages = [{ name: "python", extensions: [".py"] }];

/** Writes files into a folder of their own. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
const read = (text: string, others: Readonly<Record<string, string | Buffer>> = {}) =>
  readTests(join(folderOf({ "tests.yaml": text, ...others }), "tests.yaml"), languages);

describe("a file of test cases", () => {
  test("is a list, or cases among settings; a plain expected is what is printed", () => {
    const cases = [{ stdin: "1", expected: { stdout: "2" } }];
    expect(read("- { stdin: '1', expected: '2' }")).toEqual({ cases });
    expect(read("check: exact\nparallel: 3\ncases:\n  - { stdin: '1', expected: '2' }")).toEqual({ check: "exact", parallel: 3, cases });
    expect(read('[{"stdin": "1", "expected": {"stdout": "2"}}]')).toEqual({ cases });
  });

  test("names files beside it, of text or of any bytes", () => {
    const text = "- { stdinFile: in/1.txt, expected: { stdoutFile: out.bin, exitCode: 3 } }";
    expect(read(text, { "in/1.txt": "é\n", "out.bin": Buffer.from([0xff, 0]) })).toEqual({
      cases: [{ stdin: "é\n", expected: { exitCode: 3, stdoutBase64: "/wA=" } }],
    });
  });

  test("names a checker by its file, whose language its name tells", () => {
    const checker = { program: { language: "python", code: "pass" } };
    expect(read("check: { program: { file: c.py } }\ncases: [{}]", { "c.py": "pass" })).toEqual({ check: checker, cases: [{}] });
    expect(read("- check: { program: { file: c.x, language: python } }", { "c.x": "pass" })).toEqual({ cases: [{ check: checker }] });
  });

  test.each([
    ["cases: 3", /no list of cases/],
    ["", /no test cases/],
    ["- 3", /case 1 is not an object/],
    ["- [", /tests\.yaml: /],
    ["a: &a [*a]", /tests\.yaml: /],
    ["- { stdinFile: missing.txt }", /missing\.txt/],
  ])("that makes no sense (%s) is refused", (text, message) => expect(() => read(text)).toThrow(message));
});

describe("a folder of test cases", () => {
  test("has pairs of files, in the order of their numbers", () => {
    const folder = folderOf({ "10.in": "a", "10.out": "b", "9.in": "c", "9.ans": "d", "notes.md": "" });
    expect(readTests(folder, languages)).toEqual({
      cases: [
        { name: "9", stdin: "c", expected: { stdout: "d" } },
        { name: "10", stdin: "a", expected: { stdout: "b" } },
      ],
    });
  });

  test("without pairs is refused", () => {
    expect(() => readTests(folderOf({ "1.in": "" }), languages)).toThrow(/1\.in has no 1\.out/);
    expect(() => readTests(folderOf({ "1.txt": "" }), languages)).toThrow(/no files NAME\.in/);
  });
});
