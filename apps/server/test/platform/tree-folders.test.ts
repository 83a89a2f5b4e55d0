import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { TreeFolders, type HeldTree } from "@syla/server/platform/tree-folders";
import type { TreeEntry } from "@syla/server/platform/trees";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

const contents = new Map<string, Buffer>();
const trees = new Map<string, readonly TreeEntry[]>();
let root: string;
let reads = 0;

/** A tree of these files, by its hash. */
function tree(files: Readonly<Record<string, string>>): string {
  const entries = Object.entries(files).map(([path, content]): TreeEntry => {
    const sha256 = hash("sha256", content);
    contents.set(sha256, Buffer.from(content));
    return { path, mode: path.endsWith(".sh") ? 493 : 420, size: content.length, sha256 };
  });
  const sha256 = hash("sha256", JSON.stringify(entries));
  trees.set(sha256, entries);
  return sha256;
}

const many = (count = 100, more: Readonly<Record<string, string>> = {}) => ({
  ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index % 7}/f${index}.txt`, `${index}`])),
  ...more,
});

function open(maxBytes = 1024 ** 3): TreeFolders {
  return new TreeFolders({
    root,
    maxBytes,
    blobs: {
      get: async (sha256) => {
        reads += 1;
        const bytes = contents.get(sha256);
        if (bytes === undefined) throw new Error("there is no such content");
        return bytes;
      },
    },
    trees: { read: async (sha256) => trees.get(sha256) ?? [] },
  });
}

/** What a sandbox would see: the files of the layers, the first one on top, without what is gone. */
function seen(folders: TreeFolders, { tree: { layers, gone } }: HeldTree): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [depth, name] of layers.toReversed().entries()) {
    if (depth === layers.length - 1)
      for (const path of Object.keys(found)) if (gone.some((at) => path === at || path.startsWith(`${at}/`))) delete found[path];
    const folder = join(folders.folder, name);
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const facts = statSync(join(folder, path));
      if (!facts.isFile()) continue;
      for (const other of Object.keys(found)) if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) delete found[other];
      found[path] = readFileSync(join(folder, path), "utf8");
    }
  }
  return found;
}

/** The names of the folders that are there. */
function names(folders: TreeFolders): string[] {
  const { mode } = statSync(folders.folder);
  chmodSync(folders.folder, 0o700);
  const found = readdirSync(folders.folder);
  chmodSync(folders.folder, mode);
  return found;
}

const hold = async (folders: TreeFolders, sha256: string, line = "line"): Promise<HeldTree> => {
  const held = await folders.hold(sha256, line);
  if (held === null) throw new Error("it is not shown");
  return held;
};

beforeEach(() => {
  root = stack.use(createTemporaryDirectory()).path;
  reads = 0;
});

describe("trees as folders", () => {
  it("are written once, whole, with their rights, and cannot be listed", async () => {
    const folders = open();
    const files = many(100, { "bin/go.sh": "#!/bin/sh\n", "large.bin": "x".repeat(3 * 1024 ** 2) });
    const sha256 = tree(files);
    const [one, other] = await Promise.all([hold(folders, sha256), hold(folders, sha256)]);
    expect(one.tree.layers).toEqual(other.tree.layers);
    expect(seen(folders, one)).toEqual(files);
    expect(reads).toBe(102);
    expect(statSync(join(folders.folder, one.tree.layers[0] ?? "", "bin/go.sh")).mode & 0o777).toBe(0o755);
    expect(statSync(join(folders.folder, one.tree.layers[0] ?? "", "d1/f1.txt")).mode & 0o777).toBe(0o644);
    expect(statSync(folders.folder).mode & 0o777).toBe(0o311);
    const files2: Record<string, string> = {};
    for await (const { path, content } of one.tree.files()) files2[path] = (content as Buffer).toString();
    expect(files2).toEqual(files);
  });

  it("are not made of a few small files, nor where there is no room for any", async () => {
    expect(await open().hold(tree(many(10)), "line")).toBe(null);
    expect(await open(0).hold(tree(many()), "line")).toBe(null);
    expect(await open(100 * 8192).hold(tree(many()), "line")).toBe(null);
  });

  it("of the same line are written as what differs", async () => {
    const folders = open();
    await hold(folders, tree(many()));
    const { "d1/f1.txt": _one, "d0/f7.txt": _seven, ...left } = many(100, { "d2/f2.txt": "changed", "new/deep/a.txt": "a" });
    reads = 0;
    const newer = await hold(folders, tree(left));
    expect([reads, newer.tree.layers.length, newer.tree.gone]).toEqual([2, 2, ["d1/f1.txt", "d0/f7.txt"]]);
    expect(seen(folders, newer)).toEqual(left);
    const other = await hold(folders, tree(many(100, { "d2/f2.txt": "another" })), "another line");
    expect(other.tree.layers.length).toBe(1);
  });

  it("hide folders in which nothing is left, and not what has taken their place", async () => {
    const folders = open();
    await hold(folders, tree(many(100, { "old/a.txt": "a", "old/deep/b.txt": "b", "was/folder/c.txt": "c", file: "f" })));
    const changed = many(100, { was: "a file now", "file/d.txt": "a folder now" });
    const newer = await hold(folders, tree(changed));
    expect(newer.tree.gone).toEqual(["old"]);
    expect(seen(folders, newer)).toEqual(changed);
  });

  it("that differ much are written whole", async () => {
    const folders = open();
    await hold(folders, tree(many(1000)));
    const changed = Object.fromEntries(Object.entries(many(1000)).map(([path, text]) => [path, `${text} changed`]));
    const newer = await hold(folders, tree(changed));
    expect([newer.tree.layers.length, newer.tree.gone]).toEqual([1, []]);
    const next = await hold(folders, tree({ ...changed, "d1/f1.txt": "once more" })); // on top of the newest
    expect(next.tree.layers).toEqual([expect.any(String), newer.tree.layers[0]]);
  });

  it("make room by what was used longest ago, and stay while somebody has them", async () => {
    const folders = open(3.5 * 100 * 8192);
    const made = ["a", "b", "c", "d"].map((name) => tree(many(100, { name })));
    const first = await hold(folders, made[0] ?? "", "a");
    (await hold(folders, made[1] ?? "", "b")).release();
    (await hold(folders, made[2] ?? "", "c")).release();
    (await hold(folders, made[1] ?? "", "b")).release();
    const fourth = await hold(folders, made[3] ?? "", "d");
    expect(names(folders).length).toBe(3);
    expect(Object.keys(seen(folders, first)).length).toBe(101);
    reads = 0;
    await hold(folders, made[1] ?? "", "b");
    expect(reads).toBe(0); // it was the third that went
    expect(await folders.hold(made[2] ?? "", "c")).toBe(null); // all others are in use
    fourth.release();
    fourth.release(); // a second time changes nothing
    expect(await folders.hold(made[2] ?? "", "c")).not.toBe(null);
  });

  it("go when nobody has used them for an hour", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "performance"] });
    const folders = open();
    const used = await hold(folders, tree(many()), "used");
    (await hold(folders, tree(many(90)), "not used")).release();
    vi.advanceTimersByTime(3_500_000);
    expect(names(folders).length).toBe(2);
    vi.advanceTimersByTime(600_000);
    expect(names(folders)).toEqual(used.tree.layers);
    used.release();
    vi.advanceTimersByTime(4_000_000);
    expect(names(folders)).toEqual([]);
    vi.useRealTimers();
  });

  it("of damaged content are not kept", async () => {
    const folders = open();
    const sha256 = tree(many(100, { bad: "whole" }));
    contents.set(hash("sha256", "whole"), Buffer.from("damaged"));
    expect(await folders.hold(sha256, "line")).toBe(null);
    expect(names(folders)).toEqual([]);
  });

  it("take no room when they cannot be written", async () => {
    const folders = open(3 * 100 * 8192);
    const base = await hold(folders, tree(many()));
    base.release();
    const missing = tree(many(100, { missing: "never stored" }));
    contents.delete(hash("sha256", "never stored"));
    for (let round = 0; round < 3; round += 1) await expect(folders.hold(missing, "line")).rejects.toThrow("no such content");
    expect(await folders.hold(tree(many(100, { [`${"d".repeat(250)}/`.repeat(18)]: "too long a path for this machine" })), "line")).toBe(
      null,
    );
    for (const line of ["a", "b", "c"]) (await hold(folders, tree(many(100, { line })), line)).release(); // the first one makes room, too
    expect(names(folders).length).toBe(2);
  });

  it("make room by those on top of another one, and then by that", async () => {
    const folders = open(250 * 8192);
    const inUse = await hold(folders, tree(many(70)), "another line");
    (await hold(folders, tree(many()))).release();
    const newer = await hold(folders, tree(many(100, { newer: "1" })));
    expect(newer.tree.layers.length).toBe(2);
    newer.release();
    const last = await hold(folders, tree(many(99, { last: "1" })), "a third line");
    expect(names(folders).toSorted()).toEqual([...inUse.tree.layers, ...last.tree.layers].toSorted());
  });

  it("are whole or not there, also after the process was killed while it wrote one", async () => {
    const code = `
      import { TreeFolders } from "@syla/server/platform/tree-folders";
      let reads = 0;
      const entries = Array.from({ length: 100 }, (_, index) => ({ path: "f" + index, mode: 420, size: 1, sha256: "" }));
      const blobs = { get: async () => (++reads > 50 ? (console.log("half"), new Promise(() => {})) : Buffer.from("x")) };
      entries.forEach((entry) => (entry.sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")); // of "x"
      void new TreeFolders({ root: ${JSON.stringify(root)}, maxBytes: 2 ** 30, blobs, trees: { read: async () => entries } }).hold("tree", "line");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect(readdirSync(join(root, "unfinished")).length).toBe(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    const folders = open();
    expect(names(folders)).toEqual([]);
    const files = many();
    expect(seen(folders, await hold(folders, tree(files)))).toEqual(files);
    await expect.poll(() => readdirSync(join(root, "unfinished"))).toEqual([]);
  });

  it("begin anew with each process", async () => {
    const held = await hold(open(), tree(many()));
    const again = open();
    expect(names(again)).toEqual([]);
    expect(existsSync(join(again.folder, held.tree.layers[0] ?? ""))).toBe(false);
  });
});
