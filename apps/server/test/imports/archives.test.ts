import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { pack, type Header } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { readArchive } from "../../src/imports/archives/read-archive.ts";
import { FileSink, importLimits, type GatheredFiles } from "../../src/imports/file-sink.ts";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";

let directory: TemporaryDirectory;
let blobs: Blobs;
beforeAll(async () => {
  directory = createTemporaryDirectory();
  blobs = await openBlobs(join(directory.path, "blobs"));
});
afterAll(async () => {
  await blobs.close();
  directory[Symbol.dispose]();
});

async function read(bytes: Uint8Array, limits = importLimits): Promise<GatheredFiles> {
  const file = join(directory.path, "archive");
  writeFileSync(file, bytes);
  const sink = new FileSink(blobs, limits);
  await readArchive(file, sink, new AbortController().signal);
  return sink.finish(true);
}

type TarFile = Partial<Omit<Header, "name">> & { readonly name: string } & { readonly content?: string };
async function tar(files: readonly TarFile[]): Promise<Buffer> {
  const stream = pack();
  for (const { content = "", ...header } of files) stream.entry(header, content);
  stream.finalize();
  return await buffer(stream.pipe(new PassThrough()));
}

async function zip(files: Readonly<Record<string, string>>, mode = 0o100644): Promise<Buffer> {
  const file = new ZipFile();
  for (const [name, content] of Object.entries(files)) file.addBuffer(Buffer.from(content), name, { mode });
  file.end();
  return await buffer(file.outputStream);
}

/** Python writes what well-behaved programs do not. */
function python(script: string): Buffer {
  const file = join(directory.path, "made");
  execFileSync("/usr/bin/python3", ["-c", `import zipfile, io, sys\nout = sys.argv[1]\n${script}`, file]);
  return readFileSync(file);
}

const contents = async ({ entries }: GatheredFiles) =>
  Object.fromEntries(await Promise.all(entries.map(async ({ path, sha256 }) => [path, (await blobs.get(sha256)).toString()] as const)));
const codes = ({ problems }: GatheredFiles) => problems.map(({ code, path }) => `${code} ${path}`);

