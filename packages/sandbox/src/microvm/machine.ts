import { execFile, type ChildProcess } from "node:child_process";
import { chownSync, closeSync, mkdirSync, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { JailCgroup, SlotLimits, SlotStats } from "../cgroups.ts";
import { SandboxConnection } from "../connection.ts";
import { killGroup, removeWhenQuiet } from "../jail.ts";
import { connectInFolder, listenInFolder } from "../listen-in-folder.ts";
import { relaySocket, RelayServer } from "../relay/relay-server.ts";
import { SandboxError } from "../spec.ts";
import { packageFolder, spawnBubblewrap, type WallPrograms } from "../wall.ts";
import { GuestControl } from "./guest-control.ts";
import type { GuestImage } from "./guest-image.ts";
import { RelayStreams } from "./relay-streams.ts";
import { copySparse, scratchName, type Snapshot } from "./snapshot.ts";
import { jailWords, type GuestSpec, type Monitor, type Vmm } from "./vmm.ts";

const run = promisify(execFile);
const keptTextBytes = 4096;
const settleMs = 100;
/** So often a guest is asked whether it is there, and so long it may take to say so: one that is emulated, on a busy host, is slow. */
const health = { everyMs: 10_000, answerMs: 30_000 } as const;

/** What a machine is made of. */
export interface MachineSpec extends Omit<GuestSpec, "goesOn"> {
  readonly vmm: Vmm;
  readonly programs: WallPrograms & { readonly mke2fs: string };
  readonly image: GuestImage;
  /** The image's first file system, completed. */
  readonly initrd: string;
  /** Of this machine alone; must not exist yet, and is removed with it. */
  readonly folder: string;
  /** The host folder with what can be on its drives. */
  readonly shown: string;
  /** What can be written to, in bytes. Takes room on the host when it is used. */
  readonly scratchBytes: number;
  /** It goes on from there instead of booting; its other parts are those of the machine that was kept. */
  readonly snapshot: Snapshot | null;
  /** The host user that it runs as; null: the server's own. */
  readonly uid: number | null;
  /** It is in slot 0 of the group. */
  readonly cgroup: JailCgroup | null;
  /** How often a guest is asked whether it is there, milliseconds. */
  readonly health?: { readonly everyMs: number; readonly answerMs: number };
}

/** One virtual machine, for one run or one session: a guest in a monitor in a jail. */
export class Machine {
  /** Where the connections of the guest's relay arrive. */
  readonly relays: RelayServer;
  readonly #spec: MachineSpec;
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #arrived = new Map<string, Promise<Socket>>();
  readonly #control: Promise<GuestControl>;
  readonly #monitor: Promise<Monitor>;
  readonly #failed = Promise.withResolvers<never>();
  #watching: NodeJS.Timeout | undefined;
  #paused = false;
  /** How often it was paused or let go on. */
  #pauses = 0;
  #trouble = "";
  #errors = "";
  #console = "";
  #dead = false;

  private constructor(spec: MachineSpec) {
    this.#spec = spec;
    const { vmm, folder, uid } = spec;
    this.#failed.promise.catch(() => {}); // seen by whoever waits
    // What the agent said last comes over another socket.
    const trouble = (message: string) => void setTimeout(() => this.#fail(message), settleMs).unref();
    this.relays = new RelayServer(folder, null);
    this.#servers = [...Object.values(vmm.channels), ...vmm.sockets].map((name) => this.#listen(name));
    this.#control = this.#arrival(vmm.channels.control).then((socket) => new GuestControl(socket, trouble));
    this.#arrival(vmm.channels.relay).then(
      (socket) => new RelayStreams(socket, () => connectInFolder(folder, relaySocket)),
      () => {},
    );
    this.#child = this.#spawn();
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#errors = tail(this.#errors + chunk.toString())));
    this.#followConsole();
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#die(error.message, resolve));
      this.#child.once("close", (code, signal) => this.#die(`the machine ended (${signal ?? code})`, resolve));
    });
    const guest = guestOf(spec);
    this.#monitor = Promise.race([this.#failed.promise, vmm.open({ folder, uid, guest, arrived: (name) => this.#arrival(name) })]);
    for (const promise of [this.#control, this.#monitor]) promise.catch(() => {}); // seen by whoever asks
  }

  /** Resolves when nothing is left of it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Why it has ended, or cannot be used; empty as long as nothing is known. */
  get trouble(): string {
    return this.#trouble;
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

  /**
   * Boots the guest and starts the agent in it; `shown` says where it finds what is on its drives. Resolves with its sandbox, and rejects with a
   * {@link SandboxError} when that takes longer than `ms`.
   */
  async boot(words: readonly string[], shown: ReadonlyMap<number, string>, ms: number): Promise<SandboxConnection> {
    return await this.#within(ms, async () => {
      await this.#monitor;
      const control = await this.#control;
      for (const [drive, target] of shown) await control.show(drive, target, ms);
      await control.start(words, ms);
      return await SandboxConnection.open(await this.#arrival(this.#spec.vmm.channels.agent));
    });
  }

  /** Goes on from its snapshot, with a clock and randomness of its own. Resolves and rejects as `boot` does. */
  async goOn(ms: number): Promise<SandboxConnection> {
    return await this.#within(ms, async () => {
      await this.#monitor;
      await (await this.#control).freshen(ms);
      return SandboxConnection.adopt(await this.#arrival(this.#spec.vmm.channels.agent), 0);
    });
  }

  /** Lets it go on after it waited: tells it the time and gives it randomness again. */
  async wake(): Promise<void> {
    await this.pause(false);
    await (await this.#control).freshen();
  }

  /** Keeps it in a folder as it is now, while its sandbox waits for a run, and lets it go on where its monitor can do that. */
  async keep(target: string): Promise<Snapshot> {
    return await (await this.#monitor).keep(target);
  }

  /** Shows another file, of the folder for drives, at a place in the guest. */
  async show(drive: number, file: string, target: string): Promise<void> {
    await (await this.#monitor).change(drive, file);
    await (await this.#control).show(drive, target);
  }

  /** From now on the guest's relay reaches the host. */
  async openNetwork(): Promise<void> {
    await (await this.#control).openNetwork();
  }

  async limit(limits: SlotLimits): Promise<void> {
    await (await this.#control).limit(limits);
  }

  async stats(): Promise<SlotStats | null> {
    return await (await this.#control).stats();
  }

  /** Stops its processors or lets them go on. */
  async pause(wanted: boolean): Promise<void> {
    await (await this.#monitor).pause(wanted);
    this.#paused = wanted;
    this.#pauses += 1;
  }

  /** From now on a guest that does not answer, while it is not paused, is ended, and all that waits for it is told why. */
  watch(): void {
    const { everyMs, answerMs } = this.#spec.health ?? health;
    let asking: Promise<void> | null = null;
    this.#watching = setInterval(() => {
      if (asking === null && !this.#paused && !this.#dead) asking = this.#endUnlessThere(answerMs).finally(() => (asking = null));
    }, everyMs);
    this.#watching.unref();
  }

  /** Kills it and removes its folder and groups. Resolves when nothing is left. */
  end(): Promise<void> {
    killGroup(this.#child);
    return this.#ended;
  }

  async #endUnlessThere(ms: number): Promise<void> {
    const pauses = this.#pauses;
    try {
      await (await this.#control).ping(ms);
    } catch {
      if (pauses !== this.#pauses) return; // it could not answer while it stood still
      this.#fail(`the guest has not answered for ${Math.round(ms / 1000)} s`);
      await this.end();
    }
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
    const { programs, uid, cgroup, image, initrd, folder, shown, vmm, snapshot } = this.#spec;
    const kept = snapshot?.memory === undefined ? null : dirname(snapshot.memory);
    const binds = new Map([
      ["etc", join(packageFolder, "etc")],
      ["image", image.folder],
      ["initrd", initrd],
      ["machine", folder],
      ["shown", shown],
      ...(kept === null ? [] : [["kept", kept] as const]),
    ]);
    const devices = new Map(vmm.usesKvm ? [["kvm", "/dev/kvm"]] : []);
    const groups = (cgroup?.binds ?? []).map(([source]) => join(source, "slot-0", "cgroup.procs"));
    const state = snapshot === null || kept !== null ? null : openSync(snapshot.state, "r");
    try {
      const entry = { programs, uid, groups, binds, devices, says: vmm.console === null, ...(state === null ? {} : { input: state }) };
      return spawnBubblewrap(entry, (locate) => jailWords(vmm, guestOf(this.#spec), kept !== null, locate));
    } finally {
      if (state !== null) closeSync(state);
    }
  }

  #followConsole(): void {
    const hear = (stream: NodeJS.ReadableStream) =>
      stream.on("data", (data: Buffer) => (this.#console = tail(this.#console + data.toString("latin1"))));
    const { console: socket } = this.#spec.vmm;
    if (socket === null) {
      if (this.#child.stdout !== null) hear(this.#child.stdout);
      return;
    }
    this.#arrival(socket).then(hear, () => {});
  }

  #arrival(name: string): Promise<Socket> {
    return this.#arrived.get(name) ?? Promise.reject(new Error(`nobody listens for ${name}`));
  }

  #listen(name: string): Server {
    const arrived = Promise.withResolvers<Socket>();
    arrived.promise.catch(() => {});
    this.#arrived.set(name, arrived.promise);
    const { folder, uid } = this.#spec;
    const server = listenInFolder(folder, name, uid, (socket) => {
      server.close(); // there is one of each
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => this.#sockets.delete(socket));
      arrived.resolve(socket);
    });
    void this.#failed.promise.catch(arrived.reject);
    return server;
  }

  #fail(message: string): void {
    this.#trouble ||= this.#error(message).message;
    this.#failed.reject(new SandboxError("sandbox_failed", this.#trouble));
    for (const socket of this.#sockets) socket.destroy();
  }

  #die(reason: string, done: () => void): void {
    if (this.#dead) return;
    this.#dead = true;
    clearInterval(this.#watching);
    for (const server of this.#servers) server.close();
    this.relays.close();
    this.#fail(reason);
    void removeWhenQuiet(this.#spec).then(done);
  }

  /** What the monitor and the guest's kernel said last. */
  #said(): string {
    return [this.#errors.trim(), printable(this.#console).trim()].filter((text) => text !== "").join("; ");
  }

  #error(message: string): SandboxError {
    const said = this.#said();
    return new SandboxError("sandbox_failed", said === "" || message.includes(said) ? message : `${message}: ${said}`);
  }
}

function guestOf({ memoryBytes, processors, drives, snapshot }: MachineSpec): GuestSpec {
  return { memoryBytes, processors, drives, goesOn: snapshot !== null };
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
