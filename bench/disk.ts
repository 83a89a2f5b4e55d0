import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NamespaceTier } from "@syla/sandbox/namespace-tier";
import type { RuntimeSpec, SandboxLimits } from "@syla/sandbox/spec";

/**
 * How far beyond its disk limit a program at full speed gets before it is ended: `node bench/disk.ts`. The programs say how much they have written, and what
 * they said last counts. `--beside N`: with so many others at rest beside them.
 */

const mebibyte = 1024 ** 2;
const rounds = 5;
const beside = Number(process.argv[process.argv.indexOf("--beside") + 1] || 0);

const python: RuntimeSpec = {
  name: "python",
  pooling: "fork",
  binary: "/usr/bin/python3",
  command: ["{binary}", "{entrypoint}"],
  preimport: [],
  env: {},
  bootVariables: [],
  reservesMemory: false,
  mounts: [],
};

const say = "import os\ntotal = 0\ndef wrote(count):\n    global total\n    total += count\n    os.write(1, b'%d\\n' % total)\n";
const programs: Readonly<Record<string, string>> = {
  "eight files in turn, a mebibyte at a time": `${say}
files = [os.open(f"f{n}", os.O_CREAT | os.O_WRONLY) for n in range(8)]
block = os.urandom(1 << 20)
while True:
    for file in files: wrote(os.write(file, block))`,
  "files of 4 KiB": `${say}
block = os.urandom(4096)
for n in range(10**7):
    if n % 1000 == 0: os.mkdir(f"d{n // 1000}")
    file = os.open(f"d{n // 1000}/{n}", os.O_CREAT | os.O_WRONLY)
    os.write(file, block); os.close(file)
    if n % 256 == 255: wrote(256 * 4096)`,
  "files that are deleted and still open": `${say}
block = os.urandom(1 << 20)
while True:
    file = os.open("f", os.O_CREAT | os.O_WRONLY); os.unlink("f")
    for _ in range(8): wrote(os.write(file, block))`,
};

function limits(diskBytes: number): SandboxLimits {
  return { wallMs: 60_000, cpus: 2, memoryBytes: 1024 * mebibyte, processes: 50, openFiles: 4096, diskBytes, outputBytes: 200 * mebibyte };
}

const folder = mkdtempSync(join(import.meta.dirname, "../.build/bench-"));
const tier = new NamespaceTier({
  folder: join(folder, "sandboxes"),
  programs: { bwrap: "/usr/bin/bwrap", python: "/usr/bin/python3" },
  slotsPerJail: beside + 4,
});

const start = (code: string, diskBytes: number) =>
  tier.start({
    tenant: "bench",
    runtime: python,
    entrypoint: "main.py",
    args: [],
    env: {},
    stdin: null,
    files: [{ path: "main.py", mode: 0o644, content: Buffer.from(code) }],
    limits: limits(diskBytes),
    artifacts: { maxBytes: 0, maxFiles: 0 },
  });

/** Bytes written when it was ended, and how fast it wrote, bytes per second. */
async function overrun(code: string, diskBytes: number): Promise<{ written: number; perSecond: number }> {
  const run = await start(code, diskBytes);
  let text = "";
  for await (const event of run.events) {
    if (event.type === "output") text = (text + event.data.toString()).slice(-100);
    if (event.type !== "exit") continue;
    if (event.reason !== "disk") throw new Error(`it ended otherwise: ${JSON.stringify(event)} ${text}`);
    const written = Number(text.trimEnd().split("\n").at(-1));
    return { written, perSecond: (written * 1000) / event.runMs };
  }
  throw new Error("it did not end");
}

try {
  const others = await Promise.all(Array.from({ length: beside }, () => start("import time; time.sleep(3600)", 64 * mebibyte)));
  for (const { events } of others) void Array.fromAsync(events).catch(() => {});
  console.log(`${beside} others at rest\n\n| what is written | limit | beyond it, median | most | speed |\n|---|---:|---:|---:|---:|`);
  for (const [name, code] of Object.entries(programs))
    for (const limit of [16, 256]) {
      const results = [];
      for (let round = 0; round < rounds; round += 1) results.push(await overrun(code, limit * mebibyte));
      const beyond = results.map(({ written }) => (written - limit * mebibyte) / mebibyte).toSorted((a, b) => a - b);
      const speed = Math.max(...results.map(({ perSecond }) => perSecond)) / mebibyte;
      const [median = 0, most = 0] = [beyond[rounds >> 1], beyond.at(-1)];
      console.log(`| ${name} | ${limit} MiB | ${median.toFixed(0)} MiB | ${most.toFixed(0)} MiB | ${speed.toFixed(0)} MiB/s |`);
    }
} finally {
  await tier.stop();
  rmSync(folder, { recursive: true, force: true });
}
