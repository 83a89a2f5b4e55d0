import { addAbortSignal, type Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { Notifications } from "../platform/notifications.ts";
import type { Actor } from "./actor.ts";

/** What the database's triggers say on it: `user:ID` or `run:ID`. */
const accessChannel = "access_changed";
/** Longer timers overflow: then it is looked at again in between. */
const longestTimerMs = 24 * 3_600_000;
/** After the moment of an expiry, so that the database's clock has passed it too. */
const marginMs = 50;
/** When the database could not be asked whether access has ended. */
const retryMs = 1000;

/** Access that something open rests on. */
export interface Hold {
  /** Aborts when the access ends, or when the caller has gone. */
  readonly signal: AbortSignal;
  /** What was open is closed. */
  release(): void;
}

/** Whether something is still allowed, and until when that is sure. */
interface Finding {
  readonly allowed: boolean;
  readonly until: Date | null;
}
type Allowed = (actor: Actor) => Promise<Finding>;

interface Held {
  readonly actor: Actor;
  /** What the access depends on, in the channel's words. */
  readonly things: readonly string[];
  readonly look: () => void;
}

/** Everything open that rests on somebody's access, looked at again whenever that may have changed. */
export class Holds {
  readonly #notifications: Notifications;
  readonly #check: (actor: Actor, allowed: Allowed) => Promise<Finding>;
  readonly #held = new Set<Held>();
  #end: (() => void) | undefined;

  constructor(notifications: Notifications, check: (actor: Actor, allowed: Allowed) => Promise<Finding>) {
    this.#notifications = notifications;
    this.#check = check;
  }

  async listen(onChange: (what: string | null) => void): Promise<void> {
    const tell = (what: string | null) => {
      onChange(what);
      for (const { actor, things, look } of this.#held)
        if (what === null || things.includes(what) || what === `user:${actor.userId}`) look();
    };
    this.#end = await this.#notifications.listen(accessChannel, tell, () => tell(null));
  }

  /** Looks at everything that is held. */
  lookAgain(): void {
    for (const { look } of this.#held) look();
  }

  close(): void {
    this.#end?.();
  }

  /**
   * Holds from now on; a first look, after `lookMs`, sees what changed since it was decided, and when the access will end. What is over by then
   * costs no query.
   */
  hold(actor: Actor, things: readonly string[], allowed: Allowed, gone?: AbortSignal, lookMs = 0): Hold {
    const ended = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const look = async (): Promise<void> => {
      const finding = await this.#check(actor, allowed).catch(() => null);
      if (ended.signal.aborted || !this.#held.has(held)) return;
      if (finding?.allowed === false)
        return ended.abort(new AppError("forbidden", { message: "The access that this rested on has ended." }));
      clearTimeout(timer);
      if (finding === null) timer = setTimeout(() => void look(), retryMs).unref();
      else if (finding.until !== null) timer = setTimeout(() => void look(), delayUntil(finding.until)).unref();
    };
    const held: Held = { actor, things, look: () => void look() };
    this.#held.add(held);
    const signal = gone === undefined ? ended.signal : AbortSignal.any([ended.signal, gone]);
    const release = () => {
      clearTimeout(timer);
      this.#held.delete(held);
    };
    signal.addEventListener("abort", release, { once: true });
    if (signal.aborted) release();
    else if (lookMs === 0) void look();
    else timer = setTimeout(() => void look(), lookMs).unref();
    return { signal, release };
  }
}

function delayUntil(end: Date): number {
  return Math.min(Math.max(end.getTime() - Date.now(), 0) + marginMs, longestTimerMs);
}

/** The events while they last, and then the end of the hold. */
export async function* during<T>(hold: Hold, events: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* events;
  } finally {
    hold.release();
  }
}

/** What is sent is cut off, so that nobody takes it for all of it, when the access ends that it rests on. */
export function whileHeld(content: Readable, holds: readonly Hold[]): Readable {
  for (const { signal } of holds) addAbortSignal(signal, content);
  return content.once("close", () => holds.forEach((hold) => hold.release()));
}

/** A hold of each, or none of any. */
export async function holdEach<T>(things: readonly T[], hold: (thing: T) => Promise<Hold>): Promise<Hold[]> {
  const settled = await Promise.allSettled(things.map(hold));
  const holds = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed === undefined) return holds;
  for (const one of holds) one.release();
  throw failed.reason;
}
