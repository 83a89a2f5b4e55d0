import { chmodSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync, mkdtempSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import type { TLSSocket } from "node:tls";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EffectiveLimits } from "../../src/spec.ts";
import {
  bash,
  createTier,
  python,
  runIn,
  specOf,
  collect,
  startBeside,
  type Companion,
  type Result,
  type TestTier,
} from "../sandbox-driver.ts";
import { end, prelude, type Attack, type World } from "./attack.ts";
import { printAttacks } from "./attack-table.ts";
import { createHostileNames, outsideAddress, outsideName } from "../network/hostile-names.ts";
import { listenRaw, listenTls, type Outside } from "../network/outside.ts";
import { egressAttacks, policyOf } from "./egress-attacks.ts";
import { fileAttacks } from "./file-attacks.ts";
import { descendants, holdings, isAlive, sharedMemoryCreators } from "@syla/testkit/host-state";
import { kernelAttacks } from "./kernel-attacks.ts";
import { networkAttacks } from "./network-attacks.ts";
import { overlayAttacks } from "./overlay-attacks.ts";
import { plantTrees, type PlantedTrees } from "./planted-trees.ts";
import { processAttacks } from "./process-attacks.ts";
import { resourceAttacks } from "./resource-attacks.ts";

/**
 * The escape suite: each case is a hostile program, and asserts that it failed, that no planted secret came out, and that the host and the
 * neighbour, a run of another tenant that goes on all the while, are untouched. Runs as root and as an ordinary user.
 */

const secret = `secret-${"x".repeat(8)}-${process.pid}`;
const neighbourCode = String.raw`
import os, socket, sys, threading, time
secret = os.environ["SECRET"]
open("/tmp/neighbour.txt", "w").write(secret)
open("/dev/shm/neighbour.txt", "w").write(secret)
open("mine.txt", "w").write(secret)
connections = []
def serve(sock):
    sock.listen()
    while True:
        connections.append(sock.accept())
for family, address in ((socket.AF_UNIX, "\0neighbour"), (socket.AF_UNIX, "/tmp/neighbour.sock"), (socket.AF_INET, ("127.0.0.1", 8000))):
    sock = socket.socket(family)
    sock.bind(address)
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
print("neighbour is there", flush=True)
sys.stdin.read()
while not os.path.exists("/output/stop"):
    time.sleep(0.1)
    if time.time() > float(os.environ["UNTIL"]):
        break
assert open("/tmp/neighbour.txt").read() == open("/dev/shm/neighbour.txt").read() == open("mine.txt").read() == secret
assert sorted(os.listdir(".")) == ["main.py", "mine.txt"], os.listdir(".")
print("connections:", len(connections))
`;

let stage: TestTier;
let world: World;
let neighbour: Companion;
let host: Server[];
let home: string;
let trees: PlantedTrees;
let hostConnections = 0;
let outside: Outside;
let outsideTls: Outside | null;
const outsideNames: string[] = [];
const nameServer = createHostileNames();

printAttacks();
beforeAll(async () => {
  outside = await listenTls(
    [outsideName],
    (socket) => {
      outsideNames.push(String((socket as TLSSocket).servername));
      socket.once("data", () => socket.end("outside"));
    },
    outsideAddress,
  );
  const answer = (socket: Socket) => void socket.once("data", () => socket.end("outside"));
  outsideTls = await listenRaw(answer, outsideAddress, 443).catch(() => null);
  home = mkdtempSync(join(tmpdir(), "syla-planted-"));
  trees = plantTrees(home, secret);
  stage = createTier({
    trees: trees.folder,
    network: {
      allowPrivate: [`${outsideAddress}:${outside.port}`, `${outsideAddress}:443`],
      resolve: nameServer.resolve,
      times: { connectMs: 1000, helloMs: 1000 },
    },
  });
  const folder = join(home, "folder");
  mkdirSync(join(folder, "locked"), { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, "keep.txt"), secret);
  process.env["SYLA_PLANTED"] = secret;
  host = [createServer(), createServer(), createServer()];
  for (const server of host) server.on("connection", (socket) => socket.end(secret, () => (hostConnections += 1)));
  const listen = (server: Server | undefined, address: number | string) =>
    new Promise<void>((resolve) =>
      typeof address === "number" ? server?.listen(address, "127.0.0.1", resolve) : server?.listen(address, resolve),
    );
  await listen(host[0], 0);
  await listen(host[1], `\0syla-planted-${process.pid}`);
  await listen(host[2], join(home, "host.sock"));
  neighbour = await startBeside(stage.tier, python, neighbourCode, {
    tenant: "neighbour",
    env: { SECRET: secret, UNTIL: String(Date.now() / 1000 + 900) },
    limits: { wallMs: 920_000 },
  });
  await neighbour.printed("neighbour is there");
  const address = host[0]?.address();
  world = {
    secret,
    planted: [
      join(folder, "keep.txt"),
      stage.folder,
      join(stage.folder, "jail-0/agent.sock"),
      join(stage.folder, "jail-0/slot-0/workspace/mine.txt"),
    ],
    folder,
    port: typeof address === "object" && address !== null ? address.port : 0,
    abstractName: `syla-planted-${process.pid}`,
    limits: neighbour.run.limits,
    outsidePort: outside.port,
    tlsPort: outsideTls !== null,
    ownAddresses: Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address)),
    expectOnlyAskedFor,
    expectLookUps,
  };
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await outsideTls?.[Symbol.asyncDispose]();
  await outside?.[Symbol.asyncDispose]();
  for (const server of host ?? []) server.close();
  chmodSync(trees.folder, 0o700);
  rmSync(home, { recursive: true, force: true });
});

