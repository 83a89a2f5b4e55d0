import type { SandboxConnection } from "../connection.ts";
import type { PoolReport } from "../spec.ts";
import type { Pod } from "./pod.ts";

/** One that nobody has wanted for so long goes. */
export const idleMs: number = 10 * 60_000;

/** A pod whose agent waits for its run. */
export interface BootedPod {
  readonly pod: Pod;
  readonly connection: SandboxConnection;
}

interface Shelf {
  readonly tenant: string;
  readonly label: string;
  readonly ready: Set<BootedPod>;
  making: number;
  usedAt: number;
}

/**
 * Pods that were made before anybody wanted them: of each kind that a tenant has used lately, as many as the server is told to keep. A kind is everything
 * that a pod is made of, so that one can be given to a run as it is.
 */
export class WarmPods {
  readonly #wanted: number;
  readonly #make: (kind: string) => Promise<BootedPod>;
  readonly #shelves = new Map<string, Shelf>();
  readonly #sweeping: NodeJS.Timeout;
  #stopped = false;

  constructor(wanted: number, make: (kind: string) => Promise<BootedPod>, idle: number = idleMs) {
    this.#wanted = wanted;
    this.#make = make;
    this.#sweeping = setInterval(() => this.#sweep(idle), Math.min(idle, 30_000)).unref();
  }

  /** One that is ready, or null; another one is made in its place. */
  take(kind: string, tenant: string, label: string): BootedPod | null {
    if (this.#wanted === 0) return null;
    const shelf: Shelf = this.#shelves.get(kind) ?? { tenant, label, ready: new Set(), making: 0, usedAt: 0 };
    this.#shelves.set(kind, shelf);
    shelf.usedAt = Date.now();
    const found = [...shelf.ready].find(({ pod, connection }) => pod.usable && !connection.closed);
    if (found !== undefined) shelf.ready.delete(found);
    this.#fill(kind, shelf);
    return found ?? null;
  }

  dismiss(tenant: string): void {
    for (const [kind, shelf] of this.#shelves) if (shelf.tenant === tenant) void this.#clear(kind, shelf);
  }

  report(): PoolReport[] {
    return [...this.#shelves.values()].map(({ tenant, label, ready, usedAt }) => ({
      kind: label,
      spares: 0,
      wantedSpares: 0,
      jails: [{ tenant, slots: ready.size, ready: ready.size, busy: 0, wantedSlots: this.#wanted, usedAt }],
    }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeping);
    await Promise.all([...this.#shelves].map(([kind, shelf]) => this.#clear(kind, shelf)));
  }

  #fill(kind: string, shelf: Shelf): void {
    for (; !this.#stopped && shelf.ready.size + shelf.making < this.#wanted; shelf.making += 1) void this.#add(kind, shelf);
  }

  /** One that cannot be made is missed by nobody: whoever wants a pod is told why there is none. */
  async #add(kind: string, shelf: Shelf): Promise<void> {
    const booted = await this.#make(kind).catch(() => null);
    shelf.making -= 1;
    if (booted === null) return;
    if (this.#stopped || this.#shelves.get(kind) !== shelf) return void booted.pod.end();
    shelf.ready.add(booted);
    void booted.pod.removed.then(() => shelf.ready.delete(booted)); // whatever has become of it
  }

  #sweep(idle: number): void {
    for (const [kind, shelf] of this.#shelves) {
      for (const booted of shelf.ready)
        if (!booted.pod.usable || booted.connection.closed) {
          shelf.ready.delete(booted);
          void booted.pod.end();
        }
      if (Date.now() - shelf.usedAt > idle) void this.#clear(kind, shelf);
    }
  }

  async #clear(kind: string, shelf: Shelf): Promise<void> {
    this.#shelves.delete(kind);
    const ready = [...shelf.ready];
    shelf.ready.clear();
    await Promise.all(ready.map(({ pod }) => pod.end()));
  }
}
