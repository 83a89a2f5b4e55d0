import { z } from "zod";
import { route } from "./route.ts";

export const Role = z.enum(["end_user", "developer", "admin"]);
export type Role = z.infer<typeof Role>;

export const User = z
  .object({ id: z.string(), name: z.string(), email: z.string().nullable(), role: Role, createdAt: z.iso.datetime() })
  .meta({ id: "User" });
export type User = z.infer<typeof User>;

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

export const ApiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    start: z.string().describe("the first characters, to tell keys apart"),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "ApiKey" });
export type ApiKey = z.infer<typeof ApiKey>;

const password = z.string().min(10, "at least 10 characters").max(256);
const email = z.email().max(320);
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, "no control characters");

export const SetupInput = z.strictObject({ token: z.string().min(1).max(256), name, email, password }).meta({ id: "SetupInput" });
export const SignInInput = z.strictObject({ email, password: z.string().min(1).max(256) }).meta({ id: "SignInInput" });
export const ApiKeyInput = z.strictObject({ name, expiresInDays: z.int().min(1).max(3650).optional() }).meta({ id: "ApiKeyInput" });

const byId = z.object({ id: z.string().max(64) });

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
    responses: { 201: User },
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
    responses: { 201: User },
    errors: ["invalid_credentials", "rate_limited"],
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
    responses: { 200: User },
    errors: [],
  }),
  listApiKeys: route({
    method: "GET",
    path: "/api/v1/api-keys",
    summary: "List your API keys",
    tag: "accounts",
    auth: "user",
    responses: { 200: z.object({ items: z.array(ApiKey) }) },
    errors: [],
  }),
  createApiKey: route({
    method: "POST",
    path: "/api/v1/api-keys",
    summary: "Create an API key; the key itself is shown this once",
    tag: "accounts",
    auth: "user",
    audit: "auth.api_key_create",
    body: ApiKeyInput,
    responses: { 201: ApiKey.extend({ key: z.string() }).meta({ id: "NewApiKey" }) },
    errors: [],
  }),
  deleteApiKey: route({
    method: "DELETE",
    path: "/api/v1/api-keys/:id",
    summary: "Revoke an API key",
    tag: "accounts",
    auth: "user",
    audit: "auth.api_key_revoke",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
};
