import { imageFiles } from "./guest-image.ts";
import { Qmp } from "./qmp.ts";
import { scratchName, takeSnapshot } from "./snapshot.ts";
import { inside, kernelWords, type GuestSpec, type Monitor, type MonitorPlace, type Vmm } from "./vmm.ts";

/** QEMU: its command line, and what it is asked for. */

/** What runs a guest's instructions: the processor, or a program. */
export type Accelerator = "kvm" | "tcg";

const mebibyte = 1 << 20;
/** Of translated instructions, in MiB: without it QEMU takes up to a gibibyte. */
const translatedMebibytes = 64;
/** What a machine takes on the host besides the guest's memory. */
export const overheadBytes = 256 * mebibyte;
/** Threads of QEMU: for its processors, and for the disks. */
export const mostThreads = 128;
const sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
const walls: Readonly<Record<Accelerator, string>> = { kvm: "qemu (kvm)", tcg: "qemu (emulated)" };

/** The sockets of a machine, in its folder. QEMU connects to each when it starts. */
const channels = { agent: "agent.sock", control: "control.sock", relay: "relay-port.sock" } as const;
const [monitorSocket, consoleSocket] = ["qmp.sock", "console.sock"] as const;

/** QEMU as a monitor. */
export function qemu(program: string, accelerator: Accelerator): Vmm {
  return {
    wall: walls[accelerator],
    usesKvm: accelerator === "kvm",
    program,
    outlivesKeeping: true,
    channels,
    sockets: [monitorSocket, consoleSocket],
    console: consoleSocket,
    words: (guest) => qemuWords(guest, accelerator),
    open: openQemu,
  };
}

async function openQemu({ folder, uid, arrived }: MonitorPlace): Promise<Monitor> {
  const monitor = new Qmp(await arrived(monitorSocket));
  let files = 0;
  return {
    pause: async (wanted) => void (await monitor.execute(wanted ? "stop" : "cont")),
    change: async (drive, file) => {
      const node = `file-${files++}`;
      await monitor.execute("blockdev-add", { driver: "file", "node-name": node, filename: `${inside.shown}/${file}`, "read-only": true });
      await monitor.execute("blockdev-reopen", {
        options: [{ driver: "raw", "node-name": driveName(drive), "read-only": true, file: node }],
      });
    },
    keep: (target) => takeSnapshot(monitor, folder, uid, target),
  };
}

/** No network, no display, no ports but those of a virtio console, no disks but ours. */
function qemuWords({ memoryBytes, processors, goesOn, drives }: GuestSpec, accelerator: Accelerator): string[] {
  const words = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", sandbox];
  words.push("-machine", "q35,usb=off,vmport=off,sata=off,smbus=off,graphics=off", ...acceleratorWords(accelerator));
  words.push("-m", String(Math.ceil(memoryBytes / mebibyte)), "-smp", String(processors));
  words.push("-kernel", `${inside.image}/${imageFiles.kernel}`, "-initrd", inside.initrd, "-append", kernelWordsFor(accelerator).join(" "));
  words.push("-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy");
  // Memory that the guest has no use for any more is the host's again.
  words.push("-device", "virtio-balloon-pci,free-page-reporting=on");
  words.push("-device", "virtio-serial-pci,max_ports=4");
  for (const [name, socket] of Object.entries(channels))
    words.push(...socketWords(name, socket), "-device", `virtserialport,chardev=${name},name=syla.${name}`);
  words.push(...socketWords("monitor", monitorSocket), "-mon", "chardev=monitor,mode=control");
  words.push(...socketWords("console", consoleSocket), "-serial", "chardev:console");
  words.push(...diskWords("system", `${inside.image}/${imageFiles.root}`, "readonly=on"));
  words.push(...diskWords("scratch", `${inside.machine}/${scratchName}`, "cache=unsafe,discard=unmap"));
  for (const [index, file] of drives.entries()) {
    const node = {
      driver: "raw",
      "node-name": driveName(index),
      "read-only": true,
      file: { driver: "file", filename: `${inside.shown}/${file}` },
    };
    words.push("-blockdev", JSON.stringify(node), "-device", `virtio-blk-pci,drive=${driveName(index)}`);
  }
  if (goesOn) words.push("-incoming", "fd:3");
  return words;
}

function driveName(drive: number): string {
  return `shown-${drive}`;
}

function acceleratorWords(accelerator: Accelerator): string[] {
  if (accelerator === "kvm") return ["-accel", "kvm", "-cpu", "host"];
  // What most programs ask of a processor today, and no more: each wide instruction takes many of ours.
  return ["-accel", `tcg,thread=multi,tb-size=${translatedMebibytes}`, "-cpu", "Nehalem"];
}

/** What one program makes up for another on the same processor does not help where a processor is a program. */
function kernelWordsFor(accelerator: Accelerator): readonly string[] {
  const words = [...kernelWords, "no_timer_check"];
  return accelerator === "kvm" ? words : [...words, "mitigations=off"];
}

function socketWords(name: string, socket: string): string[] {
  return ["-chardev", `socket,id=${name},path=${inside.machine}/${socket}`];
}

function diskWords(name: string, file: string, options: string): string[] {
  return ["-drive", `id=${name},file=${file},format=raw,if=none,${options}`, "-device", `virtio-blk-pci,drive=${name}`];
}
