import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { RuntimeDefinition } from "../../src/runtimes/definition.ts";
import { matchAll } from "../../src/runs/match-text.ts";

const runtimes = join(import.meta.dirname, "../../../../runtimes");
const definitions = readdirSync(runtimes).map((name) =>
  RuntimeDefinition.parse(parse(readFileSync(join(runtimes, name, "runtime.yaml"), "utf8"))),
);

/** Texts of a size that compilers and programs can print, made to lead patterns astray. */
const hostile: Readonly<Record<string, string>> = {
  "linker words": `#error ${"ld: ".repeat(15_000)}`,
  colons: ":".repeat(65_000),
  blanks: " ".repeat(65_000),
  "empty lines": "\n".repeat(65_000),
  "words in lines": 'at line 1 in File "/workspace/a", line 1, in x\n'.repeat(1300),
  "python frames": '  File "/workspace/a", line 1, in x\n'.repeat(1800),
  "perl ends": "a at b line c at d line e\n".repeat(2500),
  "node frames": "/workspace/a:1\n\n".repeat(4000),
};

describe("patterns of the runtimes", () => {
  it.each(Object.keys(hostile))("stand still in time on %s", (name) => {
    const slow = definitions.filter(({ errors, compile }) => {
      const patterns = [...errors.map(({ pattern }) => pattern), ...(compile?.errors ?? [])];
      const began = performance.now();
      matchAll(patterns, hostile[name] ?? "");
      return performance.now() - began > 2000; // the budget is 200 ms; a busy machine may be slow to notice
    });
    expect(slow.map((definition) => definition.name)).toEqual([]);
  });

  it("are found as ever, with their groups", () => {
    const padding = "x\n".repeat(2000);
    const [none, found] = matchAll([/never/, /(?<file>\w+):(?<line>\d+)/], `${padding}main:7`);
    expect(none).toBeNull();
    expect({ ...found?.groups }).toEqual({ file: "main", line: "7" });
    expect(matchAll([/a/, /b/], "ab", true)).toHaveLength(1);
  });
});
