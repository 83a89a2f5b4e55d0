import { expect, test } from "vitest";
import { packCpio } from "../../src/microvm/cpio.ts";

/** Reads an archive as the kernel does. */
function unpack(archive: Buffer): { path: string; mode: string; mtime: number; text: string }[] {
  const found = [];
  for (let at = 0; at < archive.length;) {
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const field = (index: number) => Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    const [size, nameSize] = [field(6), field(11)];
    const nameAt = at + 110;
    const contentAt = Math.ceil((nameAt + nameSize) / 4) * 4;
    const path = archive.toString("utf8", nameAt, nameAt + nameSize - 1);
    found.push({ path, mode: field(1).toString(8), mtime: field(5), text: archive.toString("utf8", contentAt, contentAt + size) });
    at = Math.ceil((contentAt + size) / 4) * 4;
  }
  return found;
}

test("an archive has its folders first, its files as they are, and an end", () => {
  const archive = packCpio([
    { path: "init", content: Buffer.from("#!"), executable: true },
    { path: "a/b/c.py", content: Buffer.from("print()"), mtime: 1234 },
    { path: "a/empty", content: Buffer.alloc(0) },
  ]);
  expect(unpack(archive)).toEqual([
    { path: "a", mode: "40755", mtime: 0, text: "" },
    { path: "a/b", mode: "40755", mtime: 0, text: "" },
    { path: "init", mode: "100755", mtime: 0, text: "#!" },
    { path: "a/b/c.py", mode: "100644", mtime: 1234, text: "print()" },
    { path: "a/empty", mode: "100644", mtime: 0, text: "" },
    { path: "TRAILER!!!", mode: "0", mtime: 0, text: "" },
  ]);
});

test("one archive may follow another", () => {
  const [first, second] = ["one", "second"].map((path) => packCpio([{ path, content: Buffer.from(path) }]));
  expect(unpack(Buffer.concat([first as Buffer, second as Buffer])).map(({ path }) => path)).toEqual([
    "one",
    "TRAILER!!!",
    "second",
    "TRAILER!!!",
  ]);
});
