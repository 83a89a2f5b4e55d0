import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Runtime } from "@syla/contracts/runtimes";
import type { Check } from "@syla/contracts/system";
import { expect, onTestFinished, test } from "vitest";
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

test.each(["cobol", "../bun", "python", "python@2.7", "python@../3.11", ""])(
  "runtimes install %j is refused with what there is",
  async (name) => {
    const result = await runCli(["runtimes", "install", name], { env: { SYLA_HOME: temporaryFolder() } });
    expect(result.code).toBe(64);
    expect(result.stderr).toMatch(/bun, deno|no version of Python 3/);
  },
);

test("runtimes install python@3.13 has uv fetch it for servers to find, and says what to do when it cannot be had", async () => {
  const home = temporaryFolder();
  const uv = join(temporaryFolder(), "uv");
  const env = { SYLA_HOME: home, SYLA_UV: uv };
  const folder = join(home, "runtimes/python");
  writeFileSync(uv, `#!/bin/sh\necho "$@" > ${home}/words\n`, { mode: 0o755 });
  const result = await runCli(["runtimes", "install", "python@3.13", "--json"], { env });
  expect(JSON.parse(result.stdout)).toEqual({ language: "python@3.13", folder, restart: false });
  expect(readFileSync(join(home, "words"), "utf8")).toContain(`python install 3.13 --install-dir ${folder} --no-bin`);
  writeFileSync(uv, "#!/bin/sh\necho error: no such host >&2; exit 1\n");
  const failed = await runCli(["runtimes", "install", "python@3.13"], { env });
  expect(failed.code).toBe(69);
  expect(failed.stderr).toMatch(/no such host[^]*UV_PYTHON_INSTALL_MIRROR[^]*--from FOLDER/);
});

test("runtimes install python@… --from takes an installation that is here, if it is that version", async () => {
  const home = temporaryFolder();
  const installation = temporaryFolder();
  const install = (...words: string[]) => runCli(["runtimes", "install", ...words], { env: { SYLA_HOME: home } });
  mkdirSync(join(installation, "bin"));
  writeFileSync(join(installation, "bin/python3.9"), "#!/bin/sh\necho Python 3.9.7\n", { mode: 0o755 });
  const result = await install("python@3.9", "--from", installation);
  expect(result.stdout).toBe(`${join(home, "runtimes/python/3.9")}\n`);
  expect(execFileSync(join(home, "runtimes/python/3.9/bin/python3.9")).toString()).toBe("Python 3.9.7\n");
  expect((await install("python@3.9.8", "--from", installation)).stderr).toContain("is Python 3.9.7, not 3.9.8");
  expect((await install("python@3.10", "--from", installation)).code).toBe(66);
  expect((await install("bun", "--from", installation)).code).toBe(64);
  expect(readdirSync(join(home, "runtimes/python"))).toEqual(["3.9"]);
});

/** A `python3` whose pip puts a wheel into the folder, or fails; the rest is the real one. */
function fakePip(script: string): string {
  const folder = temporaryFolder();
  const body = `if [ "$2" = pip ]; then for last; do :; done; echo "$*" >>${folder}/words; while [ "$1" != -d ]; do shift; done; cd "$2"; ${script}; exit; fi`;
  writeFileSync(join(folder, "python3"), `#!/bin/sh\n${body}\nexec /usr/bin/python3 "$@"\n`);
  chmodSync(join(folder, "python3"), 0o755);
  return folder;
}

const wheel = `/usr/bin/python3 -c 'import zipfile; zipfile.ZipFile("uv-1.whl", "w").writestr("uv-1.data/scripts/uv", "#!/bin/sh\\necho it")'`;
/** Nothing but what the launcher of a server looks for, and no uv of the machine's own. */
const envWith = (pip: string, home: string) => ({
  SYLA_HOME: home,
  HOME: home,
  SYLA_UV: undefined as never,
  PATH: `${pip}:${process.env["PATH"]}`,
});

test("runtimes install uv fetches the pinned one with pip, by its hash, and runs nothing of it", async () => {
  const home = temporaryFolder();
  const pip = fakePip(wheel);
  const folder = join(home, "runtimes/uv");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old"), "");
  const result = await runCli(["runtimes", "install", "uv", "--json"], { env: envWith(pip, home) });
  expect(JSON.parse(result.stdout)).toEqual({ language: "uv", folder, restart: false });
  expect(readdirSync(folder).toSorted()).toEqual(["requirements.txt", "uv"]);
  expect(readdirSync(join(home, "runtimes"))).toEqual(["uv"]);
  expect(execFileSync(join(folder, "uv")).toString()).toBe("it\n");
  expect(readFileSync(join(pip, "words"), "utf8")).toMatch(/--require-hashes .*--only-binary :all: -r \S+tools\/uv\/requirements\.txt/);
});

test("an uv that cannot be fetched leaves the old one, and says why", async () => {
  const home = temporaryFolder();
  mkdirSync(join(home, "runtimes/uv"), { recursive: true });
  writeFileSync(join(home, "runtimes/uv/uv"), "old");
  const result = await runCli(["runtimes", "install", "uv"], { env: envWith(fakePip("echo no such index >&2; exit 1"), home) });
  expect(result).toMatchObject({ code: 69, stderr: expect.stringContaining("no such index") as string });
  expect(readFileSync(join(home, "runtimes/uv/uv"), "utf8")).toBe("old");
  expect(readdirSync(join(home, "runtimes"))).toEqual(["uv"]);
});

// One that the machine has itself would be taken.
test.skipIf(["/usr/local/bin/uv", "/usr/bin/uv"].some((path) => existsSync(path)))(
  "up fetches uv once; without a network it says how to get it, and starts; doctor and runtimes tell",
  async () => {
    const home = temporaryFolder();
    const offline = envWith(fakePip("echo no network >&2; exit 1"), home);
    onTestFinished(async () => void (await runCli(["down", "--force"], { env: offline })));
    const up = (env: typeof offline) => runCli(["up", "--detach", "--port", "0"], { env });
    const first = await up(offline);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/no network.* syla runtimes install uv/) as string });
    const packages = async () => {
      const { items } = JSON.parse((await runCli(["runtimes", "--json"], { env: offline })).stdout) as { items: Runtime[] };
      return items.find(({ name }) => name === "python")?.packages;
    };
    const check = async () => {
      const { checks } = JSON.parse((await runCli(["doctor", "--json"], { env: offline })).stdout) as { checks: Check[] };
      return checks.find(({ name }) => name === "packages of Python");
    };
    expect(await packages()).toEqual({ manager: "uv", available: false, install: "syla runtimes install uv" });
    expect(await check()).toMatchObject({ status: "warning", fix: "syla runtimes install uv" });
    await runCli(["down"], { env: offline });
    expect(await check()).toMatchObject({ status: "warning", fix: "syla runtimes install uv" });

    const pip = fakePip(wheel);
    const online = envWith(pip, home);
    expect(await up(online)).toMatchObject({ code: 0, stderr: expect.stringMatching(/^syla: fetching uv.*\n$/) as string });
    expect(await packages()).toEqual({ manager: "uv", available: true, install: null });
    expect(await check()).toMatchObject({ status: "ok", detail: expect.stringContaining(join(home, "runtimes/uv/uv")) as string });
    await runCli(["down"], { env: online });
    const refused = await runCli(["up", "--detach", "--host", "0.0.0.0"], { env: online }); // comes by it, and ends before there is a server
    expect(refused.stderr).not.toContain("uv");
    expect(readFileSync(join(pip, "words"), "utf8").trim().split("\n")).toHaveLength(1);
  },
  120_000,
);
