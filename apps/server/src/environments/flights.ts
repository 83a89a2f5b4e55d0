import type { EnvironmentPhase } from "@syla/contracts/environments";

type OnPhase = (phase: EnvironmentPhase) => void;
/** Is told when to end, and for whom it is done: a set that grows. Tells its phases. */
type Start = (ended: AbortSignal, tell: OnPhase, people: ReadonlySet<string>) => Promise<void>;

/** Somebody who waits. */
export interface Waiter {
  readonly personId: string;
  readonly signal: AbortSignal;
  readonly onPhase: OnPhase;
}

/** Something under way, for everybody who waits for it. */
interface Flight {
  readonly landed: Promise<void>;
  readonly abort: AbortController;
  readonly listeners: Set<OnPhase>;
  /** Who has asked for it. */
  readonly people: Set<string>;
  phase: EnvironmentPhase | null;
  waiting: number;
}

/** The same work asked for twice at once is done once; it is ended when nobody waits for it any more. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** `joined` hears of somebody more who waits for it. @throws what `start` throws, the signal's reason */
  async join(id: string, { personId, signal, onPhase }: Waiter, start: Start, joined: () => void): Promise<void> {
    const flight = this.#flights.get(id) ?? this.#begin(id, start);
    flight.people.add(personId);
    joined();
    flight.waiting += 1;
    flight.listeners.add(onPhase);
    if (flight.phase !== null) onPhase(flight.phase);
    const given = Promise.withResolvers<never>();
    const giveUp = () => given.reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    try {
      signal.throwIfAborted();
      await Promise.race([flight.landed, given.promise]);
    } finally {
      signal.removeEventListener("abort", giveUp);
      flight.listeners.delete(onPhase);
      flight.waiting -= 1;
      if (flight.waiting === 0 && signal.aborted) {
        if (this.#flights.get(id) === flight) this.#flights.delete(id); // who comes now starts anew
        flight.abort.abort(signal.reason);
      }
    }
  }

  /** Whether it is under way, or waits for its turn. */
  has(id: string): boolean {
    return this.#flights.has(id);
  }

  /** Ends everything. */
  async abort(): Promise<void> {
    const flights = [...this.#flights.values()];
    for (const { abort } of flights) abort.abort(new Error("the server is shutting down"));
    await Promise.all(flights.map((flight) => flight.landed.catch(() => {})));
  }

  #begin(id: string, start: Start): Flight {
    const abort = new AbortController();
    const listeners = new Set<OnPhase>();
    const people = new Set<string>();
    const tell: OnPhase = (phase) => {
      flight.phase = phase;
      for (const listener of listeners) listener(phase);
    };
    const landed = Promise.resolve().then(() => start(abort.signal, tell, people));
    const flight: Flight = { landed, abort, listeners, people, phase: null, waiting: 0 };
    const land = () => void (this.#flights.get(id) === flight && this.#flights.delete(id));
    landed.then(land, land); // whoever waits sees an error
    this.#flights.set(id, flight);
    return flight;
  }
}
