import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTier } from "../sandbox-driver.ts";
import { printAttacks } from "./attack-table.ts";
import { openSession, shell, type OpenSession } from "../session-driver.ts";

/** Attacks out of a session: each asserts that it failed, and that the neighbour and the host are as before. */

const own = createTier();
const hostFolder = mkdtempSync(join(tmpdir(), "syla-host-"));
const secret = join(hostFolder, "secret");
let session: OpenSession;
let neighbour: OpenSession;

printAttacks();
beforeAll(async () => {
  writeFileSync(secret, "host secret", { mode: 0o644 });
  session = await openSession(own.tier);
  neighbour = await openSession(own.tier);
  await neighbour.files.write("mine", [Buffer.from("neighbour")]);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
  rmSync(hostFolder, { recursive: true });
});

const python = (code: string) => shell(session, ["/usr/bin/python3", "-c", code]);

describe("a session keeps in", () => {
  it("file operations, whatever path or link they are given", async () => {
    await shell(session, `ln -sf ${secret} link; ln -sfn / rootlink; ln -sf /proc/1/root/etc/shadow shadow`);
    const up = "../".repeat(30);
    for (const path of [secret, "link", `rootlink${secret}`, `${up}${secret}`, `/proc/1/root${secret}`, `/proc/1/cwd${secret}`])
      await expect(session.files.read(path)).rejects.toMatchObject({ code: expect.stringMatching(/^(ENOENT|EACCES|EPERM)$/) as unknown });
    for (const path of ["/etc/shadow", "shadow"]) await expect(session.files.read(path)).rejects.toMatchObject({ name: "RefusalError" });
    await expect(session.files.write(`${up}${secret}`, [Buffer.from("x")])).rejects.toMatchObject({ name: "RefusalError" });
    await expect(session.files.move("link", secret, { overwrite: true })).rejects.toMatchObject({ name: "RefusalError" });
    await expect(session.files.remove("/usr/bin/env")).rejects.toMatchObject({ name: "RefusalError" });
    expect(readFileSync(secret, "utf8")).toBe("host secret");
  });

  it("what removal follows: a link to a folder is removed, not what is in it", async () => {
    await shell(session, "mkdir -p keep tree; echo 1 > keep/file; ln -s ../keep tree/link");
    await session.files.remove("tree", { recursive: true });
    expect((await session.files.stat("keep/file")).size).toBe(2);
  });

  it("the neighbour's processes, files and terminals", async () => {
    const terminal = await neighbour.start({ command: ["cat"], terminal: { columns: 80, rows: 24 } });
    const seen = await shell(session, "ls /dev/pts; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; find / -name mine 2>/dev/null");
    expect(seen.out).not.toContain("cat \n");
    expect(seen.out).not.toMatch(/^0$/m);
    expect(seen.out).not.toContain("mine\n");
    await expect(session.signal(terminal.pid + 1000, 9)).rejects.toMatchObject({ code: "ESRCH" });
    terminal.close();
  });

  it("input that is typed into a terminal by somebody else (TIOCSTI)", async () => {
    const process = await session.start({
      command: [
        "/usr/bin/python3",
        "-c",
        "import fcntl\ntry:\n  fcntl.ioctl(0, 0x5412, b'x'); print('typed')\nexcept OSError as e: print('refused', e.errno)",
      ],
      terminal: { columns: 80, rows: 24 },
    });
    const said = (await Array.fromAsync(process.output)).map(({ data }) => data.toString()).join("");
    expect(said).toContain("refused 1");
  });

  it("mounts, namespaces and traces", async () => {
    const code = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, *args):
    ctypes.set_errno(0)
    print(name, getattr(libc, name)(*args), ctypes.get_errno())
attempt("unshare", 0x10000000)
attempt("mount", b"tmpfs", b"/workspace", b"tmpfs", 0, None)
attempt("mount", b"devpts", b"/dev/pts", b"devpts", 0, None)
attempt("ptrace", 16, os.getppid(), 0, 0)
attempt("setns", 0, 0)
attempt("chroot", b"/workspace")
`;
    expect(
      (await python(code)).out
        .trim()
        .split("\n")
        .map((line) => line.split(" ").slice(1).join(" ")),
    ).toEqual(Array.from({ length: 6 }, () => "-1 1"));
  });

  it("signals: process 1 does not mind, nor does the neighbour", async () => {
    const init = "import os\nfor number in (9, 19, 15):\n  try: os.kill(1, number)\n  except OSError: pass\nprint('done')";
    expect((await python(init)).out).toBe("done\n");
    expect((await shell(session, "echo alive")).out).toBe("alive\n");
    expect((await shell(neighbour, "echo alive")).out).toBe("alive\n");
  });

  it("a program that writes to the daemon's own pipes: it ends its own sandbox and no other", async () => {
    const victim = await openSession(own.tier);
    await victim.start({
      command:
        "for f in /proc/$PPID/fd/*; do case $(readlink $f) in pipe:*) head -c 70000 /dev/urandom > $f 2>/dev/null & ;; esac; done; sleep 5",
    });
    expect((await victim.ended).reason).toBe("failed");
    expect((await shell(neighbour, "cat mine")).out).toBe("neighbour");
  });

  it("a program that lies to the host over the daemon's pipe, in the daemon's own words", async () => {
    const victim = await openSession(own.tier);
    // An END for every channel, an answer of the wrong form, and more credit than there is.
    const lies = `
import glob, os, struct
def frame(kind, channel, payload): return struct.pack(">IBI", len(payload), kind, channel) + payload
data = b"".join(frame(4, channel, struct.pack(">I", 0xffffffff)) + frame(5, channel, b'{"entry": {"path": 5}}') for channel in range(1, 100))
for path in glob.glob(f"/proc/{os.getppid()}/fd/*"):
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.write(descriptor, data)
    except OSError: pass
`;
    const asked = victim.start({ command: ["/usr/bin/python3", "-c", `${lies}\nimport time; time.sleep(5)`] });
    await asked.catch(() => {});
    const outcome = await victim.files.stat(".").then(
      () => "answered",
      (error: Error) => error.name,
    );
    expect(["answered", "ProtocolError", "SessionEndedError", "RefusalError"]).toContain(outcome);
    await victim.end();
    expect((await shell(neighbour, "cat mine")).out).toBe("neighbour");
  });

  it("a daemon that is killed: the session says so", async () => {
    const victim = await openSession(own.tier);
    await victim.start({ command: "kill -9 $PPID" }).catch(() => {});
    expect(await victim.ended).toMatchObject({ reason: "failed", message: "its daemon ended (signal 9)" });
  });

  it("a fork bomb: the neighbour does not notice", async () => {
    await using victim = await openSession(own.tier, { limits: { processes: 60 } });
    await shell(victim, ":(){ :|:& };:", { timeoutMs: 1000 });
    expect((await shell(neighbour, "cat mine")).out).toBe("neighbour");
  });

  it("a disk that is filled: the session ends for it, and for nothing else", async () => {
    const victim = await openSession(own.tier, { limits: { diskBytes: 20 << 20 } });
    await victim.start({ command: "for i in 1 2 3 4; do dd if=/dev/zero of=f$i bs=1M count=10; done; sleep 30" });
    expect(await victim.ended).toEqual({ reason: "disk", message: null });
    expect((await shell(neighbour, "cat mine")).out).toBe("neighbour");
  });
});