/** What the program is told: where to look, never the secret itself. */
function worldForProgram(): string {
  const { planted, folder, port, abstractName, outsidePort, tlsPort, ownAddresses } = world;
  return JSON.stringify({ planted, folder, port, abstractName, outsidePort, tlsPort, ownAddresses, secretWord: "secret-" + "x".repeat(8) });
}

async function perform(attack: Attack): Promise<Result> {
  const language = attack.language ?? "python";
  const code = language === "python" ? `${prelude}\n${attack.code}\nprint("${end}", flush=True)\n` : attack.code;
  return runIn(stage.tier, language === "python" ? python : bash, code, {
    tenant: "attacker",
    env: { WORLD: worldForProgram() },
    ...(attack.overlaid === true ? { tree: trees.tree } : {}),
    ...(attack.limits === undefined ? {} : { limits: attack.limits }),
    ...(attack.network === undefined ? {} : { network: policyOf(attack.network, world.outsidePort) }),
  });
}

function assertFailed(attack: Attack, result: Result): void {
  const said = result.out + result.err;
  expect(said.match(/ESCAPED.*/g) ?? []).toEqual([]);
  for (const content of [said, ...[...result.artifacts.values()].map(String)]) expect(content).not.toContain(secret);
  const { exitCode, signal } = result.exit;
  const outcome = { exitCode, signal, ended: result.out.includes(end), err: result.err.slice(-2000) };
  expect(outcome).toMatchObject(attack.stopped === true ? {} : { exitCode: 0, signal: null, ended: true });
}

function expectOnlyAskedFor(name: string): void {
  expect(new Set(outsideNames.map((asked) => asked.toLowerCase()))).toEqual(new Set([name]));
}

function expectLookUps(name: string, most: number): void {
  expect(nameServer.lookUps(name)).toBeLessThanOrEqual(most);
}

const attacks = [...fileAttacks, ...processAttacks, ...kernelAttacks, ...networkAttacks, ...egressAttacks, ...resourceAttacks];

describe("a hostile program cannot", () => {
  for (const attack of attacks) {
    test(`${attack.name} (${attack.language ?? "python"})`, async () => {
      const result = await perform(attack);
      assertFailed(attack, result);
      await attack.expect?.(result, world);
      expect(hostConnections).toBe(0);
    });
  }
});

describe("where its workspace is an overlay of trees that others have, a hostile program cannot", () => {
  test("do without one: the machine shows trees", async () => {
    expect((await stage.tier.report()).files).toEqual({ by: "overlay", reason: null });
  });

  for (const attack of [...overlayAttacks, ...resourceAttacks.filter(({ name }) => /disk/.test(name))]) {
    test(`${attack.name} (${attack.language ?? "python"})`, async () => {
      const before = trees.look();
      const result = await perform({ ...attack, overlaid: true });
      assertFailed(attack, result);
      await attack.expect?.(result, world);
      expect(trees.look()).toBe(before);
    });
  }
});

