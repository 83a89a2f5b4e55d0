import type { Socket } from "node:net";
import { namespaceWords, systemWords } from "../wall.ts";
import type { Snapshot } from "./snapshot.ts";

/** A virtual machine monitor, the program that runs a guest, as {@link Machine} sees it. */

/** What comes out of a guest, each by a connection of its own. */
export const channels = ["agent", "control", "relay"] as const;
export type Channel = (typeof channels)[number];

/** Drives of a machine whose files can be changed while it runs: for what its runtime needs, and for built packages. */
export const shownDrives = 3;

/** Where a machine finds its files, in its jail. */
export const inside = { image: "/image", initrd: "/initrd", machine: "/machine", shown: "/shown", kept: "/kept" } as const;

/** A guest, as its monitor is told. */
export interface GuestSpec {
  readonly memoryBytes: number;
  readonly processors: number;
  /** What is on the drives that can be changed: files below `shown`. */
  readonly drives: readonly string[];
  /** It goes on from a state that was kept, instead of booting. */
  readonly goesOn: boolean;
}

/** A machine's monitor at work. Operations reject with a {@link SandboxError}. */
export interface Monitor {
  /** Stops its processors or lets them go on. */
  pause(wanted: boolean): Promise<void>;
  /** Puts another file, below `shown`, onto a drive. */
  change(drive: number, file: string): Promise<void>;
  /** Keeps the machine as it is now in `target`, and lets it go on. */
  keep(target: string): Promise<Snapshot>;
}

/** Where a monitor runs. */
export interface MonitorPlace {
  /** Of the machine, on the host. */
  readonly folder: string;
  readonly uid: number | null;
  readonly guest: GuestSpec;
  /** A connection that it makes to one of its sockets. */
  readonly arrived: (socket: string) => Promise<Socket>;
}

/** A kind of monitor. */
export interface Vmm {
  /** What people call it, and the first of the walls. */
  readonly wall: string;
  /** The processor runs the guest. */
  readonly usesKvm: boolean;
  readonly program: string;
  /** A machine that was kept can be used further. */
  readonly outlivesKeeping: boolean;
  /** The sockets in a machine's folder that it connects to when the guest, or it itself, wants to say something. */
  readonly channels: Readonly<Record<Channel, string>>;
  /** Those besides: its own. */
  readonly sockets: readonly string[];
  /** The one of them that has what the guest's kernel says; null: its standard output. */
  readonly console: string | null;
  /** Its command line in the jail. */
  words(guest: GuestSpec): string[];
  /** Brings the machine to run. */
  open(place: MonitorPlace): Promise<Monitor>;
}

/**
 * The command line of bubblewrap around a monitor: it sees the system, the image, the folder of this machine, and what lies ready for drives. `locate`
 * says where a folder or file of ours is.
 */
export function jailWords(vmm: Vmm, guest: GuestSpec, hasKept: boolean, locate: (name: string) => string): string[] {
  const words = [...namespaceWords("machine"), ...systemWords(locate("etc"), [])];
  words.push("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp");
  if (vmm.usesKvm) words.push("--dev-bind", locate("kvm"), "/dev/kvm");
  words.push("--ro-bind", locate("image"), inside.image, "--ro-bind", locate("initrd"), inside.initrd);
  words.push("--bind", locate("machine"), inside.machine, "--ro-bind", locate("shown"), inside.shown);
  if (hasKept) words.push("--ro-bind", locate("kept"), inside.kept);
  words.push("--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", inside.machine);
  return [...words, "--", vmm.program, ...vmm.words(guest)];
}

/** What a guest's kernel is told by every monitor. */
export const kernelWords = ["console=ttyS0", "quiet", "loglevel=1", "panic=-1", "rcupdate.rcu_expedited=1"] as const;
