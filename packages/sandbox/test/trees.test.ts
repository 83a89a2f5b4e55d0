import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NamespaceTier } from "../src/namespace-tier.ts";
import type { InputFile, InputTree, RuntimeSpec } from "../src/spec.ts";
import { bash, createTier, mebibyte, node, python, runIn, specOf, type TestTier, type Wish } from "./sandbox-driver.ts";
import { openSession, shell } from "./session-driver.ts";

/** Files that lie ready on the host as a run's workspace: found by its programs, changed by none of them. */

const root = mkdtempSync(join(tmpdir(), "syla-trees-"));
const trees = join(root, "trees");
const [base, delta] = ["ba5e".repeat(10), "de17a".repeat(8)];
const files: Readonly<Record<string, string>> = {
  "top.txt": "top\n",
  "lib/one.py": "NAME = 'one'\n",
  "lib/two.py": "NAME = 'two'\n",
  "old/a.txt": "a\n",
  "old/deep/b.txt": "b\n",
  "many/x.txt": "x\n",
};
/** On top of that; `old` is gone. */
const newer = { "lib/two.py": "NAME = 'newer'\n", "lib/three.py": "NAME = 'three'\n" };
const returns = { maxBytes: 100 * mebibyte, maxFiles: 1000, ignore: ["node_modules"] };
let kept: TestTier;
let tier: NamespaceTier;

function put(name: string, content: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(content)) {
    const target = join(trees, name, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, text, { mode: path === "top.txt" ? 0o755 : 0o644 });
  }
}

/** What is on the disk, with the rights of each file. */
function look(folder = join(trees, base)): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => [path, statSync(join(folder, path))] as const)
    .map(([path, facts]) => `${path} ${facts.mode} ${facts.mtimeMs} ${facts.isFile() ? readFileSync(join(folder, path), "utf8") : ""}`)
    .toSorted();
}

async function* asFiles(): AsyncGenerator<InputFile> {
  for (const [path, text] of Object.entries({ ...files, ...newer }))
    if (!path.startsWith("old/")) yield { path, mode: 0o644, content: Buffer.from(text) };
}

const oneTree: InputTree = { layers: [base], gone: [], files: asFiles };
const twoLayers: InputTree = { layers: [delta, base], gone: ["old"], files: asFiles };

interface Left {
  readonly out: string;
  readonly err: string;
  readonly returned: Readonly<Record<string, string>>;
  readonly gone: readonly string[];
  readonly whole: boolean;
  readonly skipped: number;
}

/** A run and what it leaves. */
async function leave(runtime: RuntimeSpec, code: string, wish: Wish = {}): Promise<Left> {
  const run = await tier.start(specOf(runtime, code, { tree: oneTree, returns, ...wish }));
  const texts = { stdout: "", stderr: "" };
  const returned: Record<string, string> = {};
  let [current, gone, whole, skipped] = ["", [] as string[], false, 0];
  for await (const event of run.events) {
    if (event.type === "output") texts[event.stream] += event.data.toString();
    else if (event.type === "returned") returned[(current = event.path)] = event.executable ? "+x " : "";
    else if (event.type === "artifact-data") returned[current] += event.data.toString();
    else if (event.type === "gone") gone = [...gone, ...event.paths];
    else if (event.type === "left") [whole, skipped] = [event.whole, event.skipped];
  }
  return { out: texts.stdout, err: texts.stderr, returned, gone: gone.toSorted(), whole, skipped };
}

beforeAll(() => {
  put(base, files);
  put(delta, newer);
  chmodSync(trees, 0o311);
  kept = createTier({ trees, folder: join(root, "sandboxes") });
  tier = kept.tier;
});

afterAll(async () => {
  await kept[Symbol.asyncDispose]();
  chmodSync(trees, 0o700);
  rmSync(root, { recursive: true, force: true });
});

test("the machine that the tests run on shows trees", async () => {
  expect((await tier.report()).files).toEqual({ by: "overlay", reason: null });
  expect(readdirNames()).toEqual([base, delta].toSorted()); // nothing is left of the trial
});

function readdirNames(): string[] {
  chmodSync(trees, 0o700);
  const names = readdirSync(trees).toSorted();
  chmodSync(trees, 0o311);
  return names;
}

