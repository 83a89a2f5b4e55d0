import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { pack, type Header } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inOrderOfEviction } from "../../src/environments/eviction.ts";
import { inspectLayer, LayerArchiveError, unpackLayer } from "../../src/environments/layer-archive.ts";
import { LayerStore } from "../../src/environments/layer-store.ts";

test("layers that are kept warm go last, as long as they take half of the room", () => {
  const order = (quotaBytes: number, ...layers: [name: string, size: number, is_kept?: boolean][]) =>
    inOrderOfEviction(
      layers.map(([name, size, is_kept = false]) => ({ name, size, is_kept })),
      quotaBytes,
    )
      .map(({ name }) => name)
      .join(" ");
  expect(order(10, ["kept", 5, true], ["old", 9], ["newer", 3], ["newest", 1])).toBe("old newer kept");
  expect(order(9, ["kept", 5, true], ["old", 9], ["newest", 1])).toBe("kept old");
  // What is kept and was used last has the room.
  expect(order(20, ["first", 6, true], ["old", 1], ["second", 6, true], ["third", 4, true])).toBe("first old second");
  expect(order(20)).toBe("");
});

type Entry = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

function archive(entries: readonly Entry[]): Readable {
  const packing = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) packing.entry(header);
    else packing.entry({ ...header, size: Buffer.byteLength(content) }, content);
  }
  packing.finalize();
  return Readable.from(packing);
}

