import type { AccessLevel, ResourceType } from "@syla/contracts/access";
import type { Audit } from "../audit/service.ts";
import type { Database } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Actor } from "./actor.ts";
import { Holds, type Hold } from "./holds.ts";
import { can, higher, requirePermission, type ThingAction } from "./permission.ts";
import { findReachingGrants, findStanding } from "./store.ts";
import { UseNotes } from "./use-notes.ts";

export { can, requirePermission } from "./permission.ts";
export { during, type Hold } from "./holds.ts";
export { sharedWith, visibleTo, type Viewer } from "./store.ts";

/** Something that can be shared, as its domain knows it. */
export interface Thing {
  readonly type: ResourceType;
  readonly id: string;
  readonly ownerId: string;
  readonly visibility: "private" | "public";
  /** What people call it. */
  readonly name: string;
}

/** What access is made of. */
export interface AccessContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly audit: Pick<Audit, "add">;
}

/** Who may do what with a thing: loads what the actor was granted, and decides with `can`. */
export class Access {
  readonly #context: AccessContext;
  readonly #holds: Holds;
  readonly #notes: UseNotes;

  constructor(context: AccessContext) {
    this.#context = context;
    this.#notes = new UseNotes(context.audit);
    this.#holds = new Holds(context.notifications, (actor, allowed) => this.#lookAgain(actor, allowed));
  }

  /** Begins to hear of access that is taken away. `onChange` is told whose or what's (`user:ID`, `run:ID`); null: it may be anybody's. */
  async listen(onChange: (what: string | null) => void): Promise<void> {
    await this.#holds.listen(onChange);
  }

  /** Lets nothing be held any more. */
  close(): void {
    this.#holds.close();
  }

  /**
   * Decides, and notes for the audit trail that somebody else's thing was looked at.
   *
   * @throws AppError `not_found`, `forbidden`
   */
  async require(actor: Actor, action: ThingAction, thing: Thing): Promise<void> {
    const { level } = await this.#granted(actor, thing);
    requirePermission(actor, action, { ...thing, level });
    if (thing.ownerId !== actor.userId) this.#notes.note(actor, action, thing);
  }

  /**
   * A signal that aborts when the caller goes, and within about a second when the access ends that the actor has now: because it is revoked or
   * expires, because the account is suspended, or because the session or key is gone. `load` finds the thing as it is then. Decide first.
   */
  hold(actor: Actor, action: ThingAction, thing: Thing, load: () => Promise<Thing | undefined>, gone?: AbortSignal): Hold {
    const allowed = async (current: Actor) => {
      const now = await load();
      if (now === undefined) return { allowed: false, until: null };
      const { level, until } = await this.#granted(current, now);
      return { allowed: can(current, action, { ...now, level }), until };
    };
    return this.#holds.hold(actor, `${thing.type}:${thing.id}`, allowed, gone);
  }

  /** What grants give the actor, and when that changes by itself. Owners and administrators need none. */
  async #granted(actor: Actor, thing: Thing): Promise<{ level: AccessLevel | null; until: Date | null }> {
    if (actor.role === "admin" || thing.ownerId === actor.userId) return { level: null, until: null };
    const grants = await findReachingGrants(this.#context.database.queries, actor.userId, thing.type, thing.id);
    const ends = grants.flatMap(({ expires_at }) => (expires_at === null ? [] : [expires_at.getTime()]));
    return {
      level: grants.reduce<AccessLevel | null>((best, grant) => higher(best, grant.level), null),
      until: ends.length === 0 ? null : new Date(Math.min(...ends)),
    };
  }

  async #lookAgain(
    actor: Actor,
    allowed: (actor: Actor) => Promise<{ allowed: boolean; until: Date | null }>,
  ): Promise<{ allowed: boolean; until: Date | null }> {
    const standing = await findStanding(this.#context.database.queries, actor);
    if (standing === undefined || standing.status !== "active" || !standing.valid) return { allowed: false, until: null };
    const found = await allowed({ ...actor, role: standing.role });
    const ends = [found.until, standing.expires_at].flatMap((end) => (end === null ? [] : [end.getTime()]));
    return { allowed: found.allowed, until: ends.length === 0 ? null : new Date(Math.min(...ends)) };
  }
}
