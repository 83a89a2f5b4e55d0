import type { ChildProcess } from "node:child_process";
import { chownSync, closeSync, mkdirSync, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { JailCgroup } from "./cgroups.ts";
import { SandboxConnection } from "./connection.ts";
import { listenInFolder } from "./listen-in-folder.ts";
import { RelayServer } from "./relay/relay-server.ts";
import { removeFolder } from "./remove-folder.ts";
import { SandboxError } from "./spec.ts";
import { spawnWall, type WallSpec } from "./wall.ts";

const keptErrorBytes = 4096;

interface Waiter {
  readonly resolve: (connection: SandboxConnection) => void;
  readonly reject: (error: SandboxError) => void;
}

/** One outer wall and the sandboxes in it. Belongs to nobody until {@link assign}, then to one tenant for good. */
export class Jail {
  readonly cgroup: JailCgroup | null;
  /** Where the relays of its slots arrive; null in a jail without a network. */
  readonly relays: RelayServer | null;
  tenant: string | null = null;
  usedAt = Date.now();
  /** Runs in it now. */
  busy = 0;
  readonly #spec: WallSpec;
  readonly #server: Server;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #sockets = new Set<Socket>();
  readonly #ready: SandboxConnection[] = [];
  readonly #waiters: Waiter[] = [];
  #slots = 0;
  /** Numbers of slots that were dropped. */
  readonly #spare: number[] = [];
  #errors = "";
  #dead = false;
  #ending = false;

  /** Starts a jail in `spec.folder`, which must not exist yet and is removed with it. */
  constructor(spec: WallSpec) {
    this.#spec = spec;
    this.cgroup = spec.cgroup;
    mkdirSync(spec.folder, { recursive: true, mode: 0o700 });
    if (spec.uid !== null) chownSync(spec.folder, spec.uid, spec.uid);
    this.#server = listenInFolder(spec.folder, "agent.sock", spec.uid, (socket) => void this.#greet(socket));
    this.relays = spec.networked === true ? new RelayServer(spec.folder, spec.uid) : null;
    this.#child = spawnWall(spec);
    this.#child.stdin?.on("error", () => {}); // a jail that died says so by its exit
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString()).slice(-keptErrorBytes)));
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#die(error.message, resolve));
      this.#child.once("close", (code, signal) => this.#die(this.#errors.trim() || `the jail ended (${signal ?? code})`, resolve));
    });
  }

  /** It has ended, or is about to: no run may get into it any more. */
  get dead(): boolean {
    return this.#dead || this.#ending;
  }

  get slots(): number {
    return this.#slots;
  }

  /** Sandboxes that are ready and wait for a run. */
  get ready(): number {
    return this.#ready.length;
  }

  assign(tenant: string): void {
    this.tenant = tenant;
  }

  /** Asks the agent for one more slot. */
  addSlot(): void {
    if (this.dead) return;
    const slot = this.#spare.pop() ?? this.#slots;
    this.cgroup?.addSlot(slot);
    this.#child.stdin?.write(`slot ${slot}\n`);
    this.#slots += 1;
  }

  /** Lets go of a slot whose sandbox is about to be cut off: no other one takes its place. */
  dropSlot(slot: number): void {
    this.#child.stdin?.write(`drop ${slot}\n`);
    this.#spare.push(slot);
    this.#slots -= 1;
  }

  /** A ready sandbox, now or as soon as there is one. Rejects with `no_capacity` after `waitMs`, and when the jail dies. */
  take(waitMs: number): Promise<SandboxConnection> {
    this.usedAt = Date.now();
    if (this.dead) return Promise.reject(new SandboxError("sandbox_failed", this.#errors || "the jail is gone"));
    for (let connection = this.#ready.shift(); connection !== undefined; connection = this.#ready.shift()) {
      if (!connection.closed) return Promise.resolve(connection);
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve: settle(resolve), reject: settle(reject) };
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1); // a sandbox that comes later is for somebody else
        reject(new SandboxError("no_capacity", `no sandbox became free within ${waitMs} ms`));
      }, waitMs);
      function settle<T>(done: (value: T) => void): (value: T) => void {
        return (value) => {
          clearTimeout(timer);
          done(value);
        };
      }
      this.#waiters.push(waiter);
    });
  }

  /** Kills everything in it and removes its folder and groups. Resolves when nothing is left. */
  end(): Promise<void> {
    this.#ending = true;
    this.#child.stdin?.destroy(); // the agent ends with it, even when the jail was killed before it could tie itself to us
    killGroup(this.#child);
    return this.#ended;
  }

  async #greet(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    await this.#offer(SandboxConnection.open(socket)).catch(() => socket.destroy());
  }

  /** Takes back a sandbox whose run has come to its end, and has the next one when that is made. */
  recycle(connection: SandboxConnection): void {
    void this.#offer(connection.renew()).catch(() => connection.close());
  }

  async #offer(opening: Promise<SandboxConnection>): Promise<void> {
    try {
      const connection = await opening;
      const waiter = this.#waiters.shift();
      if (waiter) waiter.resolve(connection);
      else this.#ready.push(connection);
    } catch (error) {
      this.#errors = (error instanceof Error ? error.message : String(error)).slice(-keptErrorBytes);
      this.#waiters.shift()?.reject(new SandboxError("sandbox_failed", this.#errors, error));
      throw error;
    }
  }

  #die(reason: string, done: () => void): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#errors ||= reason;
    this.#server.close();
    this.relays?.close();
    for (const socket of this.#sockets) socket.destroy();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new SandboxError("sandbox_failed", reason));
    void removeWhenQuiet(this.#spec).then(done);
  }
}

/**
 * A wall that is still being made has two processes that are not tied to each other yet: bubblewrap's second one waits for the first, and
 * would do so for ever. Both are of one group until the second one is tied.
 */
export function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return; // the number may be somebody else's by now
  try {
    process.kill(-pid, "SIGKILL");
  } catch {} // it has just ended
}

/** The last processes of a killed jail need a moment to go; its groups cannot be removed before. */
export async function removeWhenQuiet(spec: Pick<WallSpec, "folder" | "cgroup">, tries = 50): Promise<void> {
  await removeFolder(spec.folder);
  for (let left = tries; left > 0; left -= 1) {
    spec.cgroup?.remove();
    if (!(spec.cgroup?.agentProcs.some((path) => pathExists(path)) ?? false)) break;
    await sleep(20);
  }
  await removeFolder(spec.folder); // what a dying process still made meanwhile
}

function pathExists(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}
