import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A part of a kernel that is loaded when the machine boots. */
export interface KernelModule {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The modules that `wanted` need, and themselves, in the order in which they can be loaded; those that are built in are left out. `folder` is one of
 * `/lib/modules`, as a kernel's package has it.
 *
 * @throws Error when a kernel has no such module, loadable or built in
 */
export function resolveModules(folder: string, wanted: readonly string[]): KernelModule[] {
  const builtIn = new Set(readFileSync(join(folder, "modules.builtin"), "utf8").split("\n").map(moduleName));
  const files = new Map(findFiles(join(folder, "kernel")).map((path) => [moduleName(path), path]));
  const resolved = new Map<string, KernelModule>();
  const add = (name: string) => {
    if (builtIn.has(name) || resolved.has(name)) return;
    const path = files.get(name);
    if (path === undefined) throw new Error(`the kernel in ${folder} has no module ${name}`);
    const content = readModule(path);
    for (const other of dependenciesOf(content)) add(other);
    resolved.set(name, { name, content });
  };
  for (const name of wanted) add(name);
  return [...resolved.values()];
}

/** `kernel/fs/ext4/ext4.ko.xz` is `ext4`; the kernel takes `-` and `_` in names for the same. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

function findFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function readModule(path: string): Buffer {
  const programs: Readonly<Record<string, string>> = { xz: "xz", zst: "zstd", gz: "gzip" };
  const program = programs[/\.ko\.(\w+)$/.exec(path)?.[1] ?? ""];
  return program === undefined ? readFileSync(path) : execFileSync(program, ["-dc", path], { maxBuffer: 1 << 28 });
}

/** What a module says of itself. Source: `include/linux/module.h`, `MODULE_INFO`. */
function dependenciesOf(module: Buffer): string[] {
  const text = /\0depends=([^\0]*)\0/.exec(module.toString("latin1"))?.[1] ?? "";
  const soft = /\0softdep=pre: ([^\0]*)\0/.exec(module.toString("latin1"))?.[1] ?? "";
  const words = [...text.split(","), ...soft.split(" ")];
  return words.filter((word) => word !== "" && !word.endsWith(":")).map((word) => word.replaceAll("-", "_"));
}