const listing = "main\nlib/one.py\nlib/two.py\nmany/x.txt\nold/a.txt\nold/deep/b.txt\ntop.txt\n";

test.each([
  [
    "forked",
    python,
    "import subprocess, lib.one\nsubprocess.run('find . -type f | sed s,^./,, | grep -v main | LC_ALL=C sort', shell=True)\nprint(lib.one.NAME)",
  ],
  [
    "booted ahead",
    node,
    "console.log(require('node:child_process').execSync('find . -type f | sed s,^./,, | grep -v main | LC_ALL=C sort').toString() + 'one')",
  ],
  ["started afresh", bash, "find . -type f | sed s,^./,, | grep -v main | LC_ALL=C sort; echo one"],
] as const)("a program that is %s has its files before it", async (_how, runtime, code) => {
  const { out, err } = await runIn(tier, runtime, code, {
    tree: oneTree,
    entrypoint: runtime === node ? "main.cjs" : runtime === bash ? "main.sh" : "main.py",
  });
  expect(err).toBe("");
  expect(out.replace("\n\n", "\n")).toContain("old/deep/b.txt\ntop.txt\n");
  expect(out).toContain(listing.slice("main\n".length));
  expect(out.trimEnd().endsWith("one")).toBe(true);
});

test("files that are sent along take the place of the tree's", async () => {
  const own: InputFile[] = [{ path: "lib/one.py", mode: 0o644, content: Buffer.from("NAME = 'mine'\n") }];
  const { out, returned, gone } = await leave(python, "import lib.one, lib.two\nprint(lib.one.NAME, lib.two.NAME)", { files: own });
  expect([out, returned, gone]).toEqual(["mine two\n", expect.not.objectContaining({ "lib/two.py": expect.anything() }), []]);
});

test("of two layers the first one counts, and what is gone is gone", async () => {
  const { out, err, returned } = await leave(bash, "cat lib/*.py; ls; [ -e old ] || echo no old; mkdir old; echo new > old/a.txt; ls old", {
    tree: twoLayers,
  });
  expect([err, out]).toEqual(["", "NAME = 'one'\nNAME = 'three'\nNAME = 'newer'\nlib\nmain.sh\nmany\ntop.txt\nno old\na.txt\n"]);
  expect(returned["old/a.txt"]).toBe("new\n");
});

test("only what was changed comes back, and what has gone", async () => {
  const { err, returned, gone, whole, skipped } = await leave(
    bash,
    `set -e
echo more >> lib/one.py
mkdir -p fresh/deep; echo new > fresh/deep/new.txt; printf '#!/bin/sh\\n' > fresh/go; chmod +x fresh/go
rm lib/two.py; rm -r old; rm many/x.txt; echo again > many/x.txt; ln -s top.txt link; mkdir node_modules; echo no > node_modules/no`,
  );
  expect([err, whole, skipped]).toEqual(["", true, 1]);
  const { "main.sh": _main, ...changed } = returned;
  expect(changed).toEqual({
    "lib/one.py": "NAME = 'one'\nmore\n",
    "fresh/deep/new.txt": "new\n",
    "fresh/go": "+x #!/bin/sh\n",
    "many/x.txt": "again\n",
  });
  expect(gone).toEqual(expect.arrayContaining(["lib/two.py", "old"]));
  expect(gone).not.toContain("lib");
  expect(gone).not.toContain("many");
});

test("a folder that was made again has nothing of what it had", async () => {
  const { gone, returned } = await leave(bash, "rm -r old; mkdir -p old/deep; echo c > old/deep/c.txt");
  expect(gone).toContain("old");
  expect(returned["old/deep/c.txt"]).toBe("c\n");
});

test("what takes the place of something else comes back, and that is gone", async () => {
  const { err, returned, gone, skipped } = await leave(
    bash,
    `set -e
rm -r old; echo now a file > old
rm top.txt; mkdir top.txt; echo now a folder > top.txt/in.txt
rm -r many; ln -s lib many
mkdir -p lib/new/deep; mkdir empty`,
    { tree: { ...twoLayers, gone: [] } },
  );
  const { "main.sh": _main, ...changed } = returned;
  expect([err, changed]).toEqual(["", { old: "now a file\n", "top.txt/in.txt": "now a folder\n" }]);
  expect([gone, skipped]).toEqual([["many", "old", "top.txt"], 1]); // and nothing that is only new
});

