import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { countLines, measureFunctions, measurePythonFunctions } from "../sizes/measure.ts";
import { formatTable, longest, median, summarise } from "../sizes/report.ts";

const folder = mkdtempSync(join(tmpdir(), "syla-sizes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const typescript = `export function outer() {
  const inner = () => 1;
  return [1].map((x) => x + inner());
}
class Box {
  #value = () => {
    return 1;
  };
  get value(): number {
    return this.#value();
  }
}
const table = {
  read: async function () {},
  write() {
    return "a function in a string { }";
  },
};
declare function outside(): void;
`;

describe("sizes", () => {
  it("counts lines", () => {
    expect([countLines(""), countLines("a"), countLines("a\n"), countLines("a\n\n")]).toEqual([0, 1, 1, 2]);
  });

  it("finds every TypeScript function that has a name", () => {
    const found = measureFunctions({ path: "a.ts", text: typescript }).map(({ name, line, lines }) => [name, line, lines]);
    expect(new Set(found.map((one) => one.join(" ")))).toEqual(
      new Set(["outer 1 4", "inner 2 1", "#value 6 3", "value 9 3", "read 14 1", "write 15 3"]),
    );
  });

  it("finds Python functions", () => {
    writeFileSync(join(folder, "a.py"), "class A:\n    async def b(self):\n        def c():\n            return 1\n        return c()\n");
    expect(measurePythonFunctions(folder, ["a.py"])).toEqual([
      { path: "a.py", name: "b", line: 2, lines: 4 },
      { path: "a.py", name: "c", line: 3, lines: 2 },
    ]);
    expect(measurePythonFunctions(folder, [])).toEqual([]);
  });

  it("says which Python file cannot be parsed", () => {
    writeFileSync(join(folder, "broken.py"), "def (");
    expect(() => measurePythonFunctions(folder, ["broken.py"])).toThrow("broken.py");
  });

  it("computes the median and the longest", () => {
    expect([median([]), median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([0, 2, 2.5]);
    const sizes = [1, 9, 9].map((lines, index) => ({ path: `${index}.ts`, name: "", line: 1, lines }));
    expect(longest(sizes)?.path).toBe("1.ts");
    expect(summarise("files", sizes)).toEqual({ what: "files", count: "3", median: "9", total: "19", longest: "9  1.ts" });
  });

  it("lines columns up", () => {
    expect(
      formatTable([
        { a: "1", b: "x" },
        { a: "222", b: "y" },
      ]),
    ).toBe("a    b\n1    x\n222  y");
  });
});
