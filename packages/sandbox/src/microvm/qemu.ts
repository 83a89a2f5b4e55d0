import { namespaceWords, systemWords } from "../wall.ts";
import { imageFiles } from "./guest-image.ts";
import { scratchName } from "./snapshot.ts";

/** QEMU's command line, and the jail that it runs in. */

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
const kernelWords = ["console=ttyS0", "quiet", "loglevel=1", "panic=-1", "no_timer_check", "rcupdate.rcu_expedited=1"];

export interface QemuSpec {
  readonly qemu: string;
  readonly accelerator: Accelerator;
  readonly memoryBytes: number;
  readonly processors: number;
  /** It goes on from a state that is open as descriptor 3. */
  readonly goesOn: boolean;
  /** Read-only disks besides the system, each a name that {@link jailWords} is given. */
  readonly disks: readonly string[];
}

/** The sockets of a machine, in its folder. QEMU connects to each when it starts. */
export const sockets = { agent: "agent.sock", control: "control.sock", monitor: "qmp.sock", console: "console.sock" } as const;

/**
 * The command line of bubblewrap around QEMU: it sees the system, the image, and the folder of this machine. `locate` says where a folder or file of
 * ours is: `etc`, `image`, `initrd`, `machine`, `kvm`, and the disks.
 */
export function jailWords(spec: QemuSpec, locate: (name: string) => string): string[] {
  const words = [...namespaceWords("machine"), ...systemWords(locate("etc"), [])];
  words.push("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp");
  if (spec.accelerator === "kvm") words.push("--dev-bind", locate("kvm"), "/dev/kvm");
  words.push("--ro-bind", locate("image"), "/image", "--ro-bind", locate("initrd"), "/initrd", "--bind", locate("machine"), "/machine");
  for (const name of spec.disks) words.push("--ro-bind", locate(name), `/disks/${name}`);
  words.push("--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", "/machine");
  return [...words, "--", spec.qemu, ...qemuWords(spec)];
}

/** No network, no display, no ports but those of a virtio console, no disks but ours. */
function qemuWords({ accelerator, memoryBytes, processors, goesOn, disks }: QemuSpec): string[] {
  const words = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", sandbox];
  words.push("-machine", "q35,usb=off,vmport=off,sata=off,smbus=off,graphics=off", ...acceleratorWords(accelerator));
  words.push("-m", String(Math.ceil(memoryBytes / mebibyte)), "-smp", String(processors));
  words.push("-kernel", `/image/${imageFiles.kernel}`, "-initrd", "/initrd", "-append", kernelWordsFor(accelerator).join(" "));
  words.push("-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy");
  words.push("-device", "virtio-serial-pci,max_ports=3");
  for (const name of ["agent", "control"] as const)
    words.push(...socketWords(name), "-device", `virtserialport,chardev=${name},name=syla.${name}`);
  words.push(...socketWords("monitor"), "-mon", "chardev=monitor,mode=control", ...socketWords("console"), "-serial", "chardev:console");
  words.push(...diskWords("system", `/image/${imageFiles.root}`, "readonly=on"));
  words.push(...diskWords("scratch", `/machine/${scratchName}`, "cache=unsafe,discard=unmap"));
  for (const name of disks) words.push(...diskWords(name, `/disks/${name}`, "readonly=on"));
  if (goesOn) words.push("-incoming", "fd:3");
  return words;
}

function acceleratorWords(accelerator: Accelerator): string[] {
  if (accelerator === "kvm") return ["-accel", "kvm", "-cpu", "host"];
  // What most programs ask of a processor today, and no more: each wide instruction takes many of ours.
  return ["-accel", `tcg,thread=multi,tb-size=${translatedMebibytes}`, "-cpu", "Nehalem"];
}

/** What one program makes up for another on the same processor does not help where a processor is a program. */
function kernelWordsFor(accelerator: Accelerator): string[] {
  return accelerator === "kvm" ? kernelWords : [...kernelWords, "mitigations=off"];
}

function socketWords(name: keyof typeof sockets): string[] {
  return ["-chardev", `socket,id=${name},path=/machine/${sockets[name]}`];
}

function diskWords(name: string, file: string, options: string): string[] {
  return ["-drive", `id=${name},file=${file},format=raw,if=none,${options}`, "-device", `virtio-blk-pci,drive=${name}`];
}
