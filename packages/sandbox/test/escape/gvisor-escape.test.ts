import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createContainers, missing, type TestContainers } from "../gvisor/containers.ts";
import { collect, mebibyte, python, specOf } from "../sandbox-driver.ts";
import { end, prelude, type Attack } from "./attack.ts";
import { fileAttacks } from "./file-attacks.ts";
import { kernelAttacks } from "./kernel-attacks.ts";
import { networkAttacks } from "./network-attacks.ts";

/** The escape suite in containers of gVisor's: each attack meets one of its own. */

if (missing !== null) process.stdout.write(`\nno container of gVisor's is attacked: ${missing}\n`);

const containerAttacks: readonly Attack[] = [
  {
    name: "process 1, its agent and its files",
    code: String.raw`
for path in ("/box", "/box/state", "/agent/../box", "/home", "/root", "/var", "/boot"):
    escaped(path, os.path.lexists(path))
escaped("processes", [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid(), os.getppid())])
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    attempt("signal 1", lambda: os.kill(1, number))
attempt("pidfd of 1", lambda: os.pidfd_open(1))
attempt("memory of 1", lambda: read("/proc/1/mem"))
attempt("trace 1", lambda: call(101, 16, 1, 0, 0))
for path in ("/agent/pod.py", "/etc/passwd", "/usr/x", "/x", "/agent/x"):
    attempt("write " + path, lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT)))`,
  },
];

/** They count on files in /proc that this kernel does not have. */
const unreadable = /^(?:capabilities: none|change the kernel's settings)/;

/** They neither end who runs them, nor need a limit or an observer of their own. */
const attacks = [...containerAttacks, ...kernelAttacks, ...networkAttacks, ...fileAttacks].filter(
  ({ name, language = "python", limits, expect: observe, overlaid, network, stopped }) =>
    language === "python" && !unreadable.test(name) && !limits && !observe && !overlaid && network === undefined && stopped !== true,
);

/** What succeeds in there is with gVisor's own kernel, which makes it up for this container; nothing of it is the host's. */
const madeUp = [
  /^ESCAPED: (?:setuid|setgid|setresuid|chown) 0 /, // it is user 0 already, and has no capability
  /^ESCAPED: \/proc\/1\/(?:environ b'PATH=|auxv )/, // process 1 has nothing in its variables
  /^ESCAPED: \/sys\/(?:kernel|firmware) \[\]/,
  /^ESCAPED: \/proc\/cmdline b'BOOT_IMAGE=\/vmlinuz-4\.4\.0-gvisor/,
  /^ESCAPED: (?:\/agent|a planted name \['\/agent\/agent\.py'\]|unknown top folders \{'(?:agent', 'sys|sys', 'agent)'\})/, // the agent is no secret
  /^ESCAPED: create \/dev\/x /, // in memory, which is counted
  /^ESCAPED: (?:write \/proc\/1\/oom_score_adj|lower oom score) /,
  /^ESCAPED: (?:mknod \/(?:tmp|dev\/shm) 254:0|\/dev\/(?:fuse|net\/tun|ptmx|pts\/0)|unknown devices \{[fuseptmxn', ]*\}) ?/,
  /^ESCAPED: int 0x80 /, // it does nothing, and does not say so
];
describe.skipIf(missing !== null)("in a container of gVisor's", () => {
  let stage: TestContainers;
  beforeAll(() => {
    stage = createContainers();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const world = { planted: ["/etc/shadow", "/root", "/home"], folder: "/root", port: 1, abstractName: "nobody", secretWord: "secret-" };
  test.each(attacks)("it fails: $name", { timeout: 60_000 }, async ({ code }) => {
    const program = `${prelude}\n${code}\nprint("${end}", flush=True)\n`;
    const limits = { wallMs: 50_000, memoryBytes: 256 * mebibyte, processes: 100 };
    const { out, err, exit } = await collect(
      await stage.tier.start(specOf(python, program, { limits, env: { WORLD: JSON.stringify(world) } })),
    );
    expect((out.match(/ESCAPED.*/g) ?? []).filter((line) => !madeUp.some((pattern) => pattern.test(line)))).toEqual([]);
    expect([err, exit.exitCode]).toEqual(["", 0]);
    expect(out).toContain(end);
  });
});
