import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { NamespaceTier } from "../../src/namespace-tier.ts";
import { SandboxError, type RuntimeSpec } from "../../src/spec.ts";
import { bash, collect, mebibyte, node, python, specOf, type Wish } from "../sandbox-driver.ts";
import { openSession, shell, valueOf } from "../session-driver.ts";

/** A kind of run that could leave something behind, and how it has to end. */
interface RunKind {
  readonly name: string;
  readonly weight: number;
  readonly runtime: RuntimeSpec;
  readonly code: string;
  readonly wish?: Wish;
  /** Always the same tenant's: jails of its own for each one would be too many. */
  readonly tenant?: string;
  /** Cancelled after a random moment. */
  readonly cancelled?: true;
  readonly ends: "exit 0" | "exit 3" | "timeout" | "cancelled" | "memory" | "disk";
}

/** A long-lived sandbox; `live` throws when it does not do what it should. */
interface SessionKind {
  readonly name: string;
  readonly weight: number;
  readonly live: (tier: NamespaceTier, tenant: string) => Promise<void>;
}

type Kind = RunKind | SessionKind;

const tenants = ["tenant-0", "tenant-1", "tenant-2", "tenant-3"];

const surviving = `
import os, socket, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            s = socket.socket(socket.AF_UNIX); s.bind("\\0left-behind-%d" % os.getpid()); s.listen()
            t = socket.socket(); t.bind(("127.0.0.1", 0)); t.listen()
            time.sleep(600)
        os._exit(0)
    os.wait()
print("started")
`;
const littering = `
import os, tempfile
for number in range(40):
    open(f"/workspace/file-{number}", "w").write("x" * 5000)
    open(f"/tmp/file-{number}", "w").write("x" * 5000)
os.makedirs("/workspace/" + "/".join(["deep"] * 60))
os.chmod("/workspace/deep", 0)
os.mkfifo("/workspace/fifo")
os.symlink("/etc/passwd", "/workspace/link")
open("/output/kept.txt", "w").write("kept")
`;

const asking = `
import urllib.request, urllib.error
try:
    urllib.request.urlopen("http://10.0.0.1/", timeout=10)
except urllib.error.HTTPError as error:
    assert error.code == 403, error
`;
const compiling = "printf 'int main(){return 0;}' > main.c && cc -o main main.c && ./main";

const kinds: readonly Kind[] = [
  { name: "prints", weight: 60, runtime: python, code: "print('hello')", ends: "exit 0" },
  { name: "fails", weight: 6, runtime: python, code: "import sys; sys.exit(3)", ends: "exit 3" },
  { name: "in the shell", weight: 6, runtime: bash, code: "for i in 1 2 3; do (sleep 30 &) ; done; echo done", ends: "exit 0" },
  { name: "leaves processes and sockets", weight: 6, runtime: python, code: surviving, ends: "exit 0" },
  { name: "leaves files, folders without rights, links", weight: 6, runtime: python, code: littering, ends: "exit 0" },
  { name: "overruns", weight: 4, runtime: python, code: "while True: pass", wish: { limits: { wallMs: 60 } }, ends: "timeout" },
  {
    name: "is cancelled",
    weight: 8,
    runtime: python,
    code: "import subprocess, time\nsubprocess.Popen(['sleep', '600'])\nprint('x' * 5000, flush=True)\ntime.sleep(600)",
    cancelled: true,
    ends: "cancelled",
  },
  {
    name: "fills its memory",
    weight: 2,
    runtime: python,
    code: "import time\nkept = []\nfor _ in range(200): kept.append(b'x' * (1 << 20)); time.sleep(0.002)\ntime.sleep(5)",
    wish: { limits: { memoryBytes: 96 * mebibyte } },
    ends: "memory",
  },
  {
    name: "fills its disk",
    weight: 2,
    runtime: python,
    code: "import time\nfor n in range(64): open(f'/workspace/f{n}', 'wb').write(b'x' * (1 << 20))\ntime.sleep(5)",
    wish: { limits: { diskBytes: 8 * mebibyte } },
    ends: "disk",
  },
  { name: "is of an interpreter booted ahead", weight: 4, runtime: node, code: "console.log('hello')", tenant: "tenant-0", ends: "exit 0" },
  {
    name: "reaches for the network",
    weight: 4,
    runtime: python,
    code: asking,
    wish: { network: { allow: ["10.0.0.1:80"] } },
    tenant: "tenant-0",
    ends: "exit 0",
  },
  ...(existsSync("/usr/bin/cc")
    ? [{ name: "is compiled", weight: 2, runtime: bash, code: compiling, wish: { limits: { processes: 50 } }, ends: "exit 0" as const }]
    : []),
  { name: "is a session", weight: 2, live: liveSession },
];

