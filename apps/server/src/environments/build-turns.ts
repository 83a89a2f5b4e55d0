/** Builds at once on this server, whoever they are for. */
const mostAtOnce = 2;
/** One more for somebody who has none: nobody waits for the builds of one other person alone. */
const mostWithNewcomers = 3;

/** A build that waits for its turn. */
interface Waiting {
  readonly people: ReadonlySet<string>;
  readonly go: () => void;
}

/**
 * Whose build is next: that of who has the fewest going on, and of those the one that has waited longest. A build that several people wait
 * for counts for the one of them who has the fewest.
 */
export class BuildTurns {
  readonly #waiting: Waiting[] = [];
  readonly #running: ReadonlySet<string>[] = [];

  /** Resolves when it is its turn, or when the signal aborts; the answered function is to be called when the build has ended. `people` may grow. */
  async enter(people: ReadonlySet<string>, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const turn = Promise.withResolvers<boolean>();
    const entry: Waiting = { people, go: () => turn.resolve(true) };
    this.#waiting.push(entry);
    const giveUp = () => {
      const place = this.#waiting.indexOf(entry);
      if (place < 0) return; // it has its turn, and is over at once
      this.#waiting.splice(place, 1);
      turn.resolve(false);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#next();
    const isIn = await turn.promise;
    signal.removeEventListener("abort", giveUp);
    if (!isIn) throw signal.reason;
    return () => {
      const place = this.#running.indexOf(people);
      if (place < 0) return;
      this.#running.splice(place, 1);
      this.#next();
    };
  }

  /** Somebody more waits for one of them. */
  reconsider(): void {
    this.#next();
  }

  /** Lets everybody go on, to find out that there is nothing more to do. */
  release(): void {
    for (const { people, go } of this.#waiting.splice(0)) {
      this.#running.push(people);
      go();
    }
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting.map((entry) => ({ entry, going: this.#goingOn(entry.people) })).toSorted((a, b) => a.going - b.going); // stable: among equals the one that came first
      if (first === undefined) return;
      if (this.#running.length >= (first.going === 0 ? mostWithNewcomers : mostAtOnce)) return;
      this.#waiting.splice(this.#waiting.indexOf(first.entry), 1);
      this.#running.push(first.entry.people);
      first.entry.go();
    }
  }

  /** Builds that go on for whoever of them has the fewest. */
  #goingOn(people: ReadonlySet<string>): number {
    const counts = [...people].map((person) => this.#running.filter((others) => others.has(person)).length);
    return counts.length === 0 ? 0 : Math.min(...counts);
  }
}
