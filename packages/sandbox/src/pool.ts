import type { SandboxConnection } from "./connection.ts";
import { Demand, type DemandHistory } from "./demand.ts";
import type { Jail } from "./jail.ts";
import type { JailKind } from "./jail-kind.ts";
import { SandboxError, type PoolReport } from "./spec.ts";

/** How often a run asks for a sandbox when jails fail. */
const attempts = 3;
/** A jail with more slots than this share of them is likely to use gives some back. */
const shrinkBelow = 0.7;
const mostIdle = 128;
const minuteMs = 60_000;
/** What is made for later runs waits for so long: making it costs the run at hand several milliseconds, and processors. */
const laterMs = 100;

/** How many jails and slots there may be, and how long they are kept. */
export interface PoolOptions {
  /** The most slots of one jail, those that are just made anew among them: what one tenant can run at once in one kind of jail. */
  readonly slotsPerJail: number;
  /** The most jails that belong to tenants. Above it those that nobody uses end first; then a run waits for one. */
  readonly maxJails: number;
  /** The most jails of one kind that wait for a tenant. */
  readonly maxSpares: number;
  /** A tenant's jail that was not used for so long ends. */
  readonly idleMs: number;
  /** A run that gets no sandbox for so long is told that there is no capacity. */
  readonly waitMs: number;
  /** So many slots of a jail wait for runs at most, whatever is likely: each takes as much memory as several sandboxes that sleep. */
  readonly mostIdle?: number;
  /** How often the jails and slots are brought to what is likely to be wanted. */
  readonly balanceMs: number;
  /** Demand of earlier lives by the name of the kind, as {@link Pool.history} gave it. */
  readonly history?: Readonly<Record<string, unknown>>;
}

/** A sandbox in the hands of one run. */
export interface Lease {
  readonly jail: Jail;
  readonly connection: SandboxConnection;
  /** Gives it back. `again`: its run has come to its end, and its init serves another one; otherwise it is cut off and another one takes its place. */
  release(again: boolean): void;
}

/** A run for which there is no jail yet, because every one that there may be is in use. */
interface Waiter {
  readonly kind: JailKind;
  readonly tenant: string;
  readonly enter: (assigned: Assigned) => void;
  readonly fail: (error: SandboxError) => void;
}

/** The unassigned jails of a kind, and how many tenants came for one within a minute. */
interface Shelf {
  readonly kind: JailKind;
  readonly demand: Demand;
  spares: Jail[];
  minute: number;
  taken: number;
}

/** A tenant's jail, and the smaller one that is made to take its place. */
interface Assigned {
  readonly kind: JailKind;
  readonly demand: Demand;
  jail: Jail;
  successor: Jail | null;
}