/** A process that goes on, a context with a value, a file, a connection to a port: and then its end. */
async function liveSession(tier: NamespaceTier, tenant: string): Promise<void> {
  await using session = await openSession(tier, { tenant });
  const server = "setsid python3 -m http.server -b 127.0.0.1 7000 > /tmp/log 2>&1 & until grep -q Serving /tmp/log; do sleep 0.02; done";
  await shell(session, server.replace("python3", "python3 -u"));
  await session.files.write("kept.txt", [Buffer.from("kept")]);
  const value = await valueOf(await session.openContext("python"), "6 * 7");
  const socket = await session.connect(7000);
  socket.destroy();
  if (value !== "42") throw new Error(`a session told ${String(value)}`);
}

/** Has every tenant use as many slots as it can have, in each runtime. */
export async function fillSlots(tier: NamespaceTier, slotsPerJail: number): Promise<void> {
  const sleeping = { python: "import time; time.sleep(0.3)", bash: "sleep 0.3", node: "setTimeout(() => {}, 300)" };
  const starts: { runtime: RuntimeSpec; code: string; wish: Wish }[] = [
    ...tenants.flatMap((tenant) =>
      [python, bash].map((runtime) => ({ runtime, code: sleeping[runtime.name as "python"], wish: { tenant } })),
    ),
    { runtime: node, code: sleeping.node, wish: { tenant: "tenant-0" } },
    { runtime: python, code: sleeping.python, wish: { tenant: "tenant-0", network: { allow: ["10.0.0.1:80"] } } },
  ];
  for (let round = 0; round < 3; round += 1)
    for (const { runtime, code, wish } of starts) {
      const runs = Array.from({ length: slotsPerJail }, async () => collect(await tier.start(specOf(runtime, code, wish))));
      await Promise.all(runs);
    }
}

/** `count` runs of every kind in a random order, `clients` at once, for four tenants. Answers how many of each kind there were. Throws when one ends wrongly. */
export async function performRuns(tier: NamespaceTier, count: number, clients: number, random: () => number): Promise<Map<string, number>> {
  const done = new Map<string, number>();
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const kind = pick(random);
      await perform(tier, kind, tenants[Math.floor(random() * tenants.length)] ?? "", random() * 60);
      done.set(kind.name, (done.get(kind.name) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return done;
}

async function perform(tier: NamespaceTier, kind: Kind, tenant: string, cancelAfterMs: number): Promise<void> {
  if ("live" in kind) return await kind.live(tier, tenant);
  const run = await tier.start(specOf(kind.runtime, kind.code, { tenant: kind.tenant ?? tenant, ...kind.wish }));
  if (kind.cancelled) void sleep(cancelAfterMs).then(() => run.cancel(0));
  const { exit, err } = await collect(run).catch((error: unknown) => {
    throw new Error(`a run that ${kind.name}: ${error instanceof SandboxError ? error.code : ""} ${String(error)}`, { cause: error });
  });
  const killed = exit.outOfMemory || exit.reason === "memory" || err.endsWith("MemoryError\n"); // the last where only an rlimit holds it
  const terminated = kind.cancelled && exit.signal === 15;
  const ended = killed ? "memory" : terminated ? "cancelled" : (exit.reason ?? `exit ${exit.exitCode}`);
  if (ended !== kind.ends) throw new Error(`a run that ${kind.name} ended with ${ended} instead of ${kind.ends}: ${err}`);
}

function pick(random: () => number): Kind {
  let left = random() * kinds.reduce((sum, kind) => sum + kind.weight, 0);
  return kinds.find((kind) => (left -= kind.weight) < 0) ?? (kinds[0] as Kind);
}
