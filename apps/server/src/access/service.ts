import type { AccessLevel, ResourceType } from "@syla/contracts/access";
import { Role } from "@syla/contracts/accounts";
import type { TeamRole } from "@syla/contracts/teams";
import type { Audit } from "../audit/service.ts";
import type { Database, Queries } from "../platform/database.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Actor } from "./actor.ts";
import { Holds, type Hold } from "./holds.ts";
import { can, higher, levelOf, requirePermission, type ThingAction } from "./permission.ts";
import { findLevels, findReachingGrants, findStanding, findTeamRole, findTeamRoles, findWorkspaceOwner } from "./store.ts";
import { UseNotes } from "./use-notes.ts";

export { can, personal, requirePermission, type Resource } from "./permission.ts";
export { during, holdEach, whileHeld, type Hold } from "./holds.ts";
export { findTeamRoles, findViewpoint, grantedTo, isGranted, removeGrants, sharedWith, visibleTo, type Viewer } from "./store.ts";
export { covers, refuseLimitedKey, requireScope } from "./scopes.ts";

/** What somebody has of a thing, as lists show it. */
export interface Standing {
  readonly level: AccessLevel;
  /** Whether it is theirs to give away. */
  readonly isOwner: boolean;
  /** Whether grants give anybody access. */
  readonly isShared: boolean;
}

/** Something that can be shared, as its domain knows it. */
export interface Thing {
  readonly type: ResourceType;
  readonly id: string;
  readonly ownerId: string;
  readonly visibility: "private" | "public";
  /** Of things of `system`: see `Resource`. */
  readonly isAdministered?: boolean;
  /** What people call it. */
  readonly name: string;
  /** It holds what only its owner was given: it is not shared. */
  readonly isPersonal?: boolean;
  /** The workspace that it is shown in: whoever may see that may see it. */
  readonly shownIn?: string;
}

/** What grants and teams give somebody of a thing, and until when that is sure. */
interface Granted {
  readonly level: AccessLevel | null;
  readonly teamRole: TeamRole | null;
  readonly until: Date | null;
}

