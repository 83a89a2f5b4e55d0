import { AppError } from "@syla/contracts/errors";
import { can } from "../access/service.ts";
import type { Actor } from "../access/actor.ts";
import type { SecondFactorAudience } from "../config-values.ts";
import type { Queries } from "../platform/database.ts";
import { lacksSecondFactor } from "./two-factor/store.ts";

/** How people sign in. It may change while the server runs: read it each time. */
export interface SignInPolicy {
  /** Who has to have a second factor; people without a password are their provider's to look after. */
  readonly secondFactor: SecondFactorAudience;
  /** Whether passwords let anybody in: always, where there is no other way. */
  readonly passwords: boolean;
  /** How long a session lasts that is not used. */
  readonly sessionDays: number;
  /** Characters of a new password, at least. */
  readonly passwordLength: number;
}

/** @throws AppError `password_sign_in_off` */
export function requirePasswords({ passwords }: SignInPolicy): void {
  if (!passwords) throw new AppError("password_sign_in_off");
}

/** Whether a new password may be one. @throws AppError `invalid_request` at `path` */
export function requireLength({ passwordLength }: SignInPolicy, password: string, path = "password"): void {
  if (password.length < passwordLength)
    throw new AppError("invalid_request", { fields: [{ path, message: `at least ${passwordLength} characters` }] });
}

/** Whether somebody in a browser has to turn a second factor on before they do anything else. Whoever acts as somebody else proved who they are before. */
export async function needsSecondFactor(queries: Queries, { secondFactor, passwords }: SignInPolicy, actor: Actor): Promise<boolean> {
  if (actor.via !== "session" || actor.impersonatorId !== undefined) return false;
  const isAsked = secondFactor === "all" || (secondFactor === "admins" && can(actor, "server:administer"));
  return isAsked && passwords && (await lacksSecondFactor(queries, actor.userId));
}
