import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readGuestImage, type GuestImage } from "@syla/sandbox/microvm/guest-image";
import { MicrovmTier, type MicrovmTierOptions } from "@syla/sandbox/microvm/microvm-tier";
import { NamespaceTier } from "@syla/sandbox/namespace-tier";
import type { RuntimeSpec, SandboxSpec, Tier } from "@syla/sandbox/spec";
import { findTestGuest, machinePrograms } from "@syla/testkit/guest";
import { percentile } from "./load.ts";
import { describeMachine, markdownTable, report } from "./results.ts";

/**
 * From the wish to the first line of a Python program, in a virtual machine that boots, in one that goes on from a state that was kept, and in one that was
 * waiting; each against a warm run of the namespace tier, measured right before it.
 *
 *     node bench/microvm.ts [--rounds N] [--image FOLDER] [--accelerator kvm|tcg] [--monitor firecracker|qemu] [--write]
 *
 * `--image`: a guest image in place of the small one of the tests, as `./syla runtimes install guest` prints it.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    image: { type: "string" },
    accelerator: { type: "string" },
    monitor: { type: "string" },
    write: { type: "boolean" },
  },
});
const rounds = Number(values.rounds);
const mebibyte = 1024 ** 2;
const restMs = 500;

const python: RuntimeSpec = {
  name: "python",
  pooling: "fork",
  binary: "/usr/bin/python3",
  command: ["{binary}", "{entrypoint}"],
  preimport: ["json", "re", "random", "math", "datetime"],
  env: {},
  bootVariables: ["PYTHON", "LANG", "LC_"],
  reservesMemory: false,
  mounts: [],
};

const spec: SandboxSpec = {
  tenant: "bench",
  runtime: python,
  entrypoint: "main.py",
  args: [],
  env: {},
  stdin: null,
  files: [{ path: "main.py", mode: 0o644, content: Buffer.from("print('hello')") }],
  limits: {
    wallMs: 60_000,
    cpus: 1,
    memoryBytes: 256 * mebibyte,
    processes: 50,
    openFiles: 256,
    diskBytes: 64 * mebibyte,
    outputBytes: mebibyte,
  },
  artifacts: { maxBytes: 0, maxFiles: 0 },
};

/** Milliseconds until its first line; the run has ended when that is known. */
async function measure(tier: Tier): Promise<number> {
  const began = performance.now();
  const run = await tier.start(spec);
  let ms: number | null = null;
  for await (const event of run.events) if (event.type === "output") ms ??= performance.now() - began;
  if (ms === null) throw new Error(`a run in the tier ${tier.name} said nothing`);
  return ms;
}

function requireImage(): GuestImage {
  const image =
    values.image === undefined ? findTestGuest() : { image: readGuestImage(values.image), reason: `no guest image in ${values.image}` };
  if (image.image === null) throw new Error(image.reason);
  return image.image;
}

const folder = mkdtempSync(join(tmpdir(), "syla-bench-"));
const programs = { ...machinePrograms, python: "/usr/bin/python3" };
const image = requireImage();
const namespace = new NamespaceTier({ folder: join(folder, "jails"), programs, slotsPerJail: 2 });

let made = 0;
function createMachines(options: Partial<MicrovmTierOptions> = {}): MicrovmTier {
  const own: Partial<MicrovmTierOptions> = {
    ...(values.accelerator === "kvm" || values.accelerator === "tcg" ? { accelerator: values.accelerator } : {}),
    ...(values.monitor === "firecracker" || values.monitor === "qemu" ? { monitor: values.monitor } : {}),
  };
  const monitors = { qemu: machinePrograms.qemu, firecracker: "/usr/local/bin/firecracker" };
  const known = values.monitor === "firecracker" ? monitors : { qemu: monitors.qemu };
  return new MicrovmTier({ folder: join(folder, `machines-${made++}`), image, programs: { ...programs, ...known }, ...own, ...options });
}

interface Row {
  readonly what: string;
  readonly machine: number[];
  readonly jail: number[];
}

async function sample(row: Row, tier: Tier): Promise<void> {
  await sleep(restMs);
  row.jail.push(await measure(namespace));
  row.machine.push(await measure(tier));
}

const cold: Row = { what: "boots: the first of its kind", machine: [], jail: [] };
const restored: Row = { what: "goes on from a state that was kept", machine: [], jail: [] };
const waiting: Row = { what: "was waiting", machine: [], jail: [] };
let wall = "";
try {
  await measure(namespace);
  for (let round = 0; round < rounds; round += 1) {
    const tier = createMachines();
    wall = (await tier.report()).walls[0] ?? "nothing";
    await sample(cold, tier);
    await sample(restored, tier);
    await tier.stop();
  }
  const tier = createMachines({ mostWarm: 1 });
  await measure(tier);
  for (let round = 0; round < rounds; round += 1) {
    while ((tier.pools()[0]?.spares ?? 0) === 0) await sleep(20);
    await sample(waiting, tier);
  }
  await tier.stop();
} finally {
  await namespace.stop();
  rmSync(folder, { recursive: true, force: true });
}

const table = [cold, restored, waiting].map(({ what, machine, jail }) => {
  const [ours, reference] = [percentile(machine, 0.5), percentile(jail, 0.5)];
  return [what, `${ours.toFixed(0)} ms`, `${reference.toFixed(1)} ms`, `${(ours / reference).toFixed(0)}×`];
});
report(
  `starts of virtual machines (${wall})`,
  `\`node bench/microvm.ts --rounds ${rounds}\`, guests run Linux ${image.kernel}, ${describeMachine()}. From the wish to the first line of a Python program; medians.\n\n${markdownTable(
    ["the machine", "in a machine", "in a jail, before it", "ratio"],
    table,
  )}`,
);
