import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRefusal } from "../src/refusal.ts";
import { bash, createTier, python, specOf, type TestTier } from "./sandbox-driver.ts";

const machine = (settings: Readonly<Record<string, string>>) => (path: string) => settings[path] ?? null;
const ubuntu = machine({ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1" });
const plain = machine({ "/proc/sys/user/max_user_namespaces": "95000" });

describe("a machine that refuses", () => {
  test.each([
    ["Ubuntu, no profile", "bwrap: setting up uid map: Permission denied\n", ubuntu, "apparmor_restrict_unprivileged_userns=0"],
    [
      "Debian, switched off",
      "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.\n",
      machine({ "/proc/sys/kernel/unprivileged_userns_clone": "0" }),
      "kernel.unprivileged_userns_clone=1",
    ],
    ["a container", "bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n", plain, "--security-opt seccomp=unconfined"],
  ])("the outer wall: %s", (_, errors, read, fix) => {
    const refusal = readRefusal(errors, read);
    expect(refusal).toMatchObject({ wall: "outer", said: errors.trim().slice("bwrap: ".length) });
    expect(refusal?.fix).toContain(fix);
  });

  const traceback = (line: string) => `Traceback (most recent call last):\n  File "/agent/agent.py", line 105, in <module>\n${line}\n`;
  const mapping = '  File "/agent/linux.py", line 9, in map_user\n    file.write(text)\nPermissionError: [Errno 1] Operation not permitted';
  test.each([
    [
      "its children have no capabilities",
      "PermissionError: [Errno 13] mount [b'tmpfs', b'/newroot']: Permission denied",
      ubuntu,
      "bwrap-userns-restrict",
    ],
    ["its children may make none", "PermissionError: [Errno 1] unshare []: Operation not permitted", plain, "bwrap and its children"],
    [
      "the kernel's number is low",
      "OSError: [Errno 28] unshare []: No space left on device",
      machine({ "/proc/sys/user/max_user_namespaces": "40" }),
      "15000",
    ],
    ["its children may not map users", mapping, ubuntu, "syla-bwrap"],
  ])("the inner wall: %s", (_, line, read, fix) => {
    const refusal = readRefusal(traceback(line), read);
    expect(refusal).toMatchObject({ wall: "inner", said: line.slice(line.lastIndexOf("[Errno")) });
    expect(refusal?.fix).toContain(fix);
  });

  test.each([
    "OSError: [Errno 28] No space left on device: '/jail/slot-0/workspace'",
    "OSError: [Errno 28] mount [b'tmpfs']: No space left on device",
    "bwrap: Can't find source path /root/x: Permission denied",
    "the jail ended (SIGKILL)",
  ])("is told from one that has other trouble: %s", (errors) => {
    expect(readRefusal(errors, plain)).toBeNull();
  });
});

describe("the tier on such a machine", () => {
  /** A bubblewrap that stands in for the machine's, where the users of jails can start it. */
  async function withBubblewrap(script: string, check: (made: TestTier) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "syla-bwrap-"));
    const bwrap = join(folder, "bwrap");
    writeFileSync(bwrap, `#!/bin/sh\n${script}\n`);
    for (const path of [folder, bwrap]) chmodSync(path, 0o755);
    try {
      await using made = createTier({ programs: { bwrap, python: "/usr/bin/python3" } });
      await check(made);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("says which wall cannot be had, refuses runs for that reason, and leaves nothing behind", async () => {
    await withBubblewrap(`exec /usr/bin/bwrap --disable-userns "$@"`, async ({ tier }) => {
      const { available, reason, walls, refusal } = await tier.report();
      expect({ available, walls }).toEqual({ available: false, walls: [] });
      expect(refusal).toMatchObject({ wall: "inner", said: expect.stringContaining("unshare") as string });
      expect(reason).toMatch(/^This machine lets bubblewrap make namespaces, but not the programs in it: .*unshare/);
      await expect(tier.start(specOf(bash, "true"))).rejects.toMatchObject({ code: "tier_unavailable", message: reason });
    });
    await withBubblewrap("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", async ({ tier }) => {
      expect(await tier.report()).toMatchObject({ available: false, refusal: { wall: "outer" } });
      await expect(tier.start(specOf(python, "1"))).rejects.toMatchObject({ code: "tier_unavailable" });
    });
  });

  test("is available where a sandbox can be made", async () => {
    await using made = createTier();
    const reports = await Promise.all([made.tier.report(), made.tier.report()]);
    expect(reports.map(({ available, walls }) => [available, walls.length])).toEqual([
      [true, 3],
      [true, 3],
    ]);
    expect(made.tier.pools().flatMap(({ jails }) => jails)).toEqual([]);
  });
});
