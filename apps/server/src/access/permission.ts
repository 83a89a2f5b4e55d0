import { AppError } from "@syla/contracts/errors";
import { levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { Actor } from "./actor.ts";

/** The level that an action on a thing takes. */
const neededLevels = {
  "run:read": "view",
  "run:rerun": "run",
  "run:cancel": "edit",
  "run:share": "admin",
  "sandbox:read": "view",
  "sandbox:use": "edit",
  "sandbox:delete": "admin",
  "sandbox:share": "admin",
  "team:read": "view",
  "team:manage": "admin",
} as const satisfies Record<string, AccessLevel>;

/** What can be done to one thing. */
export type ThingAction = keyof typeof neededLevels;

/** What can be done besides, by whoever has the role. */
export type RoleAction =
  | "run:list-all"
  | "run:full-network"
  | "sandbox:list-all"
  | "sandbox:keep"
  | "team:create"
  | "team:list-all"
  | "worker:list-all"
  | "server:inspect";

/** What can be done, by the kind of thing it is done to. */
export type Action = ThingAction | RoleAction;

/** The thing that an action is about, as far as permission depends on it. */
export interface Resource {
  readonly type: "run" | "sandbox" | "team";
  readonly id: string;
  /** Null: it belongs to nobody. */
  readonly ownerId: string | null;
  readonly visibility: string;
  /** The highest level that a grant gives the actor. */
  readonly level: AccessLevel | null;
}

/** The one permission check. Everything else that decides who may do what calls it. */
export function can(actor: Actor, action: RoleAction): boolean;
export function can(actor: Actor, action: ThingAction, resource: Resource): boolean;
export function can(actor: Actor, action: Action, resource?: Resource): boolean {
  if (actor.role === "admin") return true;
  if (resource !== undefined) {
    const level = levelOf(actor, resource);
    return level !== null && levelCovers(level, neededLevels[action as ThingAction]);
  }
  switch (action) {
    case "sandbox:keep":
    case "team:create":
    case "server:inspect":
      return actor.role === "developer";
    default:
      return false;
  }
}

/** What an actor has of a thing; an owner has everything. Public is view and run, for everybody who is signed in. */
export function levelOf(actor: Actor, resource: Resource): AccessLevel | null {
  if (actor.role === "admin" || resource.ownerId === actor.userId) return "admin";
  const open = resource.visibility === "public" ? "run" : null;
  const best = higher(open, resource.level);
  // End users view and run what others have; they change nothing of it. What they are in a team is no matter of the role.
  return actor.role === "end_user" && resource.type !== "team" ? lower(best, "run") : best;
}

/** The higher of two levels. */
export function higher(a: AccessLevel | null, b: AccessLevel | null): AccessLevel | null {
  if (a === null || b === null) return a ?? b;
  return levelCovers(a, b) ? a : b;
}

function lower(a: AccessLevel | null, most: AccessLevel): AccessLevel | null {
  return a !== null && levelCovers(a, most) ? most : a;
}

/**
 * Like {@link can}, as a guard. A thing that the actor may not even see is reported as missing, so that ids cannot be probed.
 *
 * @throws AppError `not_found`, `forbidden`
 */
export function requirePermission(actor: Actor, action: RoleAction): void;
export function requirePermission(actor: Actor, action: ThingAction, resource: Resource): void;
export function requirePermission(actor: Actor, action: Action, resource?: Resource): void {
  if (resource === undefined) {
    if (!can(actor, action as RoleAction)) throw new AppError("forbidden");
  } else if (!can(actor, action as ThingAction, resource)) {
    throw new AppError(can(actor, `${resource.type}:read`, resource) ? "forbidden" : "not_found");
  }
}
