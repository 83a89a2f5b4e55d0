import { execFile } from "node:child_process";
import { existsSync, globSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** What one path of an image is. `source`: the file of this machine that it has its content from. */
export type RootEntry =
  | { readonly kind: "folder"; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "file"; readonly source: string; readonly mode: number };

/** What is not taken along when a whole folder is: tests, caches that go by times, what the system's packages have put beside a language. */
const leftOut = new Set([
  "__pycache__",
  "test",
  "tests",
  "testdata",
  "idlelib",
  "turtledemo",
  "ensurepip",
  "site-packages",
  "dist-packages",
]);
const isLeftOut = (name: string) => leftOut.has(name) || name.startsWith("config-");
/** A shell, and what its scripts count on. */
const programs = "sh bash env cat ls cp mv rm mkdir ln chmod head tail sleep true false uname id grep sed sort mktemp".split(" ");
/** Opened by programs while they run rather than named by them; most binary packages need these. */
const openedLater =
  /^\s*(?:libgcc_s\.so\.1|libstdc\+\+\.so\.6|libgomp\.so\.1|libnss_(?:dns|files)\.so\.2|libatomic\.so\.1)\s.*=> (\/\S+)$/gm;
const certificates = "/etc/ssl/certs/ca-certificates.crt";
const mostFilesAtOnce = 400;

/**
 * The root of an image, gathered from this machine: what programs of it need to run, and nothing more. Folders that are links on this machine
 * are links in the image.
 */
export class RootFiles {
  readonly entries = new Map<string, RootEntry>();
  /** Paths that were added with all that is in them: a folder that something lies in may be an entry before. */
  readonly #taken = new Set<string>();

  /** A file, link or folder with what is in it, at the same path or at another. `whole`: really everything. */
  add(source: string, path = source, { whole = false } = {}): void {
    if (source !== path) return this.#copy(source, path, whole);
    const real = this.#approach(path);
    if (real === null || this.#taken.has(real)) return;
    this.#taken.add(real);
    this.#copy(real, real, false);
  }

  folder(path: string, mode = 0o755): void {
    this.#parents(path);
    this.entries.set(path, { kind: "folder", mode });
  }

  link(path: string, target: string): void {
    this.#parents(path);
    this.entries.set(path, { kind: "link", target });
  }

  file(path: string, source: string, mode = 0o644): void {
    this.#parents(path);
    this.entries.set(path, { kind: "file", source, mode });
  }

  /** The shared libraries of everything that was added, by asking the machine's own loader. Only for files of the machine itself. */
  async addLibraries(): Promise<void> {
    const binaries = [...this.entries.values()].flatMap((entry) =>
      entry.kind === "file" && ((entry.mode & 0o111) !== 0 || /\.so(?:\.|$)/.test(entry.source)) ? [entry.source] : [],
    );
    for (let at = 0; at < binaries.length; at += mostFilesAtOnce) {
      const text = await printed("ldd", binaries.slice(at, at + mostFilesAtOnce));
      for (const [, library] of text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) if (library !== undefined) this.add(library);
    }
    const known = (await printed("/sbin/ldconfig", ["-p"])) || (await printed("ldconfig", ["-p"]));
    for (const [, library] of known.matchAll(openedLater)) if (library !== undefined) this.add(library);
  }

  /** A shell with a few programs, and the certificates that secure connections are checked with. */
  addSystem(): void {
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      const path = `/${name}`;
      if (existsSync(path) && lstatSync(path).isSymbolicLink()) this.#approach(path);
    }
    for (const name of programs) {
      const found = [`/usr/bin/${name}`, `/bin/${name}`].find((path) => existsSync(path));
      if (found !== undefined) this.add(found);
    }
    if (existsSync(certificates)) this.file(certificates, certificates);
  }

  /** Goes to a path as the kernel does, noting each link on the way. Answers where it leads, null when nowhere. */
  #approach(path: string): string | null {
    const ahead = path.split("/").filter((part) => part !== "");
    let place = "";
    for (let followed = 0; ahead.length > 0;) {
      const part = ahead.shift() ?? "";
      if (part === ".") continue;
      if (part === "..") {
        place = dirname(place || "/").replace(/^\/$/, "");
        continue;
      }
      const next = `${place}/${part}`;
      const facts = lstatSync(next, { throwIfNoEntry: false });
      if (facts === undefined) return null;
      if (!facts.isSymbolicLink()) {
        place = next;
        continue;
      }
      const target = readlinkSync(next);
      this.link(next, target);
      if ((followed += 1) > 40) return null;
      if (target.startsWith("/")) place = "";
      ahead.unshift(...target.split("/").filter((word) => word !== ""));
    }
    return place || "/";
  }

  #copy(source: string, path: string, whole: boolean): void {
    const facts = lstatSync(source, { throwIfNoEntry: false });
    if (facts === undefined) return;
    if (facts.isSymbolicLink()) {
      const target = readlinkSync(source);
      this.link(path, target);
      // A folder of the machine may lean on another one.
      const end = posix.join(dirname(path), target);
      if (source === path) this.add(target.startsWith("/") ? target : end);
    } else if (facts.isDirectory()) {
      this.folder(path);
      for (const name of readdirSync(source).toSorted())
        if (whole || !isLeftOut(name)) this.#copy(join(source, name), posix.join(path, name), whole);
    } else if (facts.isFile()) this.file(path, source, (facts.mode & 0o100) === 0 ? 0o644 : 0o755);
  }

  #parents(path: string): void {
    for (let folder = dirname(path); folder !== "/" && !this.entries.has(folder); folder = dirname(folder))
      this.entries.set(folder, { kind: "folder", mode: 0o755 });
  }
}

/** Paths that a pattern stands for. */
export function pathsOf(pattern: string): string[] {
  return /[*?[{(]/.test(pattern) ? globSync(pattern).toSorted() : [pattern];
}

/** What a program of this machine prints, whatever it ends with. It has no home to leave anything in. */
export function printed(program: string, words: readonly string[]): Promise<string> {
  const options = {
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", HOME: "/dev/null" },
  };
  return new Promise((resolve) => execFile(program, [...words], options, (_error, stdout) => resolve(stdout)));
}
