import type { Actor } from "../access/actor.ts";

/** Somebody on a live connection, as every message of theirs is looked at. */
export interface Member {
  readonly actor: Actor;
  /** What they have open: its id is the name of the room of those who have. */
  readonly roomId: string;
  /** What others read. */
  readonly name: string;
  /** Ends the connection because of a fault of ours: they come again, with what was not confirmed. */
  readonly sendAway: () => void;
  /** Whether they could write in the document that a message is of when they came in; of the room itself it is not known. */
  readonly mayWrite?: boolean;
}