describe("two runs at once", () => {
  const talk = (mine: number) => String.raw`
import os, socket, time, sys
mine = ${mine}
server = socket.socket(socket.AF_UNIX); server.bind("\0shared-name"); server.listen()
tcp = socket.socket(); tcp.bind(("127.0.0.1", 9000)); tcp.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 9001))
import ctypes
key = ctypes.CDLL(None).shmget(4242, ctypes.c_size_t(4096), 0o3600)
open("/tmp/shared", "w").write("mine %d" % mine)
open("/dev/shm/shared", "w").write("mine %d" % mine)
print("bound", flush=True)
deadline = time.time() + 1.5
while time.time() < deadline:
    time.sleep(0.1)
assert open("/tmp/shared").read() == open("/dev/shm/shared").read() == "mine %d" % mine
server.settimeout(0.1); tcp.settimeout(0.1); udp.settimeout(0.1)
for sock in (server, tcp):
    try:
        sock.accept(); print("ESCAPED: somebody connected")
    except TimeoutError:
        pass
print([name for name in os.listdir("/proc") if name.isdigit()] == ["1", str(os.getpid())])
`;
  for (const tenants of [
    ["attacker", "attacker"],
    ["attacker", "other"],
  ] as const) {
    const name = `share names and ports: ${tenants.join(" and ")}`;
    test(`they ${name}`, async () => {
      const runs = await Promise.all(tenants.map((tenant, index) => startBeside(stage.tier, python, talk(index), { tenant })));
      for (const run of runs) await run.printed("bound");
      for (const result of await Promise.all(runs.map((run) => run.result)))
        expect(result).toMatchObject({ out: "bound\nTrue\n", err: "" });
    });
  }

  test("one tenant with all its slots in use does not keep another from starting", async () => {
    const sleeper = () => startBeside(stage.tier, python, "import time\nprint('busy', flush=True)\ntime.sleep(30)", { tenant: "greedy" });
    const busy = await Promise.all([sleeper(), sleeper(), sleeper(), sleeper()]);
    for (const run of busy) await run.printed("busy");
    const waiting = sleeper();
    const other = await runIn(stage.tier, python, "print('in')", { tenant: "modest" });
    expect(other.out).toBe("in\n");
    for (const run of busy) run.run.cancel(0);
    const late = await waiting;
    late.run.cancel(0);
    await Promise.all([...busy, late].map((run) => run.result));
  });
});