/**
 * Keeps jails ready. A tenant's first run in a kind of jail takes an unassigned jail, which becomes the tenant's for good; a tenant's jail keeps
 * one slot more ready than it uses, and gets another one when a run has to wait for a used one to be made anew. How many jails wait
 * unassigned, and how many slots a tenant's jail has, follows what was wanted before.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #create: (kind: JailKind) => Jail;
  readonly #mostIdle: number;
  readonly #shelves = new Map<string, Shelf>();
  readonly #assigned = new Map<string, Assigned>();
  /** The longest first. */
  readonly #waiters = new Set<Waiter>();
  readonly #timers: NodeJS.Timeout[];
  #stopped = false;

  constructor(options: PoolOptions, create: (kind: JailKind) => Jail) {
    this.#options = options;
    this.#create = create;
    this.#mostIdle = options.mostIdle ?? mostIdle;
    this.#timers = [
      setInterval(() => this.#endIdle(), Math.min(options.idleMs, 30_000)),
      setInterval(() => this.#balance(), options.balanceMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Makes an unassigned jail of a kind, if there is none. It takes the place of earlier kinds of the same name. */
  warm(kind: JailKind): void {
    const shelf = this.#shelf(kind);
    for (const other of this.#shelves.values()) if (other !== shelf && other.kind.name === kind.name) this.#clear(other);
    this.#fill(shelf, Math.max(1, this.#sparesFor(shelf)));
  }

  /** A sandbox for a run of `tenant`. Rejects with `no_capacity` after the wait, with `sandbox_failed` when jails will not start. */
  async acquire(kind: JailKind, tenant: string): Promise<Lease> {
    for (let left = attempts; ; left -= 1) {
      try {
        return await this.#acquireOnce(kind, tenant);
      } catch (error) {
        // Nothing of the run has begun: a jail that was about to die is no reason to fail it.
        if (left === 1 || !(error instanceof SandboxError) || error.code !== "sandbox_failed") throw error;
      }
    }
  }

  /** The demand for each kind, to be remembered over a restart. */
  history(): Record<string, DemandHistory> {
    return Object.fromEntries([...this.#shelves.values()].map(({ kind, demand }) => [kind.name, demand.history]));
  }

  report(): PoolReport[] {
    return [...this.#shelves.values()].map((shelf) => ({
      kind: shelf.kind.name,
      spares: shelf.spares.filter((jail) => !jail.dead).length,
      wantedSpares: this.#sparesFor(shelf),
      jails: [...this.#assigned.values()]
        .filter(({ kind, jail }) => kind.name === shelf.kind.name && !jail.dead)
        .map(({ jail, demand }) => ({
          tenant: jail.tenant ?? "",
          slots: jail.slots,
          ready: jail.ready,
          busy: jail.busy,
          wantedSlots: this.#slotsFor(demand),
          usedAt: jail.usedAt,
        })),
    }));
  }

  /** Ends the jails of a tenant who will not come again. */
  dismiss(tenant: string): void {
    for (const [key, assigned] of this.#assigned) if (assigned.jail.tenant === tenant) this.#forget(key, assigned);
  }

  /** Ends every jail. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    const jails = [
      ...[...this.#shelves.values()].flatMap((shelf) => shelf.spares),
      ...[...this.#assigned.values()].flatMap(({ jail, successor }) => (successor === null ? [jail] : [jail, successor])),
    ];
    for (const shelf of this.#shelves.values()) shelf.spares = [];
    this.#assigned.clear();
    for (const waiter of this.#waiters) waiter.fail(stopping());
    await Promise.all(jails.map((jail) => jail.end()));
  }

  async #acquireOnce(kind: JailKind, tenant: string): Promise<Lease> {
    const { jail } = this.#enter(kind, tenant) ?? (await this.#waitForRoom(kind, tenant));
    if (jail.busy >= jail.slots || jail.ready === 0) this.#widen(jail);
    try {
      const connection = await jail.take(this.#options.waitMs);
      let released = false;
      const release = (again: boolean) => {
        if (released) return;
        released = true;
        jail.usedAt = Date.now();
        try {
          if (again) return jail.recycle(connection);
          if (jail.slots - jail.busy >= this.#mostIdle) jail.dropSlot(connection.slot);
          connection.close();
        } finally {
          this.#leave(jail);
        }
      };
      return { jail, connection, release };
    } catch (error) {
      this.#leave(jail);
      throw error;
    }
  }

  /** A run in the tenant's jail; null while there may be no jail more. */
  #enter(kind: JailKind, tenant: string): Assigned | null {
    const assigned = this.#assignedTo(kind, tenant);
    if (assigned === null) return null;
    assigned.jail.busy += 1;
    assigned.demand.note(Date.now(), assigned.jail.busy);
    return assigned;
  }

  #leave(jail: Jail): void {
    jail.busy -= 1;
    this.#letIn();
  }

  #waitForRoom(kind: JailKind, tenant: string): Promise<Assigned> {
    const { waitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const full = () => waiter.fail(new SandboxError("no_capacity", `every sandbox was in use for ${waitMs} ms`));
      const timer = setTimeout(full, waitMs);
      const leave = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        kind,
        tenant,
        enter: (assigned) => (leave(), resolve(assigned)),
        fail: (error) => (leave(), reject(error)),
      };
      this.#waiters.add(waiter);
    });
  }

  /** Whoever waits and can have a jail by now. One that cannot be made is the waiter's trouble, and nobody else's. */
  #letIn(): void {
    if (this.#stopped) return;
    for (const waiter of this.#waiters) {
      try {
        const assigned = this.#enter(waiter.kind, waiter.tenant);
        if (assigned !== null) waiter.enter(assigned);
      } catch (error) {
        waiter.fail(new SandboxError("sandbox_failed", error instanceof Error ? error.message : String(error), error));
      }
    }
  }

  /** One slot more: at once for a run that has to wait, else when the run at hand is under way. */
  #widen(jail: Jail): void {
    const { slots } = jail;
    const add = () => {
      if (jail.slots === slots && slots < this.#options.slotsPerJail) jail.addSlot();
    };
    if (jail.ready === 0) add();
    else setTimeout(add, laterMs).unref();
  }

  #assignedTo(kind: JailKind, tenant: string): Assigned | null {
    if (this.#stopped) throw stopping();
    const key = `${kind.key}\0${tenant}`;
    const known = this.#assigned.get(key);
    if (known !== undefined && !known.jail.dead) return known;
    if (known === undefined && !this.#makeRoom()) return null;
    void known?.successor?.end();
    const assigned = { kind, jail: this.#takeSpare(kind), demand: known?.demand ?? new Demand(Date.now()), successor: null };
    assigned.jail.assign(tenant);
    this.#assigned.set(key, assigned);
    return assigned;
  }

  #takeSpare(kind: JailKind): Jail {
    const shelf = this.#shelf(kind);
    const now = Date.now();
    const minute = Math.floor(now / minuteMs);
    shelf.taken = shelf.minute === minute ? shelf.taken + 1 : 1;
    shelf.minute = minute;
    shelf.demand.note(now, shelf.taken);
    const jail = shelf.spares.find((spare) => !spare.dead && spare.ready > 0) ?? shelf.spares.find((spare) => !spare.dead);
    shelf.spares = shelf.spares.filter((spare) => spare !== jail && !spare.dead);
    setTimeout(() => this.#fill(shelf, this.#sparesFor(shelf)), laterMs).unref();
    return jail ?? this.#make(kind, 1);
  }

  #shelf(kind: JailKind): Shelf {
    const known = this.#shelves.get(kind.key);
    if (known !== undefined) return known;
    const earlier = [...this.#shelves.values()].find((shelf) => shelf.kind.name === kind.name);
    const demand = earlier?.demand ?? new Demand(Date.now(), this.#options.history?.[kind.name]);
    const shelf = { kind, demand, spares: [], minute: 0, taken: 0 };
    this.#shelves.set(kind.key, shelf);
    return shelf;
  }

  /** Ends the unassigned jails of a kind that is wanted no more; those of tenants end when they are idle. */
  #clear(shelf: Shelf): void {
    this.#shelves.delete(shelf.kind.key);
    for (const jail of shelf.spares.splice(0)) void jail.end();
  }

  #make(kind: JailKind, slots: number): Jail {
    const jail = this.#create(kind);
    for (let count = 0; count < slots; count += 1) jail.addSlot();
    return jail;
  }

  #sparesFor({ kind, demand }: Shelf): number {
    return Math.min(Math.max(Math.round(demand.expected(Date.now())), kind.always ? 1 : 0), this.#options.maxSpares);
  }

  #fill(shelf: Shelf, wanted: number): void {
    if (this.#stopped || this.#shelves.get(shelf.kind.key) !== shelf) return;
    shelf.spares = shelf.spares.filter((jail) => !jail.dead);
    while (shelf.spares.length < wanted) shelf.spares.push(this.#make(shelf.kind, 1));
  }

  #slotsFor(demand: Demand): number {
    return Math.min(Math.max(demand.wanted(Date.now()), 1) + 1, this.#options.slotsPerJail);
  }

  /** At the limit the jail that nobody uses and that was used longest ago ends. False: each is in use. */
  #makeRoom(): boolean {
    if (this.#assigned.size < this.#options.maxJails) return true;
    const idle = [...this.#assigned]
      .filter(([, { jail }]) => jail.busy === 0 || jail.dead)
      .toSorted(([, a], [, b]) => a.jail.usedAt - b.jail.usedAt)[0];
    if (idle !== undefined) this.#forget(...idle);
    return idle !== undefined;
  }

  #endIdle(): void {
    const oldest = Date.now() - this.#options.idleMs;
    for (const [key, assigned] of this.#assigned) {
      const { jail } = assigned;
      if (jail.dead || (jail.busy === 0 && jail.usedAt < oldest)) this.#forget(key, assigned);
    }
  }

  #forget(key: string, { jail, successor }: Assigned): void {
    this.#assigned.delete(key);
    void jail.end();
    void successor?.end();
    if (this.#waiters.size > 0) queueMicrotask(() => this.#letIn()); // not while somebody counts on the room
  }

  /** Brings jails and slots to what is likely to be wanted. */
  #balance(): void {
    for (const shelf of this.#shelves.values()) {
      const wanted = this.#sparesFor(shelf);
      if (shelf.spares.length * shrinkBelow > wanted) for (const jail of shelf.spares.splice(wanted)) void jail.end();
      else this.#fill(shelf, wanted);
    }
    for (const assigned of this.#assigned.values()) this.#resize(assigned);
  }

  /** More slots are added; fewer means another jail, which takes over when it is ready and this one is not in use. */
  #resize(assigned: Assigned): void {
    const { jail, demand, kind } = assigned;
    const wanted = Math.min(this.#slotsFor(demand), jail.busy + this.#mostIdle);
    while (!jail.dead && jail.slots < wanted) jail.addSlot();
    if (assigned.successor === null) {
      if (wanted < jail.slots * shrinkBelow) assigned.successor = this.#make(kind, wanted);
    } else if (wanted >= jail.slots * shrinkBelow) {
      void assigned.successor.end();
      assigned.successor = null;
    } else if (jail.busy === 0 && assigned.successor.ready > 0) {
      assigned.successor.assign(jail.tenant ?? "");
      assigned.successor.usedAt = jail.usedAt;
      assigned.jail = assigned.successor;
      assigned.successor = null;
      void jail.end();
    }
  }
}

function stopping(): SandboxError {
  return new SandboxError("no_capacity", "the server is shutting down");
}
