import { AppError } from "@syla/contracts/errors";
import { levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { TeamRole } from "@syla/contracts/teams";
import type { Actor } from "./actor.ts";

/** The level that an action on a thing takes. */
const neededLevels = {
  "run:read": "view",
  "run:log": "view",
  "run:artifact": "view",
  "run:input": "view",
  "run:rerun": "run",
  "run:cancel": "edit",
  "run:pin": "edit",
  "run:delete": "admin",
  "run:share": "admin",
  "sandbox:read": "view",
  "sandbox:use": "edit",
  "sandbox:delete": "admin",
  "sandbox:share": "admin",
  "workspace:read": "view",
  "workspace:run": "run",
  "workspace:edit": "edit",
  "workspace:share": "admin",
  "workspace:delete": "admin",
  "workspace:transfer": "admin",
  "asset:read": "view",
  "asset:run": "run",
  "asset:edit": "edit",
  "asset:share": "admin",
  "asset:delete": "admin",
  "asset:transfer": "admin",
  "team:read": "view",
  "team:manage": "admin",
  "credential:read": "view",
  "credential:use": "run",
  "credential:manage": "admin",
  "package_index:read": "view",
  "package_index:manage": "admin",
  "webhook:read": "view",
  "webhook:manage": "admin",
  "trigger:read": "view",
  "trigger:manage": "admin",
  "schedule:read": "view",
  "schedule:manage": "admin",
  "team:usage": "admin",
  "budget:read": "view",
  "budget:manage": "admin",
  "environment:read": "view",
  "account:read": "view",
  "api_key:read": "view",
  "api_key:limit": "admin",
} as const satisfies Record<string, AccessLevel>;

/** What can be done to one thing. */
export type ThingAction = keyof typeof neededLevels;

/** What can be done besides, by whoever has the role. */
export type RoleAction =
  | "run:list-all"
  | "run:full-network"
  | "sandbox:list-all"
  | "sandbox:keep"
  | "asset:create"
  | "workspace:create"
  /** One that does not last. */
  | "workspace:try"
  | "workspace:list-all"
  | "asset:list-all"
  | "environment:list-all"
  | "environment:manage"
  | "team:create"
  | "team:list-all"
  | "team:limit"
  | "credential:create"
  | "package_index:create"
  | "webhook:create"
  | "trigger:create"
  | "schedule:create"
  | "schedule:list-all"
  | "model:try"
  | "model:give-away"
  | "usage:list-all"
  | "quota:exceed-own"
  | "system:own"
  | "server:administer"
  | "worker:list-all"
  | "worker:manage"
  | "budget:set-any"
  | "server:inspect";

/** What can be done, by the kind of thing it is done to. */
export type Action = ThingAction | RoleAction;

type TypeOf<A extends ThingAction> = A extends `${infer Type}:${string}` ? Type : never;

/** The thing that an action is about, as far as permission depends on it. */
export interface Resource {
  readonly type: TypeOf<ThingAction>;
  readonly id: string;
  /** A person, a team, or `system` for what comes with the product; null: it belongs to nobody. */
  readonly ownerId: string | null;
  /** What the actor is in the team that owns it. */
  readonly teamRole?: TeamRole | null;
  readonly visibility: string;
  /** Of things of `system`: administrators change it, and say who else may use it. */
  readonly isAdministered?: boolean;
  /** The highest level that a grant gives the actor. */
  readonly level: AccessLevel | null;
}

/** Who asks, as far as permission depends on it. */
type Asker = Pick<Actor, "userId" | "role"> & Partial<Pick<Actor, "via">>;

/** Something that is nobody's but its owner's: it is not shared, and no team has it. */
export function personal(type: Resource["type"], id: string, ownerId: string): Resource {
  return { type, id, ownerId, visibility: "private", level: null };
}

/** What a member has of the things of their team; owners of the team administer them. */
const memberLevels: Readonly<Partial<Record<Resource["type"], AccessLevel>>> = {
  team: "view",
  credential: "run",
  package_index: "view",
  webhook: "view",
  budget: "view",
};

/** What somebody has of a thing by their role in the team that owns it. */
export function teamLevel(type: Resource["type"], role: TeamRole | null | undefined): AccessLevel | null {
  if (role === "owner") return "admin";
  return role === "member" ? (memberLevels[type] ?? "edit") : null;
}

/** The one permission check. Everything else that decides who may do what calls it. */
export function can(actor: Asker, action: RoleAction): boolean;
export function can(actor: Asker, action: ThingAction, resource: Resource): boolean;
export function can(actor: Asker, action: Action, resource?: Resource): boolean {
  if (resource?.ownerId === "system" && actor.via !== "link") {
    const level = systemLevelOf(actor, resource);
    return level !== null && levelCovers(level, neededLevels[action as ThingAction]);
  }
  if (actor.role === "admin") return true;
  if (resource !== undefined) {
    if (action === "asset:transfer" || action === "workspace:transfer") return isOwner(actor, resource);
    const level = levelOf(actor, resource);
    return level !== null && levelCovers(level, neededLevels[action as ThingAction]);
  }
  switch (action) {
    case "workspace:try":
      return true;
    case "sandbox:keep":
    case "asset:create":
    case "workspace:create":
    case "team:create":
    case "credential:create":
    case "package_index:create":
    case "webhook:create":
    case "trigger:create":
    case "schedule:create":
    case "model:try":
    case "server:inspect":
      return actor.role === "developer";
    default:
      return false;
  }
}

/** Whether a thing is the actor's to give away: their own, or their team's where they are an owner of that. */
function isOwner(actor: Asker, resource: Pick<Resource, "ownerId" | "teamRole">): boolean {
  return resource.ownerId === actor.userId || (resource.teamRole === "owner" && actor.role !== "end_user");
}

/**
 * What an actor has of a thing; an owner has everything. A team's things are edited by its members and administered by its owners. Public is
 * view and run, for everybody who is signed in.
 */
export function levelOf(actor: Asker, resource: Resource): AccessLevel | null {
  // Whoever is not signed in views, whatever the link would give to somebody who is.
  if (actor.via === "link") return lower(resource.level, "view");
  if (resource.ownerId === "system") return systemLevelOf(actor, resource);
  if (actor.role === "admin" || resource.ownerId === actor.userId) return "admin";
  const open = resource.visibility === "public" ? "run" : null;
  const byTeam = teamLevel(resource.type, resource.teamRole);
  const best = higher(higher(open, byTeam), resource.level);
  // End users view and run what others have; they change nothing of it. What they are in a team is no matter of the role.
  return actor.role === "end_user" && resource.type !== "team" ? lower(best, "run") : best;
}

/** Everybody runs what is the system's and nobody changes it, but for what is administered. */
function systemLevelOf(actor: Asker, { isAdministered = false, visibility, level }: Resource): AccessLevel | null {
  if (!isAdministered) return "run";
  if (actor.role === "admin") return "admin";
  return lower(higher(visibility === "public" ? "run" : null, level), "run");
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
