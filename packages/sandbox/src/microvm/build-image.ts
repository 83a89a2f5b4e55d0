import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { hostFiles, packageFolder, sessionFiles, systemWords } from "../wall.ts";
import { packCpio } from "./cpio.ts";
import { describeImage, imageFiles, readGuestImage, sumOfSystem } from "./guest-image.ts";
import { resolveModules } from "./kernel-modules.ts";
import { unpackKernel } from "./plain-kernel.ts";
import { makeSquashfs } from "./squashfs.ts";

/**
 * Makes a guest image: a kernel and a static shell out of Debian's packages, which are fetched and unpacked but not installed, and a read-only file
 * system of what jails on this machine show. Prints the folder of the image.
 *
 *     node build-image.ts FOLDER [--root DIRECTORY] [--show PATTERN]…
 *
 * FOLDER gets one folder for each image, named by its content, and `current`, which leads to the newest; the others are removed. `--root`: a
 * directory that is shown as `/usr` in place of this machine's. `--show`: folders or files below `/etc` that languages need besides.
 */

/** What a guest has to drive, and its file systems. Names of modules, whether built in or not. */
const wantedModules = [
  "virtio_pci",
  "virtio_mmio",
  "virtio_blk",
  "virtio_console",
  "virtio_rng",
  "virtio_balloon",
  "vmw_vsock_virtio_transport",
  "squashfs",
  "ext4",
  "crc32c_generic",
];
const kernelPackage = "linux-image-cloud-amd64";
const shellPackage = "busybox-static";
const emptyFolders = ["agent", "dev", "guest", "jail", "layers", "newroot", "opt", "proc", "run", "sys", "tmp"];
/** Of no use to programs, and large. */
const leftOut = ["usr/share/doc", "usr/share/info", "usr/share/man", "usr/src", "usr/lib/firmware", "usr/lib/modules"];
const nameLength = 16;

interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Where it has been unpacked. */
  readonly folder: string;
}

/** @throws UnusableMachineError */
function requireMachine(): { readonly bwrap: string; readonly mksquashfs: string } {
  if (process.arch !== "x64") throw new UnusableMachineError("guest images can be made on x86-64 only");
  const programs = { bwrap: find("bwrap"), mksquashfs: find("mksquashfs") };
  const needed = {
    "apt-get": find("apt-get"),
    "dpkg-deb": find("dpkg-deb"),
    bubblewrap: programs.bwrap,
    "squashfs-tools": programs.mksquashfs,
  };
  const missing = Object.entries(needed).filter(([, path]) => path === "");
  if (missing.length > 0) throw new UnusableMachineError(`not installed: ${missing.map(([name]) => name).join(", ")}`);
  return programs;
}

/** The machine lacks something; says what. */
class UnusableMachineError extends Error {
  override readonly name = "UnusableMachineError";
}

function find(name: string): string {
  return ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? "";
}

function run(program: string, words: readonly string[], folder: string): string {
  return execFileSync(program, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
}

/** Of a package that only stands for the newest one: that one. */
function nameOfNewest(name: string, folder: string): string {
  const depends = /^Depends: (linux-image-\S+)/m.exec(run("apt-cache", ["show", "--no-all-versions", name], folder))?.[1];
  if (depends === undefined) throw new UnusableMachineError(`this machine's package sources have no ${name}: apt-get update`);
  return depends;
}

/** apt checks what it fetches against the signed lists of the archive. */
function fetchPackage(name: string, folder: string): DebianPackage {
  const [place, target] = [join(folder, `${name}.deb`), join(folder, name)];
  for (const path of [place, target]) mkdirSync(path);
  run("apt-get", ["download", "-qq", name], place);
  const file = join(place, readdirSync(place).find((entry) => entry.endsWith(".deb")) ?? "");
  run("dpkg-deb", ["--extract", file, target], place);
  const version = run("dpkg-deb", ["--field", file, "Version"], place).trim();
  return { name, version, sha256: sumOf(file), folder: target };
}

function sumOf(file: string): string {
  const sum = createHash("sha256");
  const [descriptor, buffer] = [openSync(file, "r"), Buffer.alloc(1 << 20)];
  for (let count = 1; count > 0;) sum.update(buffer.subarray(0, (count = readSync(descriptor, buffer))));
  closeSync(descriptor);
  return sum.digest("hex");
}

function onlyEntry(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).find((name) => pattern.test(name));
  if (found === undefined) throw new Error(`${folder} has no ${String(pattern)}`);
  return found;
}

