import { levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { Role } from "@syla/contracts/accounts";
import { scopeOf, type Route } from "@syla/contracts/route";
import type { Expectation } from "./expectations.ts";

/** How a call ends, as far as permission is concerned. */
export type Outcome =
  | "allowed"
  | "no link"
  | "unauthenticated"
  | "suspended"
  | "no scope"
  | "impersonating"
  | "forbidden"
  /** It is as if the thing were not there. */
  | "hidden";

/** Whose the things are that a route is called for. `system`: what comes with the product, and models that administrators look after. */
export type Ownership = "private" | "public" | "team" | "system";

/** Somebody who calls, as far as it matters for what they meet. `level`: what a grant gives them. */
export interface Standing {
  readonly role: Role;
  readonly level: AccessLevel | "owner" | null;
  readonly team: "owner" | "member" | null;
  /** Whatever they call. */
  readonly refused?: Outcome;
  /** Not signed in, with a link to the thing, or to another one. */
  readonly link?: "this" | "another";
  /** What their key was made for; everything when left out. */
  readonly scopes?: readonly string[];
  /** An administrator who acts as somebody else. */
  readonly isImpersonator?: boolean;
  readonly isInSession?: boolean;
}

const developer = { role: "developer", level: null, team: null } as const;

/** Everybody who calls every route, by what they are called in the table. */
export const standings = {
  anonymous: { ...developer, refused: "unauthenticated" },
  "revoked key": { ...developer, refused: "unauthenticated" },
  suspended: { ...developer, refused: "suspended" },
  "administrator's key for usage alone": { role: "admin", level: "owner", team: "owner", scopes: ["usage:read"] },
  stranger: developer,
  "stranger with a session": { ...developer, isInSession: true },
  "stranger with a token": developer,
  "administrator acting as a stranger": { ...developer, isInSession: true, isImpersonator: true },
  "end user": { ...developer, role: "end_user" },
  "end user, admin grant": { ...developer, role: "end_user", level: "admin" },
  "expired link": developer,
  "view grant": { ...developer, level: "view" },
  "run grant": { ...developer, level: "run" },
  "edit grant": { ...developer, level: "edit" },
  "admin grant": { ...developer, level: "admin" },
  "team member": { ...developer, team: "member" },
  administrator: { role: "admin", level: "owner", team: "owner" },
  owner: { ...developer, level: "owner", team: "owner" },
  "link, not signed in": { ...developer, level: "view", link: "this" },
  "link elsewhere, not signed in": { ...developer, link: "another" },
  "link that was never made": { ...developer, refused: "no link" },
} as const satisfies Readonly<Record<string, Standing>>;
export type CallerName = keyof typeof standings;

/** What lets people in, and their account as a whole: nobody else's hands. */
function isAccountSecurity({ tag, audit }: Route): boolean {
  return audit !== undefined && audit !== "auth.sign_out" && (tag === "accounts" || audit.startsWith("auth."));
}

/** What a caller should meet. */
export function expectedOutcome(route: Route, expectation: Expectation, who: Standing, ownership: Ownership = "private"): Outcome {
  const { need, link, secret = false } = expectation;
  if (need === "nothing") return "allowed";
  if (who.refused !== undefined) return who.refused;
  if (who.link !== undefined && link !== true) return "unauthenticated";
  if (route.auth === "admin" && who.role !== "admin") return "forbidden";
  if (who.isImpersonator === true && (isAccountSecurity(route) || secret)) return "impersonating";
  const scope = scopeOf(route.auth === "none" ? { ...route, auth: "admin" } : route); // it looks for a token of its own first
  if (who.scopes !== undefined && scope !== null && !who.scopes.includes(scope)) return "no scope";
  if (need === "account") return "allowed";
  if (need === "admin") return who.role === "admin" ? "allowed" : "forbidden";
  if (need === "developer") return who.role === "end_user" ? "forbidden" : "allowed";
  if ("own" in need) return who.level === "owner" && (who.role !== "admin" || need.admin) ? "allowed" : "hidden";
  if ("team" in need) {
    if (who.team === null) return "hidden";
    return need.team === "member" || who.team === "owner" ? "allowed" : "forbidden";
  }
  const [type, needed] = Object.entries(need)[0] as [string, AccessLevel | "owner"];
  const level = levelOn(type, who, ownership);
  if (level === null) return "hidden";
  if (level !== "owner" && (needed === "owner" || !levelCovers(level, needed))) return "forbidden";
  return expectation.developer === true && who.role === "end_user" ? "forbidden" : "allowed";
}

/** What somebody has of a thing of a type. */
function levelOn(type: string, { role, level, team, link }: Standing, ownership: Ownership): AccessLevel | "owner" | null {
  if (link !== undefined) return level;
  if (ownership === "system") return type === "model" && role === "admin" ? "owner" : "run";
  if (role === "admin") return "owner";
  if (ownership !== "team" && level === "owner") return "owner";
  if (ownership === "team" && team === "owner") return role === "end_user" ? "run" : "owner";
  const others = [
    level === "owner" ? null : level,
    ownership === "public" ? "run" : null,
    ownership === "team" && team !== null ? "edit" : null,
  ] as const;
  const best = others.reduce<AccessLevel | null>(
    (high, one) => (one !== null && (high === null || levelCovers(one, high)) ? one : high),
    null,
  );
  return role === "end_user" && best !== null && levelCovers(best, "run") ? "run" : best;
}
