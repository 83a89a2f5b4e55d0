import { once } from "node:events";
import { relative, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPaths, findCaseCollisions, pathProblem } from "../../src/platform/paths.ts";

/** Paths that are made to hurt: dots, slashes, NUL, and things that only look harmless. */
const hostilePath = fc
  .array(
    fc.oneof(fc.constantFrom("..", ".", "", "a", "\0", "~", "\\..", "..a", "…", "a\nb", "%2e%2e", "\u{d800}"), fc.string({ maxLength: 8 })),
    {
      maxLength: 24,
    },
  )
  .map((parts) => parts.join("/"));

describe("pathProblem", () => {
  it("accepts nothing that leaves the folder or that no file can have", () => {
    fc.assert(
      fc.property(hostilePath, (path) => {
        if (pathProblem(path) !== null) return;
        const inside = relative("/workspace", resolve("/workspace", path));
        expect(inside).toBe(path);
        expect(inside === ".." || inside.startsWith("../")).toBe(false);
        expect(path).not.toContain("\0");
        for (const part of path.split("/")) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
        expect(Buffer.from(path).toString()).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["", "is empty"],
    ["/etc/passwd", "is absolute"],
    ["a//b", "has an empty part"],
    ["a/", "has an empty part"],
    ["a/../b", 'contains ".."'],
    ["..", 'contains ".."'],
    ["./a", 'contains "."'],
    ["a\0b", "contains a NUL byte"],
    ["a\u{d800}", "is not valid Unicode"],
    ["é".repeat(128), "has a part of more than 255 bytes"],
    [Array(21).fill("a").join("/"), "is deeper than 20 levels"],
    [Array(16).fill("x".repeat(255)).join("/"), "is longer than 4000 bytes"],
  ])("refuses %j: %s", (path, problem) => {
    expect(pathProblem(path)).toBe(problem);
  });

  it.each(["a", "a/b.py", "..a", "a..", "...", " ", "ä/ö", "é".repeat(127), Array(20).fill("a").join("/"), "a\\..\\b", "-rf", "a\nb"])(
    "accepts %j",
    (path) => {
      expect(pathProblem(path)).toBeNull();
    },
  );
});

describe("checkPaths", () => {
  const problems = (paths: string[]) => {
    try {
      checkPaths(paths);
    } catch (error) {
      return (error as { code: string; fields: { path: string; message: string }[] }).fields;
    }
    return [];
  };

  it("names every bad path by its place", () => {
    expect(problems(["ok", "../x", "ok"])).toEqual([
      { path: "files.1.path", message: '"../x" contains ".."' },
      { path: "files.2.path", message: '"ok" is given twice' },
    ]);
  });

  it("refuses a name that is a file and a folder, at any depth", () => {
    expect(problems(["a", "a/b"])).toEqual([{ path: "files", message: '"a" is a file and a folder' }]);
    expect(problems(["a/b/c/d", "a/b"])).toHaveLength(1);
    expect(problems(["a/b", "a/bc", "ab"])).toEqual([]);
  });

  it("accepts only trees that can be written to a disk", () => {
    const part = fc.constantFrom("a", "b", "c");
    const paths = fc.array(
      fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(paths, (tree) => {
        const folders = new Set(
          tree.flatMap((path) =>
            path
              .split("/")
              .slice(1)
              .map((_, index) =>
                path
                  .split("/")
                  .slice(0, index + 1)
                  .join("/"),
              ),
          ),
        );
        const possible = new Set(tree).size === tree.length && !tree.some((path) => folders.has(path));
        expect(problems(tree).length === 0).toBe(possible);
      }),
    );
  });
});

describe("findCaseCollisions", () => {
  it("tells each spelling of a name once, and nothing of what lies below", () => {
    const paths = ["a/x", "A/x", "A/y", "a/X", "b/é", "b/e\u0301", "ab", "a/z", "\u00c5", "\u212b"];
    expect([...findCaseCollisions(paths)]).toEqual([
      ["a", "A"],
      ["a/x", "a/X"],
      ["b/é", "b/e\u0301"],
      ["\u00c5", "\u212b"],
    ]);
    expect([...findCaseCollisions(["a", "b/a", "ba", "c/a/b"])]).toEqual([]);
  });

  it("of a large and deep tree takes little memory", async () => {
    const worker = new Worker(
      `import(${JSON.stringify(new URL("../../src/platform/paths.ts", import.meta.url).href)}).then(({ findCaseCollisions }) => {
         const paths = Array.from({ length: 5000 }, (_, n) => Array.from({ length: 20 }, (_, level) => n + "-" + level + "x".repeat(190)).join("/"));
         require("node:worker_threads").parentPort.postMessage([...findCaseCollisions(paths)].length);
       })`,
      { eval: true, resourceLimits: { maxOldGenerationSizeMb: 128 } },
    );
    expect(await once(worker, "message")).toEqual([0]);
    await worker.terminate();
  });
});
