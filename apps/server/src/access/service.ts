import { AppError } from "@syla/contracts/errors";
import type { Actor } from "./actor.ts";

export { covers } from "./scopes.ts";

/** What can be done, by the kind of thing it is done to. */
export type Action =
  | "run:read"
  | "run:cancel"
  | "run:rerun"
  | "run:list-all"
  | "run:full-network"
  | "sandbox:use"
  | "sandbox:list-all"
  | "worker:list-all"
  | "server:inspect";

/** The thing that an action is about, as far as permission depends on it. */
export interface Resource {
  readonly ownerId?: string;
  readonly visibility?: string;
}

/** The one permission check. Everything else that decides who may do what calls it. */
export function can(actor: Actor, action: Action, resource: Resource = {}): boolean {
  if (actor.role === "admin") return true;
  switch (action) {
    case "run:read":
      return resource.ownerId === actor.userId || resource.visibility === "public";
    case "run:cancel":
    case "run:rerun":
      return resource.ownerId === actor.userId;
    case "sandbox:use":
      return resource.ownerId === actor.userId;
    case "sandbox:list-all":
    case "run:list-all":
    case "run:full-network":
    case "worker:list-all":
      return false;
    case "server:inspect":
      return actor.role === "developer";
  }
}

/**
 * Like {@link can}, as a guard. A thing that the actor may not even see is reported as missing, so that ids cannot be probed.
 *
 * @throws AppError `not_found`, `forbidden`
 */
export function requirePermission(actor: Actor, action: Action, resource: Resource = {}): void {
  if (can(actor, action, resource)) return;
  const visible = action.startsWith("run:") && can(actor, "run:read", resource);
  throw new AppError(action.endsWith(":list-all") || action === "server:inspect" || visible ? "forbidden" : "not_found");
}
