import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Commits files to a repository in a folder, as somebody else does. Null: it is removed. */
export function commitTo(repository: string, files: Readonly<Record<string, string | null>>): void {
  const folder = mkdtempSync(join(tmpdir(), "syla-mirror-"));
  const run = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-C", folder, ...words], { stdio: "pipe" });
  run("clone", "--quiet", repository, ".");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (content === null) rmSync(join(folder, path));
    else writeFileSync(join(folder, path), content);
  }
  run("add", "--all");
  run("commit", "--quiet", "--message", "more");
  run("push", "--quiet", "origin", "main");
  rmSync(folder, { recursive: true });
}
