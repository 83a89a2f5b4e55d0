import { AppError } from "@syla/contracts/errors";
import { scopeOf, type Route } from "@syla/contracts/route";
import type { Actor } from "./actor.ts";

/** Whether a scope of a key (`runs:read`, `runs:*`, `*`) covers what a route needs. */
export function covers(scope: string, needed: string): boolean {
  const [tag, action] = needed.split(":");
  return scope === "*" || scope === needed || scope === `${tag}:*` || scope === `*:${action}`;
}

/** What only the person themselves may change, whoever acts as them: what lets them in, and their account as a whole. */
function isAccountSecurity({ tag, audit }: Route): boolean {
  return audit !== undefined && audit !== "auth.sign_out" && (tag === "accounts" || audit.startsWith("auth."));
}

/**
 * What holds for a route whatever it is about: the role that it is for, and what the key in use was made for.
 *
 * @throws AppError `forbidden`, `impersonating`, `scope_missing`
 */
export function requireScope(actor: Actor, route: Route): void {
  if (route.auth === "admin" && actor.role !== "admin") throw new AppError("forbidden");
  if (actor.impersonatorId !== undefined && isAccountSecurity(route)) throw new AppError("impersonating");
  const needed = scopeOf(route);
  if (needed === null || actor.scopes === undefined || actor.scopes.some((scope) => covers(scope, needed))) return;
  throw new AppError("scope_missing", { message: `This key was not made for this: it lacks the scope \`${needed}\`.` });
}