/** What the first file system of a guest holds, but for what the host adds: a shell, and modules in their order. */
function packModules(shell: string, modules: string): Buffer {
  const files = resolveModules(modules, wantedModules).map(({ name, content }, index) => ({
    path: `modules/${String(index).padStart(2, "0")}-${name}.ko`,
    content,
  }));
  return packCpio([{ path: "bin/busybox", content: readFileSync(join(shell, "bin/busybox")), executable: true }, ...files]);
}

async function build(images: string, root: string | undefined, patterns: readonly string[]): Promise<string> {
  const programs = requireMachine();
  mkdirSync(images, { recursive: true, mode: 0o755 });
  const work = mkdtempSync(join(images, "new-"));
  try {
    const kernel = fetchPackage(nameOfNewest(kernelPackage, work), work);
    const shell = fetchPackage(shellPackage, work);
    const release = onlyEntry(join(kernel.folder, "lib/modules"), /./);
    const image = join(work, "image");
    mkdirSync(image, { mode: 0o755 });
    const [boot, initrd, squashfs] = [imageFiles.kernel, imageFiles.initrd, imageFiles.root].map((name) => join(image, name));
    renameSync(join(kernel.folder, "boot", onlyEntry(join(kernel.folder, "boot"), /^vmlinuz-/)), boot as string);
    writeFileSync(join(image, imageFiles.plainKernel), unpackKernel(readFileSync(boot as string)));
    writeFileSync(initrd as string, packModules(shell.folder, join(kernel.folder, "lib/modules", release)));
    const shown = patterns.flatMap((pattern) => globSync(pattern)).toSorted();
    const foreign = shown.find((path) => !path.startsWith("/etc/"));
    if (foreign !== undefined) throw new UnusableMachineError(`only what is below /etc can be shown besides: ${foreign}`);
    await makeSquashfs(programs, squashfs as string, (stage) => rootWords(stage, root, shown), leftOut);
    for (const name of readdirSync(image)) chmodSync(join(image, name), 0o644); // machines are other users
    const packages = [kernel, shell].map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    const facts = { kernel: release, packages, system: sumOfSystem(), shown };
    const manifest = describeImage(
      facts,
      [boot, initrd, squashfs].map((file) => sumOf(file as string)),
    );
    writeFileSync(join(image, imageFiles.manifest), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o644 });
    return install(images, image, manifest.sha256.slice(0, nameLength));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function rootWords(stage: string, root: string | undefined, shown: readonly string[]): string[] {
  const words = systemWords(join(packageFolder, "etc"), [...hostFiles, ...sessionFiles, ...shown], stage);
  const instead = root === undefined ? [] : ["--ro-bind", root, `${stage}/usr`];
  return [...words, ...instead, ...emptyFolders.flatMap((name) => ["--dir", `${stage}/${name}`])];
}

/** Puts a finished image in its place. A machine that runs from an older one has its files open. */
function install(images: string, image: string, name: string): string {
  const folder = join(images, name);
  if (readGuestImage(folder) === null) {
    rmSync(folder, { recursive: true, force: true });
    try {
      renameSync(image, folder);
    } catch (error) {
      if (readGuestImage(folder) === null) throw error; // else somebody has made the same in between
    }
  }
  const link = join(images, `current.new-${process.pid}`);
  symlinkSync(name, link);
  renameSync(link, join(images, "current"));
  for (const other of readdirSync(images))
    if (/^[0-9a-f]{16}$/.test(other) && other !== name) rmSync(join(images, other), { recursive: true, force: true });
  return folder;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { root: { type: "string" }, show: { type: "string", multiple: true } },
});
const [folder] = positionals;
if (folder === undefined || positionals.length !== 1) {
  process.stderr.write("usage: node build-image.ts FOLDER [--root DIRECTORY] [--show PATTERN]\n");
  process.exit(64);
}
try {
  process.stdout.write(`${await build(resolve(folder), values.root, values.show ?? [])}\n`);
} catch (error) {
  const said = (error as { stderr?: string }).stderr?.trim();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${said === undefined ? "" : `\n${said}`}\n`);
  process.exit(error instanceof UnusableMachineError ? 69 : 70);
}
