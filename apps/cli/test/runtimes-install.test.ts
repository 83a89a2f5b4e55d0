import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

/** A `npm` of our own, first in the PATH: what is asked of the real one, without a registry. */
function fakeNpm(script: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "npm"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "npm"), 0o755);
  return `${folder}:/usr/bin:/bin`;
}

test("runtimes install fetches what the lock file pins, without running scripts, and takes the place of the old", async () => {
  const home = temporaryFolder();
  const env = { SYLA_HOME: home, PATH: fakeNpm('echo "$@" > words; mkdir -p node_modules') };
  const folder = join(home, "runtimes/bun");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old"), "");
  const result = await runCli(["runtimes", "install", "bun", "--json"], { env });
  expect(JSON.parse(result.stdout)).toEqual({ language: "bun", folder, restart: false });
  expect(readFileSync(join(folder, "words"), "utf8")).toMatch(/^ci --ignore-scripts /);
  expect(readFileSync(join(folder, "package-lock.json"), "utf8")).toContain("sha512-");
  expect(existsSync(join(folder, "old"))).toBe(false);
});

test("an installation that fails leaves what was there, and says why", async () => {
  const home = temporaryFolder();
  const folder = join(home, "runtimes/deno");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old"), "");
  const env = { SYLA_HOME: home, PATH: fakeNpm("echo no such registry >&2; exit 1") };
  const result = await runCli(["runtimes", "install", "deno"], { env });
  expect(result.code).toBe(69);
  expect(result.stderr).toContain("no such registry");
  expect(existsSync(join(folder, "old"))).toBe(true);
});

test.each(["cobol", "../bun", "python", ""])("runtimes install %j is refused with what there is", async (name) => {
  const result = await runCli(["runtimes", "install", name], { env: { SYLA_HOME: temporaryFolder() } });
  expect(result.code).toBe(64);
  expect(result.stderr).toContain("bun, deno");
});
