import { hash } from "node:crypto";
import { join } from "node:path";
import { createLogger } from "@syla/server/platform/logger";
import { openBlobs, type Blobs } from "@syla/server/platform/blobs";
import { openDatabase, type Database } from "@syla/server/platform/database";
import { openTrees, type TreeEntry, type Trees } from "@syla/server/platform/trees";
import { createTestDatabase } from "@syla/testkit/database";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const stack = new AsyncDisposableStack();
let blobs: Blobs;
let database: Database;
let trees: Trees;

beforeAll(async () => {
  const directory = stack.use(createTemporaryDirectory());
  const made = stack.use(await createTestDatabase());
  database = stack.adopt(openDatabase({ connectionString: made.url }, createLogger("silent")), (value) => value.close());
  blobs = stack.adopt(await openBlobs(join(directory.path, "blobs")), (value) => value.close());
  trees = openTrees(database, blobs);
});
afterAll(() => stack.disposeAsync());

const entry = (path: string, content = "", mode: 420 | 493 = 420): TreeEntry => ({
  path,
  mode,
  size: content.length,
  sha256: hash("sha256", content),
});

describe("a tree", () => {
  it("is its manifest: equal trees are one, whatever the order in which their files are given", async () => {
    const files = [entry("b.txt", "b"), entry("a/ä.txt", "aa", 493), entry("Z", "")];
    const ref = await trees.put(files);
    expect(ref).toMatchObject({ files: 3, bytes: 3 });
    expect(await trees.put(files.toReversed())).toEqual(ref);
    expect((await trees.read(ref.sha256)).map((file) => file.path)).toEqual(["Z", "a/ä.txt", "b.txt"]);
    const manifest = JSON.parse((await blobs.get(ref.sha256)).toString()) as { version: number; entries: unknown[] };
    expect(manifest).toMatchObject({
      version: 1,
      entries: [
        ["Z", 420, 0, hash("sha256", "")],
        ["a/ä.txt", 493, 2, hash("sha256", "aa")],
        ["b.txt", 420, 1, hash("sha256", "b")],
      ],
    });
    expect(await trees.find(ref.sha256)).toEqual(ref);
    expect(await openTrees(database, blobs).read(ref.sha256)).toEqual(await trees.read(ref.sha256));
  });

  it("is remembered as long as there is room, which long paths take more of", async () => {
    const reads: string[] = [];
    const get = async (sha256: string) => {
      reads.push(sha256);
      return await blobs.get(sha256);
    };
    const limited = openTrees(database, { ...blobs, get }, 4000);
    const long = (name: string) => Array.from({ length: 5 }, (_, index) => entry(`${name.repeat(200)}${index}`));
    const [one, other] = [await trees.put(long("a")), await trees.put(long("b"))];
    const [small, tiny] = [await trees.put([entry("a")]), await trees.put([entry("b")])];
    for (const { sha256 } of [small, tiny, small, tiny, one, other, one]) await limited.read(sha256);
    expect(reads).toEqual([small, tiny, one, other, one].map(({ sha256 }) => sha256));
  });

  it("may be empty, and is not there when nobody has put it", async () => {
    expect(await trees.put([])).toMatchObject({ files: 0, bytes: 0 });
    expect(await trees.find("0".repeat(64))).toBeUndefined();
    await expect(trees.read("0".repeat(64))).rejects.toMatchObject({ code: "not_found" });
  });

  it("differs from another by what was added, removed and changed, modes included", async () => {
    const before = await trees.put([entry("a", "1"), entry("b", "2"), entry("c", "3"), entry("d", "4")]);
    const after = await trees.put([entry("a", "1"), entry("b", "other"), entry("c", "3", 493), entry("e", "5")]);
    const { added, removed, changed } = await trees.diff(before.sha256, after.sha256);
    expect([added, removed].map((list) => list.map((file) => file.path))).toEqual([["e"], ["d"]]);
    expect(changed.map(({ from, to }) => [from.path, from.mode, to.mode])).toEqual([
      ["b", 420, 420],
      ["c", 420, 493],
    ]);
    expect((await trees.diff(null, before.sha256)).added).toHaveLength(4);
  });

  it.each<[string, TreeEntry[], string]>([
    ["a path twice", [entry("a"), entry("a")], "invalid_path"],
    ["a file that is a folder", [entry("a"), entry("a/b")], "invalid_path"],
    ["paths that differ only in case", [entry("README"), entry("readme")], "invalid_path"],
    ["folders that differ only in case", [entry("Src/a"), entry("src/b")], "invalid_path"],
    ["paths that differ only in how letters are composed", [entry("\u00e4"), entry("a\u0308")], "invalid_path"],
    ["a path out of it", [entry("../a")], "invalid_path"],
    ["too many levels", [entry(Array(21).fill("a").join("/"))], "invalid_path"],
    ["too many files", Array.from({ length: 10_001 }, (_, index) => entry(`f${index}`)), "payload_too_large"],
    ["too many bytes", [{ ...entry("a"), size: 100 * 1024 * 1024 + 1 }], "payload_too_large"],
  ])("is refused with %s", async (_what, files, code) => {
    await expect(trees.put(files)).rejects.toMatchObject({ code });
  });
});
