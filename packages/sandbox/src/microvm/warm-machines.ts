import { Demand } from "../demand.ts";
import type { PoolReport } from "../spec.ts";

const minuteMs = 60_000;
const balanceMs = 15_000;

/** A machine that waits, as far as waiting goes. */
export interface Waiting {
  readonly machine: { readonly isDead: boolean; readonly ended: Promise<void>; end(): Promise<void> };
}

/** What machines are kept waiting within. */
export interface WarmOptions {
  /** Of one kind. 0: none waits. */
  readonly mostOfKind: number;
  /** Of all of them. */
  readonly mostBytes: number;
}

interface Shelf<T> {
  readonly name: string;
  readonly bytes: number;
  readonly make: () => Promise<T>;
  readonly demand: Demand;
  ready: T[];
  making: number;
  minute: number;
  /** In this minute. */
  taken: number;
}

/**
 * Machines that have gone on from one that was kept, before anybody wants them, and stand still until then. How many there are of a kind follows how many
 * were wanted lately.
 */
export class WarmMachines<T extends Waiting> {
  readonly #options: WarmOptions;
  readonly #shelves = new Map<string, Shelf<T>>();
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;
  #stopped = false;

  constructor(options: WarmOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#balance(), balanceMs);
    this.#timer.unref();
  }

  /** One that waits; null where none does. */
  take(kind: string): T | null {
    const shelf = this.#shelves.get(kind);
    const waiting = shelf?.ready.find(({ machine }) => !machine.isDead);
    if (shelf === undefined || waiting === undefined) return null;
    this.#forget(shelf, waiting);
    return waiting;
  }

  /** One of a kind was wanted: others will be. `make` makes one that waits, of so many bytes; rejects where there is no room for it. */
  want(kind: string, name: string, bytes: number, make: () => Promise<T>): void {
    const now = Date.now();
    const shelf = this.#shelves.get(kind) ?? { name, bytes, make, demand: new Demand(now), ready: [], making: 0, minute: 0, taken: 0 };
    this.#shelves.set(kind, shelf);
    const minute = Math.floor(now / minuteMs);
    shelf.taken = shelf.minute === minute ? shelf.taken + 1 : 1;
    shelf.minute = minute;
    shelf.demand.note(now, shelf.taken);
    this.#fill(shelf);
  }

  /** Ends those that wait until so many bytes are given back, or none is left. */
  makeRoom(bytes: number): void {
    let freed = 0;
    for (const shelf of this.#shelves.values())
      for (; freed < bytes && shelf.ready.length > 0; freed += shelf.bytes) this.#end(shelf, shelf.ready.shift());
  }

  report(): PoolReport[] {
    return [...this.#shelves.values()].map((shelf) => {
      const spares = shelf.ready.filter(({ machine }) => !machine.isDead).length;
      return { kind: shelf.name, spares, wantedSpares: this.#wanted(shelf), jails: [] };
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const waiting = [...this.#shelves.values()].flatMap(({ ready }) => ready);
    this.#shelves.clear();
    await Promise.all(waiting.map(({ machine }) => machine.end()));
  }

  #wanted({ demand }: Shelf<T>): number {
    return Math.min(demand.wanted(Date.now()), this.#options.mostOfKind);
  }

  #fill(shelf: Shelf<T>): void {
    const missing = this.#wanted(shelf) - shelf.ready.length - shelf.making;
    for (let count = 0; count < missing && this.#bytes + shelf.bytes <= this.#options.mostBytes; count += 1) void this.#makeOne(shelf);
  }

  /** One that cannot be made is made when it is wanted, or that fails where somebody sees it. */
  async #makeOne(shelf: Shelf<T>): Promise<void> {
    shelf.making += 1;
    this.#bytes += shelf.bytes;
    try {
      const waiting = await shelf.make();
      shelf.ready.push(waiting);
      void waiting.machine.ended.then(() => this.#forget(shelf, waiting));
      if (this.#stopped) this.#end(shelf, shelf.ready.pop());
    } catch {
      this.#bytes -= shelf.bytes;
    } finally {
      shelf.making -= 1;
    }
  }

  #balance(): void {
    for (const [kind, shelf] of this.#shelves) {
      const wanted = this.#wanted(shelf);
      while (shelf.ready.length > wanted) this.#end(shelf, shelf.ready.shift());
      if (wanted === 0 && shelf.making === 0) this.#shelves.delete(kind);
      else this.#fill(shelf);
    }
  }

  #forget(shelf: Shelf<T>, waiting: T): void {
    const place = shelf.ready.indexOf(waiting);
    if (place < 0) return;
    shelf.ready.splice(place, 1);
    this.#bytes -= shelf.bytes;
  }

  #end(shelf: Shelf<T>, waiting: T | undefined): void {
    if (waiting === undefined) return;
    this.#bytes -= shelf.bytes;
    void waiting.machine.end();
  }
}
