import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resolveModules } from "../../src/microvm/kernel-modules.ts";

/** A kernel with these modules, by path: what each says of itself. */
function kernelWith(modules: Readonly<Record<string, string>>, builtIn: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), "syla-kernel-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "modules.builtin"), builtIn.map((path) => `${path}\n`).join(""));
  for (const [path, info] of Object.entries(modules)) {
    mkdirSync(dirname(join(folder, "kernel", path)), { recursive: true });
    writeFileSync(join(folder, "kernel", path), Buffer.from(`ELF\0license=GPL\0${info}\0`));
  }
  return folder;
}

const namesOf = (folder: string, ...wanted: string[]) => resolveModules(folder, wanted).map(({ name }) => name);

test("what a module needs is loaded before it, once", () => {
  const folder = kernelWith({
    "fs/ext4/ext4.ko": "depends=mbcache,jbd2,crc16",
    "fs/jbd2/jbd2.ko": "depends=crc16",
    "fs/mbcache.ko": "depends=",
    "lib/crc16.ko": "depends=",
    "fs/other.ko": "depends=",
  });
  expect(namesOf(folder, "ext4", "crc16")).toEqual(["mbcache", "crc16", "jbd2", "ext4"]);
});

test("names with a dash and with an underscore are the same, and soft dependencies count", () => {
  const folder = kernelWith({
    "a/virtio-blk.ko": "depends=virtio\0softdep=pre: crc32c-intel",
    "b/virtio.ko": "depends=",
    "c/crc32c_intel.ko": "depends=",
  });
  expect(namesOf(folder, "virtio_blk")).toEqual(["virtio", "crc32c_intel", "virtio_blk"]);
});

test("what is built in needs no file, and what is nowhere is told", () => {
  const folder = kernelWith({ "a/x.ko": "depends=built_in" }, ["kernel/lib/built-in.ko"]);
  expect(namesOf(folder, "built_in", "x")).toEqual(["x"]);
  expect(() => namesOf(folder, "gone")).toThrow(/no module gone/);
});

test("compressed modules are unpacked", () => {
  const folder = kernelWith({ "a/packed.ko": "depends=" });
  execFileSync("xz", [join(folder, "kernel/a/packed.ko")]);
  expect(resolveModules(folder, ["packed"])[0]?.content.toString()).toContain("license=GPL");
});
