import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { bash, collect, mebibyte, node, python, runIn, specOf, startBeside } from "../sandbox-driver.ts";
import { evaluate, openSession, shell, valueOf } from "../session-driver.ts";
import { KubernetesTier } from "../../src/kubernetes/kubernetes-tier.ts";
import { createPods, freePort, optionsFor, type TestPods } from "./pods.ts";

const refusal = (value: string) => expect.objectContaining({ code: value });

/** Of 127.0.0.1, signed by itself; and its key. */
function makeCertificate(folder: string): [string, string] {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=syla"];
  execFileSync("openssl", [...words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
  return [readFileSync(cert, "utf8"), readFileSync(key, "utf8")];
}

async function untilEmpty({ cluster }: TestPods): Promise<void> {
  for (let tries = 0; tries < 200 && (cluster.pods().length > 0 || cluster.kubelet.processes > 0); tries += 1) await sleep(50);
  expect(cluster.pods()).toEqual([]);
  expect(cluster.store.list("secrets")).toEqual([]);
  expect(cluster.store.list("jobs")).toEqual([]);
  expect(cluster.kubelet.processes).toBe(0);
}

describe("runs in pods", () => {
  it("print, read, are told their arguments, and leave nothing behind", async () => {
    await using pods = await createPods();
    const program =
      "import os, sys; print(sys.argv, input(), os.environ['WORD'], os.getcwd()); open('/output/made', 'w').write('x'); sys.exit(3)";
    const result = await runIn(pods.tier, python, program, { args: ["a b"], env: { WORD: "$(PATH)" }, stdin: Buffer.from("line\n") });
    expect(result).toMatchObject({ out: "['main.py', 'a b'] line $(PATH) /workspace\n", err: "" });
    expect(result.exit).toMatchObject({ exitCode: 3, signal: null, reason: null, outOfMemory: false });
    expect(result.artifacts.get("made")?.toString()).toBe("x");
    expect(result.limits.memoryBytes).toEqual({ value: 288 * mebibyte, enforcedBy: "cgroup" });
    await untilEmpty(pods);
  });

  it("are pods of their tenant's namespace, with its walls in place before", async () => {
    await using pods = await createPods();
    await runIn(pods.tier, bash, "true");
    await runIn(pods.tier, bash, "true", { tenant: "another" });
    const { store } = pods.cluster;
    const namespaces = store.list("namespaces").map(({ metadata }) => metadata.name);
    expect(namespaces).toHaveLength(2);
    for (const namespace of namespaces) {
      expect(store.list("networkpolicies", namespace)).toHaveLength(1);
      expect(store.list("resourcequotas", namespace)).toHaveLength(1);
    }
    const { requests } = pods.cluster;
    const first = (part: string) => requests.findIndex((request) => request.includes(part));
    expect(first("networkpolicies")).toBeLessThan(requests.findIndex((request) => /^POST .*pods$/.test(request)));
  });

  it("are what the namespace tier makes of the same programs", async () => {
    await using pods = await createPods();
    expect(await runIn(pods.tier, bash, "echo out; echo err >&2; kill -9 $$")).toMatchObject({
      out: "out\n",
      err: "err\n",
      exit: { signal: 9, exitCode: null },
    });
    const failing = await runIn(pods.tier, python, "def f():\n    raise ValueError('x')\nf()");
    expect(failing.err).toBe(
      'Traceback (most recent call last):\n  File "/workspace/main.py", line 3, in <module>\n    f()\n  File "/workspace/main.py", line 2, in f\n    raise ValueError(\'x\')\nValueError: x\n',
    );
    const missing = { ...bash, name: "none", binary: "/usr/bin/no-such-program" };
    expect((await runIn(pods.tier, missing, "x")).exit.failure).toMatchObject({ errno: 2 });
    const inNode = await runIn(pods.tier, { ...node, binary: "/usr/bin/node" }, "console.log(1 + 1, process.argv.length)", {
      entrypoint: "main.mjs",
    });
    expect(inNode).toMatchObject({ out: "2 2\n", exit: { exitCode: 0 } });
  });

  it("end at their time limit, and when they are cancelled", async () => {
    await using pods = await createPods();
    const late = await runIn(pods.tier, python, "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)", {
      limits: { wallMs: 300 },
    });
    expect(late.exit).toMatchObject({ reason: "timeout", signal: 9 });
    const beside = await startBeside(pods.tier, python, "import time\nprint('here', flush=True)\ntime.sleep(60)");
    await beside.printed("here");
    beside.run.cancel(5000);
    expect((await beside.result).exit).toMatchObject({ signal: 15 });
    await untilEmpty(pods);
  });

  it("have limits for files and processes, and for what they print", async () => {
    await using pods = await createPods();
    const disk = await runIn(pods.tier, bash, "for n in 1 2 3 4 5 6 7 8; do head -c 4M /dev/zero > f$n; done; sleep 20", {
      limits: { diskBytes: 8 * mebibyte },
    });
    expect(disk.exit.reason).toBe("disk");
    const flood = await runIn(pods.tier, bash, "head -c 3M /dev/zero", { limits: { outputBytes: mebibyte } });
    expect(flood.stdout.length).toBeLessThanOrEqual(mebibyte + 2);
    expect(flood.dropped).toBeGreaterThan(mebibyte);
  });

  it("that may take long are jobs, which are removed also when nobody comes back", async () => {
    await using pods = await createPods();
    const beside = await startBeside(pods.tier, python, "print('here', flush=True); input()", {
      limits: { wallMs: 2 * 3600_000 },
      stdin: Buffer.alloc(0),
    });
    await beside.result;
    expect(pods.cluster.requests.some((request) => /^POST .*\/jobs$/.test(request))).toBe(true);
    expect(pods.cluster.requests.some((request) => /^POST .*\/pods$/.test(request))).toBe(false);
    await untilEmpty(pods);
  });

  it("keep their hands off their agent", async () => {
    await using pods = await createPods();
    const attack = `
import ctypes, os, resource, signal
libc = ctypes.CDLL(None, use_errno=True)
def fails(what, act):
    try:
        result = act()
        print(what, "went" if result is None or result == 0 else "failed")
    except (OSError, PermissionError, ValueError) as error:
        print(what, "failed")
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    fails("signal", lambda: os.kill(1, number))
fails("pidfd", lambda: os.pidfd_open(1) and None)
fails("tgkill", lambda: libc.tgkill(1, 1, 9))
fails("trace", lambda: libc.ptrace(16, 1, 0, 0))
for name in ("mem", "environ", "maps", "fd/3"):
    fails(name, lambda: open(f"/proc/1/{name}", "rb").read(1) and None)
fails("limits", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3)) and None)
fails("priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
fails("namespace", lambda: libc.unshare(0x10000000))
fails("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
for path in ("/agent/pod.py", "/etc/passwd", "/usr/x", "/run/syla/context.py", "/run/syla-token/token"):
    fails(path, lambda: open(path, "a").close())
print(os.getuid() != 0, os.getpid())
`;
    const { out, exit } = await runIn(pods.tier, python, attack);
    expect(out).not.toContain("went");
    expect(out.split("\n").filter((line) => line.endsWith("failed"))).toHaveLength(19);
    expect(out).toContain("True 2\n");
    expect(exit.exitCode).toBe(0);
  });

  it("leave nothing running, and hide nothing from who collects what they made", async () => {
    await using pods = await createPods();
    const code = `
mkdir -p /output/closed/deeper && echo kept > /output/closed/deeper/file && ln -s /etc/passwd /output/link
chmod 000 /output/closed/deeper; chmod 000 /output/closed
(setsid sleep 1000 &) ; (trap '' TERM; while :; do :; done) & disown; echo gone`;
    const { artifacts, skipped, out } = await runIn(pods.tier, bash, code);
    expect(out).toBe("gone\n");
    expect(artifacts.get("closed/deeper/file")?.toString()).toBe("kept\n");
    expect([...skipped.keys()]).toEqual(["link"]);
    await untilEmpty(pods);
  });

  it("are refused what pods do not have, before anything is made", async () => {
    await using pods = await createPods({ images: new Map([["python@3", "syla/python"]]) });
    await expect(pods.tier.start(specOf({ ...python, name: "python@2.7" }, "1"))).rejects.toEqual(refusal("tier_unavailable"));
    await expect(pods.tier.start(specOf({ ...python, name: "python@3.11.2" }, "1", { network: "full" }))).rejects.toEqual(
      refusal("network_unavailable"),
    );
    await expect(pods.tier.start(specOf(python, "1", { ports: true }))).rejects.toEqual(refusal("network_unavailable"));
    await expect(pods.tier.start(specOf(bash, "1"))).rejects.toEqual(refusal("tier_unavailable"));
    await expect(pods.tier.start(specOf({ ...python, prefix: "/layers/x" }, "1"))).rejects.toEqual(refusal("tier_unavailable"));
    expect(pods.cluster.requests).toEqual([]);
    const settings = optionsFor(pods.cluster, await freePort());
    expect(() => new KubernetesTier({ ...settings, images: new Map([["*", "not an image"]]) })).toThrow(refusal("tier_unavailable"));
    expect(() => new KubernetesTier({ ...settings, namespacePrefix: "No_" })).toThrow(refusal("tier_unavailable"));
  });
});

describe("agents over TLS", () => {
  using folder = createTemporaryDirectory();
  const [cert, key] = makeCertificate(folder.path);
  const over = (port: number, authority: string) => ({
    listener: { host: "127.0.0.1", port, tls: { cert, key } },
    address: `wss://127.0.0.1:${port}`,
    authority,
  });

  it("carry much, both ways", async () => {
    await using pods = await createPods(over(await freePort(), cert));
    const program =
      "import sys, hashlib; data = sys.stdin.buffer.read(); print(len(data), hashlib.sha256(data).hexdigest()); open('/output/copy', 'wb').write(data)";
    const stdin = Buffer.alloc(5 << 20, "0123456789abcdef");
    const result = await runIn(pods.tier, python, program, { stdin });
    expect(result.out).toBe(`${stdin.length} ${createHash("sha256").update(stdin).digest("hex")}\n`);
    expect(result.artifacts.get("copy")?.equals(stdin)).toBe(true);
  });

  it("do not come to a listener that they do not trust", async () => {
    using other = createTemporaryDirectory();
    await using pods = await createPods({ ...over(await freePort(), makeCertificate(other.path)[0]), bootMs: 4000 });
    await expect(pods.tier.start(specOf(python, "1"))).rejects.toEqual(refusal("no_capacity"));
  });
});

describe("sessions in pods", () => {
  it("start processes, keep variables, have terminals, and pause", async () => {
    await using pods = await createPods();
    await using session = await openSession(pods.tier, { runtime: python });
    expect(await shell(session, "echo $((6 * 7)); id -u > /dev/null; pwd")).toMatchObject({ out: "42\n/workspace\n", exitCode: 0 });
    const context = await session.openContext("python");
    await evaluate(context, "x = 20");
    expect(await valueOf(context, "x + 1")).toBe("21");
    await session.files.write("note", [Buffer.from("text")]);
    expect((await shell(session, "cat note")).out).toBe("text");
    expect(await session.pause()).toBe("signals");
    await session.resume();
    expect((await shell(session, "tty", { terminal: { columns: 80, rows: 24 } })).out).toContain("/dev/pts/");
    await session.end();
    expect((await session.ended).reason).toBe("closed");
    await untilEmpty(pods);
  });
});

describe("pods that wait", () => {
  it("are taken by runs of their own kind and tenant, and others come in their place", async () => {
    await using pods = await createPods({ warmPods: 1 });
    const { cluster, tier } = pods;
    const wish = { limits: { wallMs: 5000 } };
    await runIn(tier, python, "1", wish);
    for (let tries = 0; tries < 200 && tier.pools()[0]?.jails[0]?.ready !== 1; tries += 1) await sleep(50);
    expect(tier.pools()).toMatchObject([{ kind: "python", jails: [{ tenant: "tenant", ready: 1, wantedSlots: 1 }] }]);
    const [waiting] = cluster
      .pods()
      .filter(({ status }) => status.phase === "Running")
      .map(({ metadata }) => metadata.name);
    const run = await tier.start(specOf(python, "import socket; print(socket.gethostname())", wish));
    expect((await collect(run)).out).toBe(`${waiting}\n`);
    const other = await runIn(tier, python, "import socket; print(socket.gethostname())", { ...wish, tenant: "another" });
    expect(other.out).not.toBe(`${waiting}\n`);
    tier.dismiss("tenant");
    tier.dismiss("another");
    await untilEmpty(pods);
  });

  it("and have died are not given to anybody", async () => {
    await using pods = await createPods({ warmPods: 1 });
    const { cluster, tier } = pods;
    await runIn(tier, python, "1");
    for (let tries = 0; tries < 200 && tier.pools()[0]?.jails[0]?.ready !== 1; tries += 1) await sleep(50);
    const [waiting] = cluster.pods().filter(({ status }) => status.phase === "Running");
    if (waiting === undefined) throw new Error("there is none");
    cluster.kubelet.kill(waiting, "Error");
    for (let tries = 0; tries < 200 && cluster.pods().includes(waiting); tries += 1) await sleep(50);
    expect((await runIn(tier, python, "print(1)")).out).toBe("1\n");
  });
});

describe("a server that starts", () => {
  it("removes what one of its name has left, and nothing of others", async () => {
    await using pods = await createPods();
    const { cluster } = pods;
    const options = optionsFor(cluster, await freePort());
    const lost = new KubernetesTier({ ...options, server: "test" });
    const other = new KubernetesTier({ ...optionsFor(cluster, await freePort()), server: "other" });
    const hold = "import time; print('here', flush=True); time.sleep(1000)";
    const gone = await startBeside(lost, python, hold, { limits: { wallMs: 100_000 } });
    const job = await startBeside(lost, python, hold, { limits: { wallMs: 8_000_000 } });
    const stays = await startBeside(other, python, hold, { limits: { wallMs: 100_000 } });
    await Promise.all([gone, job, stays].map((run) => run.printed("here")));
    expect(cluster.pods()).toHaveLength(3);
    const ends = Promise.allSettled([gone.result, job.result]);
    expect((await runIn(pods.tier, python, "print(1)")).out).toBe("1\n");
    await ends;
    for (let tries = 0; tries < 100 && cluster.pods().length > 1; tries += 1) await sleep(50);
    expect(cluster.pods()).toHaveLength(1);
    stays.run.cancel(0);
    expect([9, 15]).toContain((await stays.result).exit.signal); // whichever of both comes first
    await Promise.all([lost.stop(), other.stop()]);
    await untilEmpty(pods);
  });
});

describe("the report", () => {
  it("comes of a pod that was tried, and says what is wrong", async () => {
    await using pods = await createPods({ pods: { runtimeClass: "gvisor", pullSecrets: [], nodeSelector: {}, userNamespaces: false } });
    expect(await pods.tier.report()).toMatchObject({
      available: true,
      reason: null,
      walls: ["container (gvisor)", "pod security", "network policy", "seccomp"],
    });
    const requests = pods.cluster.requests.length;
    await pods.tier.report();
    expect(pods.cluster.requests.slice(requests).filter((request) => request.startsWith("POST"))).toEqual([]);
    await untilEmpty(pods);
    await using broken = await createPods();
    broken.cluster.kubelet.missingImages.add("registry.example.org/syla/python:3.11");
    const report = await broken.tier.report();
    expect(report).toMatchObject({ available: false, walls: [] });
    expect(report.reason).toContain("ImagePullBackOff");
  });
});
