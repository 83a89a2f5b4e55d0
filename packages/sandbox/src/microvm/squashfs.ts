import { execFile } from "node:child_process";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const stage = "/stage";

/** Where the programs are that file systems are made with. */
export interface SquashfsPrograms {
  readonly bwrap: string;
  readonly mksquashfs: string;
}

/**
 * Makes a read-only file system of what bubblewrap shows below {@link stage} when it is told `words(stage)`. Everything in it is root's. The same files
 * make the same file system: those of folders that are only made for it have no time.
 */
export async function makeSquashfs(
  { bwrap, mksquashfs }: SquashfsPrograms,
  file: string,
  words: (root: string) => readonly string[],
  leftOut: readonly string[] = [],
): Promise<void> {
  const folder = dirname(file);
  const own = ["/usr", "/bin", "/sbin", "/lib", "/lib64"].flatMap((path) => ["--ro-bind-try", path, path]);
  const options = ["-noappend", "-all-root", "-no-xattrs", "-no-progress", "-quiet", "-mkfs-time", "0", "-comp", "lz4"];
  const pack = [mksquashfs, stage, `/out/${basename(file)}`, ...options, ...(leftOut.length === 0 ? [] : ["-e", ...leftOut])];
  // Folders that are only there for what is below them are bubblewrap's, and nobody else may enter them.
  const script = 'find /stage -xdev -type d -exec chmod 755 {} + -exec touch -d @0 {} + 2>/dev/null; exec "$@"';
  await run(
    bwrap,
    [
      "--unshare-all",
      "--die-with-parent",
      "--new-session",
      ...own,
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      "--dir",
      stage,
      ...words(stage),
      "--bind",
      folder,
      "/out",
      "--",
      "sh",
      "-c",
      script,
      "sh",
      ...pack,
    ],
    { env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" }, cwd: "/" },
  );
}