test("what is sent along lies where the tree has nothing any more", async () => {
  const sent: InputFile[] = [{ path: "old/a.txt", mode: 0o644, content: Buffer.from("sent\n") }];
  const { out, gone } = await leave(bash, "cat old/a.txt; ls old", { tree: twoLayers, files: sent });
  expect([out, gone]).toEqual(["sent\na.txt\n", ["old"]]); // of which there is none in that tree
});

test("names that nobody can tell, and folders that nobody can enter, are looked through", async () => {
  const code = String.raw`
import os
for folder in (b"\xff\xfe", b"new\nline", b"n" * 200):
    os.mkdir(folder)
    for name in (b"\xff", b"a\nb", b" ", b"ok"): open(folder + b"/" + name, "w").close()
os.chdir("lib")
for _ in range(30): os.mkdir("deep" * 50); os.chdir("deep" * 50)
open("bottom", "w").close()
os.chdir("/workspace")
os.makedirs("locked/in"); open("locked/in/file", "w").write("x"); os.chmod("locked/in", 0); os.chmod("locked", 0)
os.mkfifo("pipe")`;
  const { err, returned, whole, skipped } = await leave(python, code);
  expect([err, whole, skipped]).toEqual(["", false, expect.any(Number)]);
  const next = await leave(bash, "find . -mindepth 1 -name '*deep*' -o -name locked | wc -l");
  expect(next.out).toBe("1\n"); // the tree's own
  expect(Object.keys(returned).every((path) => !path.includes("\uFFFD"))).toBe(true);
});

test("two runs of one tree at once are nothing to each other", async () => {
  const before = look();
  const code = (word: string) => `
import fcntl, os, time
file = open("top.txt")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
open("${word}.txt", "w").write("${word}")
open("top.txt", "a").write("${word}")
os.unlink("lib/one.py")
print("ready", flush=True)
time.sleep(1.5)
print(open("top.txt").read(), sorted(os.listdir(".")))`;
  const wishes = ["one", "two"].map((tenant) => ({ tenant, tree: oneTree, returns }));
  const left = await Promise.all(wishes.map((wish) => leave(python, code(wish.tenant), wish)));
  for (const [index, word] of ["one", "two"].entries()) {
    const { "main.py": _main, ...returned } = left[index]?.returned ?? {};
    expect([left[index]?.err, returned, left[index]?.gone]).toEqual([
      "",
      { "top.txt": `+x top\n${word}`, [`${word}.txt`]: word },
      ["lib/one.py"],
    ]);
    const names = ["lib", "main.py", "many", "old", `${word}.txt`, "top.txt"].toSorted();
    expect(left[index]?.out).toBe(`ready\ntop\n${word} [${names.map((name) => `'${name}'`).join(", ")}]\n`);
  }
  expect(look()).toEqual(before);
});

test("nothing of a run is there for the next one of its slot, and the tree is what it was", async () => {
  const before = look();
  await leave(bash, "chmod -R 777 .; echo evil > top.txt; rm -rf lib old; echo x > new; mkdir -p a/b/c; chmod 0 a");
  const { out } = await runIn(tier, bash, "find . -type f | LC_ALL=C sort; stat -c %a top.txt .; cat top.txt", { tree: oneTree });
  expect(out).toBe("./lib/one.py\n./lib/two.py\n./main.sh\n./many/x.txt\n./old/a.txt\n./old/deep/b.txt\n./top.txt\n755\n755\ntop\n");
  const { out: without } = await runIn(tier, bash, "ls -A");
  expect(without).toBe("main.sh\n");
  expect(look()).toEqual(before);
});