describe("an archive", () => {
  const files = { "app/main.py": "print(1)", "app/lib/a.txt": "a".repeat(300_000) };
  const inside = { "main.py": "print(1)", "lib/a.txt": "a".repeat(300_000) };
  const asTar = () => tar(Object.entries(files).map(([name, content]) => ({ name, content })));

  it.each<[string, () => Promise<Buffer>]>([
    ["zip", () => zip(files)],
    ["tar", asTar],
    ["tar.gz", async () => gzipSync(await asTar())],
    ["tar.zst", async () => zstdCompressSync(await asTar())],
  ])("of the kind %s is read by its content, without the folder that all is in", async (_kind, make) => {
    const found = await read(await make());
    expect(await contents(found)).toEqual(inside);
    expect(found).toMatchObject({ problems: [], folder: "app" });
  });

  it("keeps of modes whether a file can be started, and nothing more", async () => {
    const found = await read(
      await tar([
        { name: "a", mode: 0o6777 },
        { name: "b", mode: 0o4644 },
        { name: "c", mode: 0o100 },
      ]),
    );
    expect(found.entries.map(({ mode }) => mode)).toEqual([493, 420, 493]);
    expect(codes(found)).toEqual(["mode_dropped a", "mode_dropped b"]);
    const zipped = await read(await zip({ a: "x" }, 0o104755));
    expect([zipped.entries[0]?.mode, codes(zipped)]).toEqual([493, ["mode_dropped a"]]);
  });

  it("cannot write outside: such paths are left out, and named", async () => {
    const names = ["/etc/passwd", "../up", "a/../../up", "C:/windows", "a/./b", "\u0001x"];
    const found = await read(await tar([...names.map((name) => ({ name, content: "evil" })), { name: "./good", content: "good" }]));
    expect(await contents(found)).toEqual({ good: "good" });
    expect(codes(found)).toEqual(names.map((name) => `unsafe_path ${name}`));
    const zipped = python(
      `z = zipfile.ZipFile(out, 'w')\nfor n in ['../up', '/abs', 'a\\\\..\\\\..\\\\up', 'ok\\\\win.txt']: z.writestr(n, 'x')\nz.close()`,
    );
    const fromZip = await read(zipped);
    expect(fromZip.entries.map(({ path }) => path)).toEqual(["win.txt"]);
    expect(codes(fromZip)).toEqual(["unsafe_path ../up", "unsafe_path /abs", "unsafe_path a/../../up"]);
  });

  it("has links inside copied, and all others left out with the reason", async () => {
    const link = (name: string, linkname: string, type: "symlink" | "link" = "symlink") => ({ name, linkname, type }) as const;
    const found = await read(
      await tar([
        { name: "x/real", content: "real", mode: 0o755 },
        link("x/near", "real"),
        link("y/far", "../x/near"),
        link("hard", "x/real", "link"),
        link("out", "../../etc/passwd"),
        link("abs", "/etc/passwd"),
        link("gone", "nothing"),
        link("circle", "circle2"),
        link("circle2", "circle"),
        link("folder", "x"),
        { name: "device", type: "character-device" },
        { name: "pipe", type: "fifo" },
      ]),
    );
    expect(await contents(found)).toEqual({ "x/real": "real", "x/near": "real", "y/far": "real", hard: "real" });
    expect(codes(found).toSorted()).toEqual(
      [
        "special_file device",
        "special_file pipe",
        ...["out", "abs", "gone", "circle", "circle2", "folder"].map((name) => `link_refused ${name}`),
      ].toSorted(),
    );
    const zipped = python(
      `z = zipfile.ZipFile(out, 'w')\nz.writestr('real', 'r')\ndef link(n, t):\n  i = zipfile.ZipInfo(n); i.create_system = 3; i.external_attr = 0o120777 << 16; z.writestr(i, t)\nlink('in', 'real'); link('out', '/etc/passwd')\nz.close()`,
    );
    const fromZip = await read(zipped);
    expect(await contents(fromZip)).toEqual({ real: "r", in: "r" });
    expect(codes(fromZip)).toEqual(["link_refused out"]);
  });

  it("is told of names twice, names that differ only in case, and files that are folders", async () => {
    const found = await read(
      await tar(["a/x", "a/x", "A/y", "b", "b/c", "README", "readme"].map((name, index) => ({ name, content: String(index) }))),
    );
    expect(codes(found)).toEqual(["duplicate_path a/x", "duplicate_path b/c", "case_collision A", "case_collision readme"]);
    expect((await contents(found))["a/x"]).toBe("0");
  });

  it("of very many names that differ only in case, and links that lead nowhere, is told soon", async () => {
    const sink = new FileSink(blobs, { bytes: 1024, files: 20_000 });
    for (let at = 0; at < 10_000; at += 1) for (const name of [`f${at}/a`, `F${at}/a`]) await sink.add(name, 0, Readable.from([]));
    for (let at = 0; at < 20_000; at += 1) sink.link(`l${at}`, at % 2 === 0 ? `none${at}` : `f${at >> 1}`, false);
    const began = performance.now();
    const { entries, problems } = sink.finish(false);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(entries).toHaveLength(10_000);
    expect(problems.slice(0, 2).map(({ message }) => message)).toEqual([
      "It is a link to something that is not there. It was left out.",
      "It is a link to a folder, which is not copied. It was left out.",
    ]);
  });

  it("leaves out what tools make anew, however much it is", async () => {
    const made = Array.from({ length: 50 }, (_, index) => ({ name: `p/node_modules/m${index}/i.js`, content: "x" }));
    const found = await read(await tar([...made, { name: "p/.git/config" }, { name: "p/main.js" }, { name: "p/.DS_Store" }]), {
      ...importLimits,
      files: 10,
    });
    expect(found.entries.map(({ path }) => path)).toEqual(["main.js"]);
    expect(found.problems.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      "info p/node_modules",
      "info p/.git",
      "info .DS_Store",
    ]);
  });

  it("reads names in every way that zip files have them", async () => {
    const utf8 = python(`z = zipfile.ZipFile(out, 'w')\nz.writestr('grün.txt', 'x'); z.writestr('日本.txt', 'y')\nz.close()`);
    expect((await read(utf8)).entries.map(({ path }) => path)).toEqual(["grün.txt", "日本.txt"]);
    const swap = (from: Buffer, to: Buffer) => {
      const bytes = python(`z = zipfile.ZipFile(out, 'w')\nz.writestr('gr__n.txt', 'x')\nz.close()`);
      for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from)) to.copy(bytes, at);
      return bytes;
    };
    expect((await read(swap(Buffer.from("gr__n"), Buffer.from("grün")))).entries[0]?.path).toBe("grün.txt");
    expect((await read(swap(Buffer.from("gr__n"), Buffer.from([0x67, 0x72, 0x81, 0x81, 0x6e])))).entries[0]?.path).toBe("grüün.txt");
    const bad = await read(
      await tar([{ name: "ok" }, { name: "b__d" }])
        .then((bytes) => Buffer.from(bytes.toString("latin1").replace("b__d", "b\u00ff\u00fed"), "latin1"))
        .then(fixSums),
    );
    expect([bad.entries.map(({ path }) => path), bad.problems[0]?.code]).toEqual([["ok"], "unsafe_path"]);
  });

  it("may be zip64, have its sizes behind the content, and long names", async () => {
    const zip64 = python(
      `z = zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED)\nwith z.open('big.txt', 'w', force_zip64=True) as f: f.write(b'6' * 100000)\nz.close()`,
    );
    expect((await contents(await read(zip64)))["big.txt"]).toHaveLength(100_000);
    const streamed = python(
      `class S(io.RawIOBase):\n  def __init__(s, f): s.f = f\n  def writable(s): return True\n  def write(s, b): return s.f.write(b)\nf = open(out, 'wb'); z = zipfile.ZipFile(S(f), 'w', zipfile.ZIP_DEFLATED); z.writestr('s.txt', 'streamed'); z.close(); f.close()`,
    );
    expect(await contents(await read(streamed))).toEqual({ "s.txt": "streamed" });
    const long = `${"d".repeat(120)}/${"f".repeat(150)}.txt`;
    expect((await read(await tar([{ name: long, content: "l" }, { name: "top" }]))).entries.map(({ path }) => path)).toContain(long);
  });

  it("that is encrypted in part is read in part", async () => {
    const bytes = await zip({ "open.txt": "o", "shut.txt": "s" });
    for (let at = bytes.indexOf("PK\u0001\u0002"); at >= 0; at = bytes.indexOf("PK\u0001\u0002", at + 4))
      if (bytes.toString("latin1", at + 46, at + 50) === "shut") bytes[at + 8] = (bytes[at + 8] ?? 0) | 1;
    const found = await read(bytes);
    expect([await contents(found), codes(found)]).toEqual([{ "open.txt": "o" }, ["encrypted shut.txt"]]);
  });

  it("is refused when it is none, or of a kind that is not read", async () => {
    for (const bytes of [Buffer.from("hello"), Buffer.alloc(0), Buffer.from("BZh91AY"), Buffer.from("Rar!\u001a"), gzipSync("no tar")])
      await expect(read(bytes)).rejects.toMatchObject({ code: expect.stringMatching(/^archive_(unknown|damaged)$/) as string });
  });

  it("is refused as a whole above the limits", async () => {
    const limits = { files: 5, bytes: 1000 };
    await expect(read(await tar([{ name: "a", content: "x".repeat(1001) }]), limits)).rejects.toMatchObject({ code: "import_too_large" });
    await expect(
      read(await zip(Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`f${index}`, ""]))), limits),
    ).rejects.toMatchObject({ code: "import_too_large" });
    const bomb = gzipSync(await tar([{ name: "zeros", content: "\0".repeat(30_000_000) }]));
    await expect(read(bomb)).rejects.toMatchObject({ code: "import_too_large", message: expect.stringContaining("200 times") as string });
    const deep = `${Array.from({ length: 25 }, (_, index) => `d${index}`).join("/")}/f`;
    const found = await read(await tar([{ name: deep }, { name: "top" }]));
    expect([found.entries.length, found.problems[0]?.code]).toEqual([1, "invalid_path"]);
  });

  it("that is cut off or changed anywhere ends in files or in a coded error, never in anything else", async () => {
    const made = [
      await zip({ "a/b": "x".repeat(5000), "a/c": "y" }),
      gzipSync(await tar([{ name: "a/b", content: "x".repeat(5000) }])),
      await tar([{ name: "a/b", content: "z" }]),
    ];
    const property = fc.asyncProperty(
      fc.constantFrom(...made),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      async (bytes, share, changes) => {
        const broken = Buffer.from(bytes.subarray(0, Math.ceil(bytes.length * (share < 0.3 ? 1 : share))));
        for (const [at, value] of changes) if (broken.length > 0) broken[at % broken.length] = value;
        const found = await read(broken).catch((error: unknown) => error);
        const allowed = ["archive_unknown", "archive_damaged", "import_too_large"];
        const paths = found instanceof Error ? [] : (found as GatheredFiles).entries.map(({ path }) => path);
        expect(paths.filter((path) => path.startsWith("/") || path.split("/").includes(".."))).toEqual([]);
        expect(found instanceof Error ? allowed : [undefined]).toContain((found as { code?: string }).code);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });
});

/** The sums of headers that were changed by hand. */
function fixSums(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    bytes.fill(0x20, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return bytes;
}