function earliest(ends: readonly (Date | null)[]): Date | null {
  const times = ends.flatMap((end) => (end === null ? [] : [end.getTime()]));
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** Most calls are over by then. */
const callerLookMs = 1000;
const always = () => Promise.resolve(true);

function isDemoted(before: Actor, now: Actor): boolean {
  return Role.options.indexOf(now.role) < Role.options.indexOf(before.role);
}

/** What access is made of. */
export interface AccessContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly audit: Pick<Audit, "add">;
  /** Whether share links are opened without signing in, as it is now. */
  readonly anonymousLinks: () => boolean;
  /** Whether somebody who is signed in has to turn a second factor on before they do anything else, as it is now. */
  readonly needsSecondFactor: (actor: Actor) => Promise<boolean>;
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

  /** Looks again at everything that is held: what is allowed at all has changed. */
  lookAgain(): void {
    this.#holds.lookAgain();
  }

  /** Lets nothing be held any more. */
  close(): void {
    this.#holds.close();
  }

  /**
   * Decides, and notes for the audit trail that somebody else's thing was looked at, or that this was refused.
   *
   * @throws AppError `not_found`, `forbidden`
   */
  async require(actor: Actor, action: ThingAction, thing: Thing): Promise<void> {
    const { level, teamRole } = await this.#granted(actor, thing);
    try {
      requirePermission(actor, action, { ...thing, level, teamRole });
    } catch (refusal) {
      this.#notes.note(actor, action, thing, toAppError(refusal).code);
      throw refusal;
    }
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
      const { level, teamRole, until } = await this.#granted(current, now);
      return { allowed: can(current, action, { ...now, level, teamRole }), until };
    };
    const rests = [`${thing.type}:${thing.id}`, ...(thing.shownIn === undefined ? [] : [`workspace:${thing.shownIn}`])];
    return this.#holds.hold(actor, rests, allowed, gone);
  }

  /**
   * Like `hold`, for whatever is no thing of its own: it ends when the caller may not sign in any more, has a lower role than they had, has to
   * turn a second factor on first, or `allowed` says no. `about` is what the rest of that depends on (`asset:ID`).
   */
  holdCaller(actor: Actor, gone: AbortSignal, about = "", allowed: (current: Actor) => Promise<boolean> = always): Hold {
    const decide = async (current: Actor) => ({ allowed: !isDemoted(actor, current) && (await allowed(current)), until: null });
    return this.#holds.hold(actor, [about], decide, gone, callerLookMs);
  }

  /** What the actor has of each of several things of one type. They may see them: that is decided already. Inside a transaction `queries` is its own. */
  async standings(
    actor: Actor,
    things: readonly Omit<Thing, "name">[],
    queries: Queries = this.#context.database.queries,
  ): Promise<Map<string, Standing>> {
    const [type] = things.map((thing) => thing.type);
    if (type === undefined) return new Map();
    const ids = things.map((thing) => thing.id);
    // One after the other: a transaction has one connection.
    const granted = await findLevels(queries, actor.userId, type, ids);
    const roles = await findTeamRoles(queries, actor.userId);
    const levels = new Map(granted.map((row) => [row.id, row.levels]));
    return new Map(
      things.map((thing) => {
        const level = (levels.get(thing.id) ?? []).reduce<AccessLevel | null>((best, one) => higher(best, one), null);
        const resource = { ...thing, level, teamRole: roles.get(thing.ownerId) ?? null };
        const standing = {
          level: levelOf(actor, resource) ?? "view",
          isOwner: can(actor, "asset:transfer", resource),
          isShared: levels.has(thing.id),
        };
        return [thing.id, standing];
      }),
    );
  }

  /** What grants and teams give the actor, and when that changes by itself. Owners and administrators need none. */
  async #granted(actor: Actor, thing: Thing): Promise<Granted> {
    if (can(actor, "server:administer") || thing.ownerId === actor.userId) return { level: null, teamRole: null, until: null };
    const { queries } = this.#context.database;
    const teamRole = actor.via === "link" ? null : await findTeamRole(queries, actor.userId, thing.ownerId);
    const grants = await findReachingGrants(queries, actor, thing.type, thing.id);
    const granted = {
      level: grants.reduce<AccessLevel | null>((best, grant) => higher(best, grant.level), null),
      teamRole,
      until: earliest(grants.map(({ expires_at }) => expires_at)),
    };
    return thing.shownIn === undefined ? granted : await this.#withShown(actor, granted, thing.shownIn);
  }

  /** What somebody has of a thing besides, because they may see the workspace that it is shown in. */
  async #withShown(actor: Actor, granted: Granted, workspaceId: string): Promise<Granted> {
    const ownerId = await findWorkspaceOwner(this.#context.database.queries, workspaceId);
    if (ownerId === undefined) return granted;
    const place: Thing = { type: "workspace", id: workspaceId, ownerId, visibility: "private", name: "" };
    const there = await this.#granted(actor, place);
    if (!can(actor, "workspace:read", { ...place, ...there })) return granted;
    return { ...granted, level: higher(granted.level, "view"), until: earliest([granted.until, there.until]) };
  }

  async #lookAgain(
    actor: Actor,
    allowed: (actor: Actor) => Promise<{ allowed: boolean; until: Date | null }>,
  ): Promise<{ allowed: boolean; until: Date | null }> {
    if (actor.via === "link" && !this.#context.anonymousLinks()) return { allowed: false, until: null };
    const standing = await findStanding(this.#context.database.queries, actor);
    if (standing === undefined || standing.status !== "active" || !standing.valid) return { allowed: false, until: null };
    const now = { ...actor, role: standing.role };
    // Whoever was held up already was let in to turn it on, and to nothing else.
    if (actor.needsSecondFactor !== true && (await this.#context.needsSecondFactor(now))) return { allowed: false, until: null };
    const found = await allowed(now);
    return { allowed: found.allowed, until: earliest([found.until, standing.expires_at]) };
  }
}
