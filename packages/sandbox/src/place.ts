import type { SlotStats } from "./cgroups.ts";
import type { SandboxConnection } from "./connection.ts";
import type { PausedBy } from "./session.ts";
import { SandboxError } from "./spec.ts";

/** Where a run or a session lives, as those see it who follow it to its end: the same for each tier. */
export interface Place {
  readonly connection: SandboxConnection;
  /** What was counted since it was asked before; null where nothing counts. */
  stats(): SlotStats | null | Promise<SlotStats | null>;
  /** Stops everything in it or lets it go on. Null: only its init can do that. */
  freeze(wanted: boolean): PausedBy | null | Promise<PausedBy | null>;
  /** Gives it back. `again`: its run has come to its end, and it serves another one. */
  release(again: boolean): void;
  /** Ends it with everything around it. Resolves when nothing is left. */
  end(): Promise<void>;
  /** Why it has ended by itself; null where nothing more is known than that it has. */
  why?(): Promise<string | null>;
}

/** What a run or a session says when the connection to its place broke. */
export async function explain(place: Pick<Place, "why">, error: unknown): Promise<unknown> {
  const reason = await place.why?.();
  return reason == null ? error : new SandboxError("sandbox_failed", reason, error);
}
