import { spawnSync } from "node:child_process";
import { repositoryRoot } from "./source-files.ts";

/** The checks of `npm run check`, each an npm script of its own. The quick ones come first. */
const scripts = [
  "check:words",
  "check:links",
  "check:boundaries",
  "check:generated",
  "check:format",
  "check:lint",
  "check:types",
  "check:unused",
] as const;

function runScript(script: string): boolean {
  const start = performance.now();
  const result = spawnSync("npm", ["run", "--silent", script], {
    cwd: repositoryRoot,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const passed = result.status === 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${passed ? "ok    " : "FAILED"}  ${script.padEnd(18)} ${seconds} s`);
  if (!passed) console.log((result.stdout + result.stderr).trim());
  return passed;
}

const failed = scripts.filter((script) => !runScript(script));
console.log(`${scripts.length - failed.length} passed, ${failed.length} failed`);
if (failed.length > 0) process.exitCode = 1;