describe("a layer", () => {
  let directory: TemporaryDirectory;
  beforeEach(() => void (directory = createTemporaryDirectory()));
  afterEach(() => directory[Symbol.dispose]());
  const open = () => new LayerStore(join(directory.path, "environments"), { maxBytes: 1000, maxFiles: 10 });
  const left = async () => await readdir(join(directory.path, "environments/unfinished"));

  test("is unpacked whole, with rights to read and run and no others", async () => {
    const store = open();
    const made = await store.add(
      archive([
        { name: "lib/a.py", content: "one", mode: 0o4777 },
        { name: "lib/b.py", content: "two", mode: 0o600 },
        { name: "lib64", type: "symlink", linkname: "lib" },
        { name: "bin/x", type: "symlink", linkname: "../lib/a.py" },
      ]),
      { "bin/python": "/usr/bin/python3" },
    );
    const at = (path: string) => join(store.folder, made.name, path);
    expect([made.fileCount, made.size, readFileSync(at("bin/x"), "utf8"), readlinkSync(at("bin/python"))]).toEqual([
      5,
      6,
      "one",
      "/usr/bin/python3",
    ]);
    expect([lstatSync(at("lib/a.py")).mode & 0o7777, lstatSync(at("lib/b.py")).mode & 0o7777]).toEqual([0o755, 0o644]);
    expect(lstatSync(store.folder).mode & 0o777).toBe(0o311);
    expect(await store.isIntact(made.name, made.digest)).toBe(true);
    writeFileSync(at("lib/b.py"), "tw0");
    expect(await store.isIntact(made.name, made.digest)).toBe(false);
    expect(await left()).toEqual([]);
  });

  const hostile: readonly (readonly [what: string, entries: readonly Entry[]])[] = [
    ["an absolute name", [{ name: "/etc/x", content: "" }]],
    ["a name with ..", [{ name: "a/../../x", content: "" }]],
    ["an absolute link", [{ name: "x", type: "symlink", linkname: "/etc/passwd" }]],
    ["a link that leads out", [{ name: "a/x", type: "symlink", linkname: "../../x" }]],
    [
      "links that lead out together",
      [
        { name: "a/b/c/d", type: "symlink", linkname: "../../../top" },
        { name: "top/f", content: "" },
        { name: "a/b/c/e", type: "symlink", linkname: "d/../../x" },
        { name: "a/x", content: "" },
      ],
    ],
    [
      "a file behind a link",
      [
        { name: "x", type: "symlink", linkname: "y" },
        { name: "x/f", content: "" },
      ],
    ],
    [
      "a link behind a link",
      [
        { name: "y/g", content: "" },
        { name: "x", type: "symlink", linkname: "y" },
        { name: "x/f", type: "symlink", linkname: "g" },
      ],
    ],
    [
      "a hard link",
      [
        { name: "a", content: "" },
        { name: "b", type: "link", linkname: "a" },
      ],
    ],
    ["a device", [{ name: "null", type: "character-device", devmajor: 1, devminor: 3 }]],
    ["a pipe", [{ name: "pipe", type: "fifo" }]],
    [
      "a name that is there twice",
      [
        { name: "a", content: "1" },
        { name: "a", content: "2" },
      ],
    ],
    [
      "a file that is a folder too",
      [
        { name: "a", content: "1" },
        { name: "a/b", content: "2" },
      ],
    ],
    ["more bytes than allowed", [{ name: "a", content: Buffer.alloc(1001) }]],
    ["more files than allowed", Array.from({ length: 11 }, (_, index) => ({ name: `f${index}`, content: "" }))],
    ["a folder that is deeper than any", [{ name: `${"d/".repeat(80)}x`, content: "" }]],
  ];

  test.each(hostile)("with %s is refused, and nothing is left of it", async (_what, entries) => {
    const store = open();
    await expect(store.add(archive(entries), {})).rejects.toThrow(/./);
    expect(await left()).toEqual([]);
    expect(existsSync(join(directory.path, "x"))).toBe(false);
  });

  test("that is cut off, or no archive at all, is refused", async () => {
    const store = open();
    const whole = Buffer.concat((await archive([{ name: "a", content: "abc" }]).toArray()) as Buffer[]);
    await expect(store.add(Readable.from([whole.subarray(0, 514)]), {})).rejects.toThrow(/./);
    await expect(store.add(Readable.from([Buffer.alloc(2000, 65)]), {})).rejects.toThrow(/./);
    const broken = new Readable({ read() {} });
    const adding = store.add(broken, {});
    broken.destroy(new Error("the sandbox is gone"));
    await expect(adding).rejects.toThrow("gone");
    expect(await left()).toEqual([]);
  });

  test("of any entries is unpacked inside its folder or refused", async () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "é", " "), minLength: 1, maxLength: 12 });
    const entry = fc.record({ name, type: fc.constantFrom("file" as const, "symlink" as const), linkname: name });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.nat(), async (entries, run) => {
        const folder = join(directory.path, `run-${run}-${Math.trunc(performance.now() * 1000)}`, "layer");
        mkdirSync(folder, { recursive: true });
        const given = entries.map(({ type, linkname, name: path }) =>
          type === "symlink" ? { name: path, type, linkname } : { name: path, content: "x" },
        );
        await unpackLayer(archive(given), folder, { maxBytes: 100, maxFiles: 10 }).catch((error: unknown) => error);
        expect(await readdir(join(folder, ".."))).toEqual(["layer"]);
        expect((await inspectLayer(folder)).size).toBeLessThanOrEqual(6);
      }),
      { numRuns: 100 },
    );
  });

  test("that somebody holds is not taken away, and one that is to go is held by nobody", async () => {
    const store = open();
    const { name } = await store.add(archive([{ name: "a", content: "1" }]), {});
    const release = store.hold(name);
    expect(store.condemn(name)).toBe(false);
    release?.();
    release?.();
    expect(store.condemn(name)).toBe(true);
    expect(store.hold(name)).toBeNull();
    await store.remove(name);
    expect([store.has(name), store.hold("nowhere")]).toEqual([false, null]);
    expect(new LayerArchiveError("x").isTooLarge).toBe(false);
  });

  test("that no row speaks of is removed when the server starts, with what was left half done", async () => {
    const store = open();
    const [kept, lost] = [
      await store.add(archive([{ name: "a", content: "1" }]), {}),
      await store.add(archive([{ name: "b", content: "2" }]), {}),
    ];
    mkdirSync(join(directory.path, "environments/unfinished/half/done"), { recursive: true });
    const again = open();
    again.keepOnly(new Set([kept.name]));
    expect([again.id, again.has(kept.name), again.has(lost.name), await left()]).toEqual([store.id, true, false, []]);
    expect(lstatSync(again.folder).mode & 0o777).toBe(0o311);
  });
});
