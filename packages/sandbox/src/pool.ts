import type { SandboxConnection } from "./connection.ts";
import type { Jail } from "./jail.ts";
import { SandboxError, type RuntimeSpec } from "./spec.ts";

/** How often a run asks for a sandbox when jails fail. */
const attempts = 3;

/** How many jails and slots there may be, and how long they are kept. */
export interface PoolOptions {
  /** The most slots of one jail, those that are just made anew among them: what one tenant can run at once in one runtime. */
  readonly slotsPerJail: number;
  readonly maxJails: number;
  /** A tenant's jail that was not used for so long ends. */
  readonly idleMs: number;
  /** A run that gets no sandbox for so long is told that there is no capacity. */
  readonly waitMs: number;
}

/** A sandbox in the hands of one run. */
export interface Lease {
  readonly jail: Jail;
  readonly connection: SandboxConnection;
  /** Gives it back. `ended`: its run has come to its end; otherwise the sandbox is cut off and another one takes its place. */
  release(ended: boolean): void;
}

/**
 * Keeps jails ready. A tenant's first run in a runtime takes an unassigned jail, which becomes the tenant's for good, and another one is
 * made in its place; a tenant's jail keeps one slot more ready than it uses, and gets another one when a run has to wait for a used one to be made anew.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #create: (runtime: RuntimeSpec) => Jail;
  readonly #spares = new Map<string, Jail>();
  readonly #assigned = new Map<string, Jail>();
  readonly #reaper: NodeJS.Timeout;
  #stopped = false;

  constructor(options: PoolOptions, create: (runtime: RuntimeSpec) => Jail) {
    this.#options = options;
    this.#create = create;
    this.#reaper = setInterval(() => this.#endIdle(), Math.min(options.idleMs, 30_000));
    this.#reaper.unref();
  }

  /** Makes an unassigned jail for a runtime, if there is none. */
  warm(runtime: RuntimeSpec): void {
    const spare = this.#spares.get(runtime.name);
    if (this.#stopped || (spare !== undefined && !spare.dead)) return;
    const jail = this.#create(runtime);
    jail.addSlot();
    this.#spares.set(runtime.name, jail);
  }

  /** A sandbox for a run of `tenant`. Rejects with `no_capacity` after the wait, with `sandbox_failed` when jails will not start. */
  async acquire(runtime: RuntimeSpec, tenant: string): Promise<Lease> {
    for (let left = attempts; ; left -= 1) {
      try {
        return await this.#acquireOnce(runtime, tenant);
      } catch (error) {
        // Nothing of the run has begun: a jail that was about to die is no reason to fail it.
        if (left === 1 || !(error instanceof SandboxError) || error.code !== "sandbox_failed") throw error;
      }
    }
  }

  async #acquireOnce(runtime: RuntimeSpec, tenant: string): Promise<Lease> {
    const jail = this.#jailFor(runtime, tenant);
    jail.busy += 1;
    if ((jail.busy >= jail.slots || jail.ready === 0) && jail.slots < this.#options.slotsPerJail) jail.addSlot();
    try {
      const connection = await jail.take(this.#options.waitMs);
      let released = false;
      const release = (ended: boolean) => {
        if (released) return;
        released = true;
        jail.busy -= 1;
        jail.usedAt = Date.now();
        if (ended) jail.recycle(connection);
        else connection.close();
      };
      return { jail, connection, release };
    } catch (error) {
      jail.busy -= 1;
      throw error;
    }
  }

  /** Ends every jail. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#reaper);
    const jails = [...this.#spares.values(), ...this.#assigned.values()];
    this.#spares.clear();
    this.#assigned.clear();
    await Promise.all(jails.map((jail) => jail.end()));
  }

  #jailFor(runtime: RuntimeSpec, tenant: string): Jail {
    if (this.#stopped) throw new SandboxError("no_capacity", "the server is shutting down");
    const key = `${runtime.name}\0${tenant}`;
    const known = this.#assigned.get(key);
    if (known !== undefined && !known.dead) return known;
    this.#makeRoom();
    this.warm(runtime);
    const jail = this.#spares.get(runtime.name) as Jail;
    this.#spares.delete(runtime.name);
    jail.assign(tenant);
    this.#assigned.set(key, jail);
    if (runtime.pooling !== "cold") setImmediate(() => this.warm(runtime));
    return jail;
  }

  /** Above the limit the jail that nobody uses and that was used longest ago ends. */
  #makeRoom(): void {
    if (this.#assigned.size < this.#options.maxJails) return;
    const idle = [...this.#assigned].filter(([, jail]) => jail.busy === 0).toSorted(([, a], [, b]) => a.usedAt - b.usedAt)[0];
    if (idle === undefined) throw new SandboxError("no_capacity", "every sandbox is in use");
    this.#assigned.delete(idle[0]);
    void idle[1].end();
  }

  #endIdle(): void {
    const oldest = Date.now() - this.#options.idleMs;
    for (const [key, jail] of this.#assigned) {
      if (jail.dead || (jail.busy === 0 && jail.usedAt < oldest)) {
        this.#assigned.delete(key);
        void jail.end();
      }
    }
  }
}
