import { execFile, type ChildProcess } from "node:child_process";
import { chownSync, closeSync, mkdirSync, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { JailCgroup, SlotLimits, SlotStats } from "../cgroups.ts";
import { SandboxConnection } from "../connection.ts";
import { killGroup, removeWhenQuiet } from "../jail.ts";
import { listenInFolder } from "../listen-in-folder.ts";
import { SandboxError } from "../spec.ts";
import { packageFolder, spawnBubblewrap, type WallPrograms } from "../wall.ts";
import { GuestControl } from "./guest-control.ts";
import type { GuestImage } from "./guest-image.ts";
import { jailWords, sockets, type QemuSpec } from "./qemu.ts";
import { Qmp } from "./qmp.ts";
import { copySparse, scratchName, takeSnapshot, type Snapshot } from "./snapshot.ts";

const run = promisify(execFile);
const keptTextBytes = 4096;
/** How long QEMU may take to connect to its sockets. */
const spawnMs = 30_000;
const settleMs = 100;

/** What a machine is made of. */
export interface MachineSpec extends Omit<QemuSpec, "disks" | "goesOn"> {
  readonly programs: WallPrograms & { readonly mke2fs: string };
  readonly image: GuestImage;
  /** The image's first file system, completed. */
  readonly initrd: string;
  /** Of this machine alone; must not exist yet, and is removed with it. */
  readonly folder: string;
  /** Host files of read-only file systems. */
  readonly disks: readonly string[];
  /** What can be written to, in bytes. Takes room on the host when it is used. */
  readonly scratchBytes: number;
  /** It goes on from there instead of booting; its other parts are those of the machine that was kept. */
  readonly snapshot: Snapshot | null;
  /** The host user that it runs as; null: the server's own. */
  readonly uid: number | null;
  /** It is in slot 0 of the group. */
  readonly cgroup: JailCgroup | null;
}

/** One virtual machine, for one run or one session: a guest in QEMU in a jail. */
export class Machine {
  readonly #spec: MachineSpec;
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #agent: Promise<Socket>;
  readonly #control: Promise<GuestControl>;
  readonly #monitor: Promise<Qmp>;
  readonly #failed = Promise.withResolvers<never>();
  #errors = "";
  #console = "";
  #dead = false;

  private constructor(spec: MachineSpec) {
    this.#spec = spec;
    this.#failed.promise.catch(() => {}); // seen by whoever waits
    // What the agent said last comes over another socket.
    const trouble = (message: string) => void setTimeout(() => this.#fail(message), settleMs).unref();
    const [agent, control, monitor, log] = [
      this.#listen("agent"),
      this.#listen("control"),
      this.#listen("monitor"),
      this.#listen("console"),
    ];
    this.#servers = [agent, control, monitor, log].map(({ server }) => server);
    this.#agent = agent.arrived;
    this.#control = control.arrived.then((socket) => new GuestControl(socket, trouble));
    this.#monitor = monitor.arrived.then((socket) => new Qmp(socket));
    log.arrived.then(
      (socket) => socket.on("data", (data: Buffer) => (this.#console = tail(this.#console + data.toString("latin1")))),
      () => {},
    );
    for (const promise of [this.#control, this.#monitor]) promise.catch(() => {}); // seen by whoever asks
    this.#child = this.#spawn();
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#errors = tail(this.#errors + chunk.toString())));
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#die(error.message, resolve));
      this.#child.once("close", (code, signal) => this.#die(this.#said() || `it ended (${signal ?? code})`, resolve));
    });
  }

  /** Resolves when nothing is left of it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Makes its disk and starts it. Rejects with a {@link SandboxError}. */
  static async start(spec: MachineSpec): Promise<Machine> {
    mkdirSync(spec.folder, { recursive: true, mode: 0o700 });
    try {
      if (spec.snapshot === null) await makeScratch(spec);
      else await copySparse(spec.snapshot.scratch, join(spec.folder, scratchName));
      if (spec.uid !== null) for (const path of [spec.folder, join(spec.folder, scratchName)]) chownSync(path, spec.uid, spec.uid);
      return new Machine(spec);
    } catch (error) {
      await removeWhenQuiet(spec);
      throw new SandboxError(
        "sandbox_failed",
        `the machine could not be started: ${error instanceof Error ? error.message : String(error)}`,
        error,
      );
    }
  }

  /** Boots the guest and starts the agent in it. Resolves with its sandbox, and rejects with a {@link SandboxError} when that takes longer than `ms`. */
  async boot(words: readonly string[], ms: number): Promise<SandboxConnection> {
    return await this.#within(ms, async () => {
      await (await this.#control).start(words, ms);
      return await SandboxConnection.open(await this.#agent);
    });
  }

  /** Goes on from its snapshot, with a clock and randomness of its own. Resolves and rejects as `boot` does. */
  async goOn(ms: number): Promise<SandboxConnection> {
    return await this.#within(ms, async () => {
      await (await this.#control).freshen(ms);
      return SandboxConnection.adopt(await this.#agent, 0);
    });
  }

  /** Keeps it in a folder as it is now, while its sandbox waits for a run, and lets it go on. */
  async keep(target: string): Promise<Snapshot> {
    return await takeSnapshot(await this.#monitor, this.#spec.folder, this.#spec.uid, target);
  }

  async limit(limits: SlotLimits): Promise<void> {
    await (await this.#control).limit(limits);
  }

  async stats(): Promise<SlotStats | null> {
    return await (await this.#control).stats();
  }

  /** Stops its processors or lets them go on. */
  async pause(wanted: boolean): Promise<void> {
    await (await this.#monitor).execute(wanted ? "stop" : "cont");
  }

  /** Kills it and removes its folder and groups. Resolves when nothing is left. */
  end(): Promise<void> {
    killGroup(this.#child);
    return this.#ended;
  }

  async #within<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.#error(`the guest was not there after ${ms} ms`)), ms);
    try {
      return await Promise.race([work(), late.promise, this.#failed.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #spawn(): ChildProcess {
    const { programs, uid, cgroup, image, initrd, folder, disks, accelerator, snapshot } = this.#spec;
    const names = disks.map((_, index) => `disk-${index}`);
    const binds = new Map([
      ["etc", join(packageFolder, "etc")],
      ["image", image.folder],
      ["initrd", initrd],
      ["machine", folder],
      ...disks.map((file, index) => [`disk-${index}`, file] as const),
    ]);
    const devices = new Map(accelerator === "kvm" ? [["kvm", "/dev/kvm"]] : []);
    const groups = (cgroup?.binds ?? []).map(([source]) => join(source, "slot-0", "cgroup.procs"));
    const spec = { ...this.#spec, disks: names, goesOn: snapshot !== null };
    const state = snapshot === null ? null : openSync(snapshot.state, "r");
    try {
      const entry = { programs, uid, groups, binds, devices, ...(state === null ? {} : { input: state }) };
      return spawnBubblewrap(entry, (locate) => jailWords(spec, locate));
    } finally {
      if (state !== null) closeSync(state);
    }
  }

  #listen(name: keyof typeof sockets): Listening {
    const arrived = Promise.withResolvers<Socket>();
    arrived.promise.catch(() => {});
    const timer = setTimeout(() => arrived.reject(this.#error("QEMU did not start")), spawnMs);
    const server = listenInFolder(this.#spec.folder, sockets[name], this.#spec.uid, (socket) => {
      clearTimeout(timer);
      server.close(); // there is one of each
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => this.#sockets.delete(socket));
      arrived.resolve(socket);
    });
    void this.#failed.promise.catch((error: unknown) => {
      clearTimeout(timer);
      arrived.reject(error);
    });
    return { server, arrived: arrived.promise };
  }

  #fail(message: string): void {
    this.#failed.reject(this.#error(message));
    for (const socket of this.#sockets) socket.destroy();
  }

  #die(reason: string, done: () => void): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const server of this.#servers) server.close();
    this.#fail(reason);
    void removeWhenQuiet(this.#spec).then(done);
  }

  /** What QEMU and the guest's kernel said last. */
  #said(): string {
    return [this.#errors.trim(), printable(this.#console).trim()].filter((text) => text !== "").join("; ");
  }

  #error(message: string): SandboxError {
    const said = this.#said();
    return new SandboxError("sandbox_failed", said === "" || message.includes(said) ? message : `${message}: ${said}`);
  }
}

interface Listening {
  readonly server: Server;
  readonly arrived: Promise<Socket>;
}

/** A file system of no journal, for one guest: nobody reads it after a crash. */
async function makeScratch({ programs, folder, scratchBytes }: MachineSpec): Promise<void> {
  const options = ["-q", "-F", "-b", "4096", "-t", "ext4", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard"];
  await run(programs.mke2fs, [...options, join(folder, scratchName), `${Math.ceil(scratchBytes / 1024)}k`]);
}

function tail(text: string): string {
  return text.slice(-keptTextBytes);
}

/** The guest is hostile, and what it says goes into messages for people. */
function printable(text: string): string {
  return text.replaceAll(/[^\n\x20-\x7e]/g, "");
}
