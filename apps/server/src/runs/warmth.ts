import { z } from "zod";

/** How long a worker leaves a run to another one that has a sandbox of its owner ready. */
const leaveMs = 100;
/** Of workers that fit equally, the one with more to do asks for it this much later at most. */
const busyMs = 20;
/** So many places does a worker tell of: the newest. */
const mostTold = 200;
const mostRemembered = 2000;

/** What a run wants to find ready: sandboxes of its owner for its language, and the packages of its program. */
export function placeOf({ ownerId, language, program }: PlacedRun): string {
  return [ownerId, language, program?.environmentId ?? ""].join(" ");
}

interface PlacedRun {
  readonly ownerId: string;
  readonly language: string;
  readonly program: { readonly environmentId?: string | null | undefined } | null;
}

/** Of a configuration, what tells the place; one that cannot be read has the place of those without packages. */
const Placed = z.object({ program: z.object({ environmentId: z.string().nullish() }).nullish() }).catch({});

/** The same of a row. */
export function placeOfRow(row: { readonly owner_id: string; readonly language: string; readonly config: unknown }): string {
  return placeOf({ ownerId: row.owner_id, language: row.language, program: Placed.parse(row.config).program ?? null });
}

/** What is known of a worker. */
export interface Peer {
  readonly slots: number | null;
  readonly warm: readonly string[];
}

/**
 * Which runs this worker has sandboxes ready for, and which ones others do. Nobody hands runs out: whoever fits best asks the queue first. So the order of
 * the queue stays, a claim costs what it cost, and a wrong guess costs at most {@link leaveMs}.
 */
export class Warmth {
  /** Places of runs that had a sandbox here, the newest last. */
  readonly #places = new Set<string>();
  /** Whose sandboxes there are. */
  readonly #tenants: () => ReadonlySet<string>;
  #elsewhere: ReadonlySet<string> = new Set();
  #hasPeers = false;

  constructor(tenants: () => ReadonlySet<string>) {
    this.#tenants = tenants;
  }

  /** A run of that place has had a sandbox here. */
  note(place: string): void {
    this.#places.delete(place);
    this.#places.add(place);
    if (this.#places.size > mostRemembered) for (const oldest of this.#places) return void this.#places.delete(oldest);
  }

  /** The places that are ready here, the newest first. Those whose sandboxes have ended meanwhile are forgotten. */
  tell(): string[] {
    const tenants = this.#tenants();
    for (const place of this.#places) if (!tenants.has(ownerOf(place))) this.#places.delete(place);
    return [...this.#places].slice(-mostTold).toReversed();
  }

  /** What the other workers tell. */
  learn(peers: readonly Peer[]): void {
    const taking = peers.filter(({ slots }) => slots !== 0);
    this.#hasPeers = taking.length > 0;
    this.#elsewhere = new Set(taking.flatMap(({ warm }) => warm));
  }

  /** How long to leave what was queued to others. `places`: of the runs, where they are known; `load`: which part of the slots is in use. */
  delayMs(places: readonly string[], load: number): number {
    if (!this.#hasPeers) return 0;
    const fitsOthers = places.length > 0 && places.every((place) => this.#elsewhere.has(place) && !this.#places.has(place));
    return Math.round((fitsOthers ? leaveMs : 0) + load * busyMs);
  }
}

function ownerOf(place: string): string {
  return place.slice(0, place.indexOf(" "));
}