const attacks: readonly (readonly [what: string, script: string])[] = [
  ["find the trees", "ls -R /tmp /trees /newroot /jail 2>/dev/null | grep -q one.py && echo GOT IN"],
  [
    "reach one by what its mounts say of it",
    "for path in $(grep -o 'lowerdir=[^,]*' /proc/self/mountinfo | cut -d= -f2 | tr : ' '); do cat $path/top.txt && echo GOT IN; done",
  ],
  [
    "reach the upper layer beside the overlay",
    "ls -A /workspace/.syla-layer /proc/*/root/workspace/.syla-layer 2>/dev/null && echo GOT IN",
  ],
  ["take the overlay away", "umount /workspace && echo GOT IN; umount -l /workspace && echo GOT IN; umount /tmp && echo GOT IN"],
  [
    "make an overlay of its own",
    `python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for call in (428, 429, 430, 431, 432, 433, 442):
    if libc.syscall(call, b"overlay", 0, 0, 0, 0) >= 0 or ctypes.get_errno() not in (1, 38): print("GOT IN", call)'`,
  ],
  ["make a device in it", "mknod device c 1 3 && echo hi > device && [ ! -s device ] && echo GOT IN"],
  ["give a file to root's rights", "cp /bin/id id; chmod 6755 id; ./id -u | grep -qx 0 && echo GOT IN"],
  [
    "change the tree through what it has open to read",
    "exec 3<top.txt; echo evil > /proc/self/fd/3; chmod 777 /proc/self/fd/3; touch /proc/self/fd/3",
  ],
];

test.each(attacks)("a program cannot %s", async (_what, script) => {
  const before = look();
  const { out } = await runIn(tier, bash, script, { tree: twoLayers });
  expect(out).not.toContain("GOT IN");
  expect(look()).toEqual(before);
});

test("its disk limit is for what it writes, deleted files that are open among it", async () => {
  const limits = { diskBytes: 8 * mebibyte };
  const fill = "with open('big','wb') as file:\n  for _ in range(400): file.write(bytes(65536)); file.flush(); time.sleep(0.005)\n";
  const { exit } = await runIn(tier, python, `import os, time\n${fill}time.sleep(5)`, { tree: oneTree, limits });
  expect(exit.reason === "disk" || exit.exitCode !== 0).toBe(true);
  const hide = `import os, time\nfile = open('big', 'wb'); os.unlink('big')\nfor _ in range(400): file.write(bytes(65536)); file.flush(); time.sleep(0.005)\ntime.sleep(5)`;
  const { exit: hidden } = await runIn(tier, python, hide, { tree: oneTree, limits: { diskBytes: 8 * mebibyte } });
  expect(hidden.reason === "disk" || hidden.exitCode !== 0).toBe(true);
});

test("a long-lived sandbox has them too", async () => {
  await using session = await openSession(tier, { tree: twoLayers });
  const { out } = await shell(session, ["sh", "-c", "pwd; cat lib/two.py; echo x > lib/two.py; cat lib/two.py"]);
  expect(out).toBe("/workspace\nNAME = 'newer'\nx\n");
});

test("where they cannot be shown they are copied, and that is said", async () => {
  await using other = createTier();
  expect((await other.tier.report()).files?.by).toBe("copies");
  const own: InputFile[] = [{ path: "lib/one.py", mode: 0o644, content: Buffer.from("NAME = 'mine'\n") }];
  const { out } = await runIn(other.tier, python, "import lib.one, lib.two\nprint(lib.one.NAME, lib.two.NAME)", {
    tree: twoLayers,
    files: own,
  });
  expect(out).toBe("mine newer\n");
});

test.runIf(existsSync("/dev/shm"))("trees on another file system are copied: its files could not be counted", async () => {
  const elsewhere = mkdtempSync("/dev/shm/syla-trees-");
  chmodSync(elsewhere, 0o711);
  await using other = createTier({ trees: elsewhere });
  const { out } = await runIn(other.tier, python, "import lib.two\nprint(lib.two.NAME)", { tree: twoLayers });
  expect(out).toBe("newer\n");
  expect((await other.tier.report()).files).toEqual({ by: "copies", reason: expect.stringContaining("file system") });
  rmSync(elsewhere, { recursive: true });
});

test("a tree that is not there is copied", async () => {
  await using other = createTier({ trees });
  const tree = { ...twoLayers, layers: ["0".repeat(40)] };
  const { out } = await runIn(other.tier, python, "import lib.two\nprint(lib.two.NAME)", { tree });
  expect(out).toBe("newer\n");
  expect((await other.tier.report()).files?.by).toBe("overlay");
});
