import { AppError } from "@syla/contracts/errors";
import { scopeOf, type Route } from "@syla/contracts/route";
import type { Actor } from "./actor.ts";

/** Whether a scope of a key (`runs:read`, `runs:*`, `*`) covers what a route needs. */
function covers(scope: string, needed: string): boolean {
  const [tag, action] = needed.split(":");
  return scope === "*" || scope === needed || scope === `${tag}:*` || scope === `*:${action}`;
}

/**
 * What holds for a route whatever it is about: the role that it is for, and what the key in use was made for.
 *
 * @throws AppError `forbidden`, `scope_missing`
 */
export function requireScope(actor: Actor, route: Route): void {
  if (route.auth === "admin" && actor.role !== "admin") throw new AppError("forbidden");
  const needed = scopeOf(route);
  if (needed === null || actor.scopes === undefined || actor.scopes.some((scope) => covers(scope, needed))) return;
  throw new AppError("scope_missing", { message: `This key was not made for this: it lacks the scope \`${needed}\`.` });
}
