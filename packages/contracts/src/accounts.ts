import { z } from "zod";
import { byId, email, givenPassword, linkToken, password, secondFactorCode } from "./account-fields.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

export const Role = z.enum(["end_user", "developer", "admin"]);
export type Role = z.infer<typeof Role>;

export const User = z
  .object({ id: z.string(), name: z.string(), email: z.string().nullable(), role: Role, createdAt: z.iso.datetime() })
  .meta({ id: "User" });
export type User = z.infer<typeof User>;

/** Yourself: what only you are told besides. */
export const Me = User.extend({
  emailVerified: z.boolean(),
  twoFactor: z.boolean().describe("whether sign-in asks for a second factor"),
  timeZone: z.string(),
}).meta({ id: "Me" });
export type Me = z.infer<typeof Me>;

export const Session = z
  .object({
    id: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    current: z.boolean(),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

export const SetupInput = z.strictObject({ token: linkToken, name, email, password }).meta({ id: "SetupInput" });
export const SignInInput = z
  .strictObject({
    email,
    password: givenPassword,
    code: secondFactorCode.optional().describe("of the authenticator, or a recovery code; when `two_factor_required` was answered"),
  })
  .meta({ id: "SignInInput" });

const timeZone = z
  .string()
  .max(64)
  .refine((zone) => isTimeZone(zone), "no such time zone");

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export const ProfileInput = z.strictObject({ name: name.optional(), timeZone: timeZone.optional() }).meta({ id: "ProfileInput" });
export const PasswordInput = z.strictObject({ currentPassword: givenPassword, newPassword: password }).meta({ id: "PasswordInput" });

export const accountRoutes = {
  getSetup: route({
    method: "GET",
    path: "/api/v1/setup",
    summary: "Whether the first admin has been set up, and whether a set-up token is good",
    tag: "accounts",
    auth: "none",
    query: z.object({ token: z.string().max(256).optional() }),
    responses: { 200: z.object({ needed: z.boolean(), tokenValid: z.boolean() }) },
    errors: [],
  }),
  completeSetup: route({
    method: "POST",
    path: "/api/v1/setup",
    summary: "Name the first admin with the one-time token, and sign in",
    tag: "accounts",
    auth: "none",
    audit: "auth.setup",
    body: SetupInput,
    responses: { 201: Me },
    errors: ["setup_token_invalid", "already_set_up"],
  }),
  signIn: route({
    method: "POST",
    path: "/api/v1/sessions",
    summary: "Sign in with e-mail and password; sets the session cookie",
    tag: "accounts",
    auth: "none",
    audit: "auth.sign_in",
    body: SignInInput,
    responses: { 201: Me },
    errors: ["invalid_credentials", "two_factor_required", "two_factor_invalid", "account_suspended", "rate_limited"],
  }),
  signOut: route({
    method: "DELETE",
    path: "/api/v1/sessions/current",
    summary: "Sign out",
    tag: "accounts",
    auth: "user",
    audit: "auth.sign_out",
    responses: { 204: "none" },
    errors: [],
  }),
  listSessions: route({
    method: "GET",
    path: "/api/v1/sessions",
    summary: "List your sessions",
    tag: "accounts",
    auth: "user",
    responses: { 200: z.object({ items: z.array(Session) }) },
    errors: [],
  }),
  revokeSession: route({
    method: "DELETE",
    path: "/api/v1/sessions/:id",
    summary: "End one of your sessions",
    tag: "accounts",
    auth: "user",
    audit: "auth.session_revoke",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
  getMe: route({
    method: "GET",
    path: "/api/v1/users/me",
    summary: "Who you are",
    tag: "accounts",
    auth: "user",
    responses: { 200: Me },
    errors: [],
  }),
  updateMe: route({
    method: "PATCH",
    path: "/api/v1/users/me",
    summary: "Change your name or time zone",
    tag: "accounts",
    auth: "user",
    audit: "auth.profile_update",
    body: ProfileInput,
    responses: { 200: Me },
    errors: [],
  }),
  changePassword: route({
    method: "POST",
    path: "/api/v1/users/me/password",
    summary: "Change your password; ends your other sessions",
    tag: "accounts",
    auth: "user",
    audit: "auth.password_change",
    body: PasswordInput,
    responses: { 204: "none" },
    errors: ["invalid_credentials", "rate_limited"],
  }),
};
