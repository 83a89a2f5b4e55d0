import { AppError } from "@syla/contracts/errors";
import { scopeOf, type Route } from "@syla/contracts/route";
import type { Actor } from "./actor.ts";
import { requirePermission } from "./permission.ts";

/** Whether a scope of a key (`runs:read`, `runs:*`, `*`) covers what a route needs. */
export function covers(scope: string, needed: string): boolean {
  const [tag, action] = needed.split(":");
  return scope === "*" || scope === needed || scope === `${tag}:*` || scope === `*:${action}`;
}

/** What only the person themselves may change, whoever or whatever acts as them: what lets them in, and their account as a whole. */
function isAccountSecurity({ tag, audit }: Route): boolean {
  return audit !== undefined && audit !== "auth.sign_out" && (tag === "accounts" || audit.startsWith("auth."));
}

/** What somebody may do who has to turn a second factor on first. */
function isOnTheWay({ tag, method, audit = "" }: Route): boolean {
  return tag === "accounts" && (method === "GET" || /^auth\.(two_factor_|sign_out$|session_revoke$|password_change$)/.test(audit));
}

/**
 * Refuses a key that has quotas of its own what would run without them: as its owner, at another time.
 *
 * @throws AppError `forbidden`
 */
export function refuseLimitedKey(actor: Actor, what: string): void {
  if (actor.isLimitedKey === true)
    throw new AppError("forbidden", { message: `A key that has quotas of its own makes and changes no ${what}.` });
}

/**
 * What holds for a route whatever it is about: the role that it is for, and what the key in use was made for.
 *
 * @throws AppError `forbidden`, `impersonating`, `scope_missing`, `two_factor_needed`; `unauthenticated` for a share link where an account is needed
 */
export function requireScope(actor: Actor, route: Route): void {
  if (actor.via === "link") {
    if (route.link === undefined || route.method !== "GET") throw new AppError("unauthenticated");
    return;
  }
  if (actor.needsSecondFactor === true && !isOnTheWay(route)) throw new AppError("two_factor_needed");
  if (route.auth === "admin") requirePermission(actor, "server:administer");
  if (actor.impersonatorId !== undefined && isAccountSecurity(route)) throw new AppError("impersonating");
  if (actor.isLimitedKey === true && isAccountSecurity(route))
    throw new AppError("forbidden", { message: "A key that has quotas of its own makes no keys, and changes nothing of its account." });
  const needed = scopeOf(route);
  if (needed === null || actor.scopes === undefined || actor.scopes.some((scope) => covers(scope, needed))) return;
  throw new AppError("scope_missing", { message: `This key was not made for this: it lacks the scope \`${needed}\`.` });
}
