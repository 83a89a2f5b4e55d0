import { spawn, spawnSync } from "node:child_process";

/**
 * Removes a folder whatever a hostile program left in it: trees deeper than any path, folders that forbid to look into them. Done by
 * `rm`, which walks by descriptors, in a process of its own, so that a hundred thousand files do not hold up the server.
 */
export async function removeFolder(path: string): Promise<void> {
  if (await succeeds("rm", ["-rf", "--", path])) return;
  await succeeds("chmod", ["-R", "u+rwX", "--", path]);
  await succeeds("rm", ["-rf", "--", path]);
}

/** The same for the start, when nothing runs yet. */
export function removeFolderSync(path: string): void {
  const run = (program: string, words: readonly string[]) => spawnSync(program, words, { stdio: "ignore" }).status === 0;
  if (run("rm", ["-rf", "--", path])) return;
  run("chmod", ["-R", "u+rwX", "--", path]);
  if (!run("rm", ["-rf", "--", path])) throw new Error(`${path} cannot be removed`);
}

function succeeds(program: string, words: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}