describe("nothing of a run is left for the next one in its slot", () => {
  const planting = String.raw`
import ctypes, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
for folder in ("/tmp", "/dev/shm", "/workspace", "/output", "/etc", "/opt", "/dev", "/"):
    try: open(folder + "/planted", "w").write("x")
    except OSError: pass
libc.shmget(777, ctypes.c_size_t(4096), 0o3600); libc.semget(777, 1, 0o3600); libc.msgget(777, 0o3600)
ctypes.CDLL("librt.so.1").mq_open(b"/planted", os.O_CREAT | os.O_RDWR, 0o600, None)
os.environ["PLANTED"] = "yes"; os.umask(0o777)
for folder in ("/workspace", "/output"):
    os.chmod(folder, 0o7777)
    for name, value in (("user.planted", b"x"), ("system.posix_acl_default", b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x04\0\0\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff")):
        try: os.setxattr(folder, name, value)
        except OSError: pass
secret = [("Z" * 64 + "Q" * 64) + str(number) for number in range(2000)]
if os.fork() == 0:
    os.setsid(); sock = socket.socket(socket.AF_UNIX); sock.bind("\0planted"); sock.listen(); time.sleep(60)
server = socket.socket(); server.bind(("127.0.0.1", 8123)); server.listen()
client = socket.create_connection(("127.0.0.1", 8123)); accepted, _ = server.accept(); accepted.close(); client.recv(1); client.close()
print("planted")
`;
  const searching = String.raw`
import ctypes, errno, os, re, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
found = []
for folder in ("/tmp", "/dev/shm", "/workspace", "/output"):
    found += [folder + "/" + name for name in os.listdir(folder) if name != "main.py"]
found += [path for path in ("/etc/planted", "/opt/planted", "/dev/planted", "/planted") if os.path.exists(path)]
if libc.shmget(777, ctypes.c_size_t(4096), 0o600) >= 0: found.append("shared memory")
if libc.semget(777, 1, 0o600) >= 0: found.append("semaphore")
if libc.msgget(777, 0o600) >= 0: found.append("message queue")
if ctypes.CDLL("librt.so.1").mq_open(b"/planted", os.O_RDWR) >= 0: found.append("posix queue")
for folder in ("/workspace", "/output"):
    if os.listxattr(folder) or os.stat(folder).st_mode & 0o7777 != 0o755: found.append("marks on " + folder)
if "PLANTED" in os.environ: found.append("environment")
if os.umask(0o022) != 0o022: found.append("umask")
if "@" in open("/proc/net/unix").read(): found.append("unix sockets")
socket.socket().bind(("127.0.0.1", 8123))
if [name for name in os.listdir("/proc") if name.isdigit()] != ["1", str(os.getpid())]: found.append("processes")
pattern, scanned = re.compile(b"Z{64}Q{64}"), 0
for line in open("/proc/self/maps"):
    first, last = (int(word, 16) for word in line.split()[0].split("-"))
    if "r" not in line.split()[1] or "[v" in line: continue
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(first)
        try: block = memory.read(last - first)
        except OSError: continue
    scanned += len(block)
    if pattern.search(block): found.append("memory " + line.strip())
    del block
print(found, scanned > 1 << 20)
`;
  test("files, memory, IPC, sockets, environment", async () => {
    await using single = createTier({ slotsPerJail: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect((await runIn(single.tier, python, planting)).out).toBe("planted\n");
      expect(await runIn(single.tier, python, searching)).toMatchObject({ out: "[] True\n", err: "" });
    }
  });

  const litter: readonly (readonly [name: string, code: string])[] = [
    [
      "10,000 nested folders",
      "import os\nfor base in ('/workspace', '/output'):\n    os.chdir(base)\n    for _ in range(10_000):\n        os.mkdir('d'); os.chdir('d')",
    ],
    [
      "odd names",
      String.raw`
import os
for base in (b"/workspace", b"/output"):
    for name in (b"new\nline", b"n" * 255, b"\xff\xfe", b"-rf", b" ", b"\x1b[31m", "ü".encode() * 100, b"..."):
        open(base + b"/" + name, "w").close(); os.mkdir(base + b"/folder " + name[:200]); open(base + b"/folder " + name[:200] + b"/" + name, "w").close()`,
    ],
    [
      "folders without rights",
      String.raw`
import os
for base in ("/workspace", "/output"):
    os.makedirs(base + "/a/b/c"); open(base + "/a/b/c/file", "w").close(); os.chmod(base + "/a/b/c/file", 0)
    for path in ("/a/b/c", "/a/b", "/a", ""): os.chmod(base + path, 0)`,
    ],
    [
      "many files",
      "import os\nfor n in range(3000):\n    os.makedirs(f'/workspace/{n % 50}', exist_ok=True); open(f'/workspace/{n % 50}/{n}', 'w').close()",
    ],
  ];
  for (const [name, code] of litter) {
    test(`not ${name}`, async () => {
      await using single = createTier({ slotsPerJail: 1 });
      for (let round = 0; round < 2; round += 1) {
        await runIn(single.tier, python, code);
        const next = await runIn(single.tier, python, "import os\nprint(os.listdir('/workspace'), os.listdir('/output'))");
        expect(next.out).toBe("['main.py'] []\n");
      }
      // Once more while the jail ends: then the host itself has to clean up.
      const last = await single.tier.start(specOf(python, `${code}\nimport time\nprint('made', flush=True)\ntime.sleep(60)`));
      const ended = collect(last, (text) => text.includes("made") && void single.tier.stop());
      await ended.catch(() => {});
      await single.tier.stop();
      expect(() => statSync(single.folder)).toThrow(/ENOENT/);
    });
  }
});

test("nothing is left on the host", async () => {
  const alive = await runIn(stage.tier, bash, "cat /proc/self/status | head -1", { tenant: "attacker" });
  expect(alive.exit.exitCode).toBe(0);
  const [mine = ""] = globSync(join(stage.folder, "jail-*/slot-*/workspace/mine.txt"));
  expect(readFileSync(mine, "utf8")).toBe(secret);
  writeFileSync(join(mine, "../../output/stop"), "");
  const result = await neighbour.result;
  expect(result).toMatchObject({ err: "", out: "neighbour is there\nconnections: 0\n" });
  const processes = [...descendants(process.pid)];
  expect(processes.length).toBeGreaterThan(4);
  await stage.tier.stop();
  expect(processes.filter((pid) => isAlive(pid))).toEqual([]);
  expect(() => statSync(stage.folder)).toThrow(/ENOENT/);
  expect(sharedMemoryCreators().filter((pid) => processes.includes(pid))).toEqual([]);
  expect(holdings(stage.folder)).toEqual({ mounts: [], groups: [] });
  expect(hostConnections).toBe(0);
});

/** Reported limits are those that the cases above were judged by. */
test("the tier says what enforces each limit", () => {
  const names: (keyof EffectiveLimits)[] = ["wallMs", "cpus", "memoryBytes", "processes", "openFiles", "diskBytes", "outputBytes"];
  for (const name of names) expect(["cgroup", "rlimit", "supervisor", "affinity"]).toContain(world.limits[name].enforcedBy);
});
