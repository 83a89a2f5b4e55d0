import type { Audit } from "../audit/service.ts";
import type { Actor } from "./actor.ts";
import type { ThingAction } from "./permission.ts";

/** A page that is left open asks again and again: once in so long is enough to know. */
const onceInMs = 10 * 60_000;
const maxNotes = 20_000;

/**
 * Looking at a thing changes nothing, so no route of it is in the trail: this is, once for each person (or link and address), thing, way of
 * looking and ten minutes.
 */
const noted: readonly ThingAction[] = [
  "run:read",
  "run:log",
  "run:artifact",
  "run:input",
  "sandbox:read",
  "sandbox:use",
  "asset:read",
  "workspace:read",
];

interface Looked {
  readonly type: string;
  readonly id: string;
  readonly ownerId: string;
}

/** Tells the audit trail who looks at what is somebody else's. */
export class UseNotes {
  readonly #audit: Pick<Audit, "add">;
  readonly #now: () => number;
  readonly #until = new Map<string, number>();

  constructor(audit: Pick<Audit, "add">, now: () => number = Date.now) {
    this.#audit = audit;
    this.#now = now;
  }

  /** `errorCode`: why it was refused. */
  note(actor: Actor, action: ThingAction, { type, id, ownerId }: Looked, errorCode?: string): void {
    if (!noted.includes(action)) return;
    const key = `${actor.userId} ${actor.impersonatorId ?? ""} ${actor.linkId ?? ""} ${actor.address ?? ""} ${action} ${id} ${errorCode ?? ""}`;
    const now = this.#now();
    if ((this.#until.get(key) ?? 0) > now) return;
    this.#until.delete(key); // the oldest come first
    this.#until.set(key, now + onceInMs);
    for (const [old, until] of this.#until) {
      if (until > now && this.#until.size <= maxNotes) break;
      this.#until.delete(old);
    }
    const outcome = errorCode === undefined ? {} : ({ outcome: "denied", errorCode } as const);
    this.#audit.add({ action: action.replace(":", "."), actor, resourceType: type, resourceId: id, ...outcome, details: { ownerId } });
  }
}
