import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RuntimeSpec } from "../src/spec.ts";
import { bash, createTier, python, runIn, type TestTier } from "./sandbox-driver.ts";
import { openSession } from "./session-driver.ts";

const host = mkdtempSync(join(tmpdir(), "syla-toolchains-"));
afterAll(() => rmSync(host, { recursive: true, force: true }));

/** A runtime with a folder of its own on the host. */
function toolchain(name: string, target = `/opt/runtimes/${name}`): RuntimeSpec {
  const source = join(host, name);
  mkdirSync(source, { recursive: true, mode: 0o755 });
  writeFileSync(join(source, "fact"), `${name}\n`);
  return { ...bash, name, mounts: [{ source, target }] };
}

const [one, two] = [toolchain("one"), toolchain("two")];
const entrypoint = "main.sh";
const run = async (own: TestTier, runtime: RuntimeSpec, code: string, tenant = "tenant") =>
  (await runIn(own.tier, runtime, code, { tenant, entrypoint })).out;
const pool = (own: TestTier, kind: string) => own.tier.pools().find((found) => found.kind === kind);
const tenants = (own: TestTier, kind: string) => pool(own, kind)?.jails.map(({ tenant }) => tenant) ?? [];

test("one jail serves a tenant's runs in every runtime that starts afresh, and no other tenant's", async () => {
  await using own = createTier();
  own.tier.warm([python, one, two, bash]);
  expect(await run(own, one, "cat /opt/runtimes/one/fact")).toBe("one\n");
  expect(await run(own, two, "cat /opt/runtimes/two/fact")).toBe("two\n");
  expect(await run(own, bash, "echo bash")).toBe("bash\n");
  expect(tenants(own, "any")).toEqual(["tenant"]);
  expect(await run(own, one, "echo $$", "other")).not.toBe("");
  expect(tenants(own, "any")).toEqual(["tenant", "other"]);
  expect(own.tier.pools().map(({ kind }) => kind)).not.toContain("one");
});

test("one jail waits for the next tenant and one for the next long-lived sandbox, before and after somebody has come", async () => {
  await using own = createTier();
  own.tier.warm([one, two]);
  const waits = () => ["any", "session any"].map((kind) => pool(own, kind)?.spares);
  await expect.poll(waits, { timeout: 20_000 }).toEqual([1, 1]);
  await run(own, one, "true");
  await (await openSession(own.tier, { runtime: two })).end();
  expect(tenants(own, "any")).toEqual(["tenant"]);
  await expect.poll(waits, { timeout: 20_000 }).toEqual([1, 1]);
});

test("what is shown of a toolchain cannot be changed, and nothing of a run stays in the jail", async () => {
  await using own = createTier();
  own.tier.warm([one, two]);
  const attack = [
    "echo x > /opt/runtimes/two/fact",
    "echo x > /opt/runtimes/two/new",
    "rm /opt/runtimes/two/fact",
    "mkdir /opt/runtimes/three",
    "chmod 777 /opt/runtimes/two",
    "mv /opt/runtimes/two /opt/runtimes/gone",
    "mount -o remount,rw /opt/runtimes/two",
  ].map((line) => `(${line}) 2>/dev/null && echo "done: ${line}"`);
  expect(await run(own, one, `${attack.join("\n")}\necho kept > /tmp/note; echo kept > /workspace/note`)).toBe("");
  expect(await run(own, two, "cat /opt/runtimes/two/fact; ls /opt/runtimes; cat /tmp/note /workspace/note 2>/dev/null")).toBe(
    "two\none\ntwo\n",
  );
  expect(tenants(own, "any")).toEqual(["tenant"]);
});

test("a runtime whose place is taken has a jail of its own with its own toolchain", async () => {
  await using own = createTier();
  const rival = { ...toolchain("rival"), mounts: [{ source: join(host, "rival"), target: "/opt/runtimes/one" }] };
  own.tier.warm([one, rival]);
  expect(await run(own, one, "cat /opt/runtimes/one/fact")).toBe("one\n");
  expect(await run(own, rival, "cat /opt/runtimes/one/fact")).toBe("rival\n");
  expect([tenants(own, "any"), tenants(own, "rival")]).toEqual([["tenant"], ["tenant"]]);
});

test("an interpreter that cannot be booted ahead for a run gets the shared jail", async () => {
  await using own = createTier();
  const booted: RuntimeSpec = { ...one, name: "booted", pooling: "preboot", bootVariables: ["BOOT_"] };
  own.tier.warm([booted, two]);
  const wish = { entrypoint, env: { BOOT_MODE: "slow" } };
  expect((await runIn(own.tier, booted, "cat /opt/runtimes/one/fact; echo $BOOT_MODE", wish)).out).toBe("one\nslow\n");
  expect(tenants(own, "any")).toEqual(["tenant"]);
});

test("a toolchain that comes later is seen by the next run, and one that is taken away takes no other with it", async () => {
  await using own = createTier();
  const [late, lost] = [toolchain("late"), toolchain("lost")];
  own.tier.warm([one, lost]);
  expect(await run(own, one, "ls /opt/runtimes")).toBe("lost\none\n");
  rmSync(join(host, "lost"), { recursive: true });
  own.tier.warm([late]);
  expect(await run(own, late, "ls /opt/runtimes")).toBe("late\none\n");
  await expect.poll(() => pool(own, "any")?.spares, { timeout: 20_000 }).toBe(1);
  expect(own.tier.pools().filter(({ kind }) => kind === "any")).toHaveLength(1);
});
