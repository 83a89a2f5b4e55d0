import { hash } from "node:crypto";
import { seededRandom } from "@syla/testkit/seeded-random";
import { describe, expect, it } from "vitest";
import type { Blobs } from "../../src/platform/blobs.ts";
import { mergeText } from "../../src/platform/merge-text.ts";
import { mergeTrees, type ConflictRule } from "../../src/platform/merge-trees.ts";
import type { TreeEntry } from "../../src/platform/trees.ts";

const merge = (base: string, mine: string, theirs: string) =>
  mergeText(Buffer.from(base), Buffer.from(mine), Buffer.from(theirs))?.toString() ?? null;

describe("two changes of one text", () => {
  const base = "1\n2\n3\n4\n5\n6\n";
  it.each([
    ["lines apart", "one\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nsix\n", "one\n2\n3\n4\n5\nsix\n"],
    ["a line taken out and one put in elsewhere", "1\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n5.5\n6\n", "1\n3\n4\n5\n5.5\n6\n"],
    ["the same change", "1\n2\nx\n4\n5\n6\n", "1\n2\nx\n4\n5\n6\n", "1\n2\nx\n4\n5\n6\n"],
    ["nothing on one side", base, "new", "new"],
    ["an end without a line break", "0\n1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n6", "0\n1\n2\n3\n4\n5\n6"],
  ])("are put together: %s", (_what, mine, theirs, merged) => {
    expect(merge(base, mine, theirs)).toBe(merged);
    expect(merge(base, theirs, mine)).toBe(merged);
  });

  it.each([
    ["the same line", "1\nx\n3\n4\n5\n6\n", "1\ny\n3\n4\n5\n6\n"],
    ["lines beside each other", "1\nx\n3\n4\n5\n6\n", "1\n2\ny\n4\n5\n6\n"],
    ["both at the same place", "1\n2\nx\n3\n4\n5\n6\n", "1\n2\ny\n3\n4\n5\n6\n"],
    ["one takes out what the other changes", "1\n6\n", "1\n2\n3\nx\n5\n6\n"],
    ["no text", "1\0\n", "1\n2\n3\n4\n5\n6\n7\n"],
  ])("are not where they meet: %s", (_what, mine, theirs) => {
    expect(merge(base, mine, theirs)).toBeNull();
    expect(merge(base, theirs, mine)).toBeNull();
  });

  it("are put together in long files, too", () => {
    const lines = "\n".repeat(400_000);
    expect(merge(lines, `${lines}mine\n`, `theirs\n${lines}`)).toBe(`theirs\n${lines}mine\n`);
  });

  it("keep every line that was put in, whatever they are", () => {
    const random = seededRandom(7);
    let merged = 0;
    for (let round = 0; round < 300; round += 1) {
      const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`);
      const edit = (who: string) => {
        const edited = [...lines];
        for (let times = 0; times < 3; times += 1)
          edited.splice(Math.floor(random() * edited.length), Math.floor(random() * 2), `${who} ${round}.${times}\n`);
        return edited.join("");
      };
      const [mine, theirs] = [edit("mine"), edit("theirs")];
      const both = merge(lines.join(""), mine, theirs);
      expect(merge(lines.join(""), theirs, mine)).toBe(both);
      if (both === null) continue;
      merged += 1;
      for (const line of [...mine.split("\n"), ...theirs.split("\n")].filter((text) => /^(mine|theirs)/.test(text)))
        expect(both).toContain(line);
    }
    expect(merged).toBeGreaterThan(20);
  });
});

describe("two changes of one tree", () => {
  const contents = new Map<string, Buffer>();
  const store = (bytes: Buffer) => {
    const sha256 = hash("sha256", bytes);
    contents.set(sha256, bytes);
    return { sha256, size: bytes.length };
  };
  const blobs = {
    get: (sha256: string) => Promise.resolve(contents.get(sha256) ?? Buffer.alloc(0)),
    put: (bytes: Uint8Array) => Promise.resolve(store(Buffer.from(bytes))),
  } as unknown as Blobs;
  const tree = (files: Readonly<Record<string, string>>): TreeEntry[] =>
    Object.entries(files).map(([path, content]) => ({ path, mode: 420, ...store(Buffer.from(content)) }));
  const run = async (
    base: Readonly<Record<string, string>>,
    mine: Readonly<Record<string, string>>,
    theirs: Readonly<Record<string, string>>,
    rule: ConflictRule = "refuse",
  ) => {
    const { entries, conflicts } = await mergeTrees(blobs, { base: tree(base), mine: tree(mine), theirs: tree(theirs) }, rule);
    return { files: Object.fromEntries(entries.map(({ path, sha256 }) => [path, contents.get(sha256)?.toString()])), conflicts };
  };

  it("are put together path by path", async () => {
    const base = { a: "1", b: "1", c: "1", d: "1" };
    const { files, conflicts } = await run(base, { a: "2", b: "1", c: "1", e: "1" }, { a: "1", b: "2", d: "1", f: "1" });
    expect(conflicts).toEqual([]);
    expect(files).toEqual({ a: "2", b: "2", e: "1", f: "1" });
  });

  it("leave out what neither side can be taken of, unless a side is said to stay", async () => {
    const [base, mine, theirs] = [{ a: "1", b: "1" }, { a: "2" }, { a: "3", b: "2" }];
    expect((await run(base, mine, theirs)).conflicts).toEqual(["a", "b"]);
    expect(await run(base, mine, theirs, "mine")).toEqual({ files: { a: "2" }, conflicts: [] });
    expect(await run(base, mine, theirs, "theirs")).toEqual({ files: { a: "3", b: "2" }, conflicts: [] });
  });

  it("take no more than about a second of the server's time, and leave turns to others", async () => {
    const files = (line: string) => Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, `${line}\n`.repeat(30_000)]));
    let [longestMs, last] = [0, performance.now()];
    const turns = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 1);
    const usage = process.cpuUsage();
    const { conflicts } = await run(files("a"), files("b"), files("c"));
    const { user } = process.cpuUsage(usage);
    clearInterval(turns);
    expect(conflicts).toHaveLength(40);
    expect(user / 1000).toBeLessThan(4000);
    expect(longestMs).toBeLessThan(1500);
  });

  it("clash where one makes a file of what the other makes a folder of", async () => {
    expect((await run({}, { a: "1" }, { "a/b": "1" })).conflicts).toEqual(["a/b"]);
  });
});
