import { z } from "zod";
import { Role } from "./accounts.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";

const UserStatus = z.enum(["active", "suspended"]);

/** An account as administrators see it. */
export const UserRecord = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: Role,
    status: UserStatus,
    suspendedReason: z.string().nullable(),
    twoFactorEnabled: z.boolean(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "UserRecord" });
export type UserRecord = z.infer<typeof UserRecord>;

/** What an account has: what a deletion would take away. */
export const UserHoldings = z
  .object({ runs: z.int(), sandboxes: z.int(), apiKeys: z.int(), sessions: z.int(), teams: z.int(), grants: z.int(), assets: z.int() })
  .meta({ id: "UserHoldings" });
export type UserHoldings = z.infer<typeof UserHoldings>;

const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/, "no control characters");
const reason = text(500);

export const Announcement = z
  .object({
    id: z.string(),
    title: z.string(),
    body: z.string(),
    level: z.enum(["info", "warning"]),
    createdAt: z.iso.datetime(),
    endsAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Announcement" });
export type Announcement = z.infer<typeof Announcement>;

export const AnnouncementInput = z
  .strictObject({
    title: text(200).regex(/^[^\n\t]*$/, "one line"),
    body: z.union([z.literal(""), text(2000)]).default(""),
    level: z.enum(["info", "warning"]).default("info"),
    endsAt: z.iso.datetime().nullable().default(null),
    notify: z.boolean().default(true).describe("a notification for everybody besides the banner"),
  })
  .meta({ id: "AnnouncementInput" });

/** Something that is sent outside, or waits for it. */
export const Delivery = z
  .object({
    id: z.string(),
    channel: z.enum(["email", "webhook"]),
    to: z.string(),
    subject: z.string(),
    state: z.enum(["due", "sent", "failed"]),
    attempts: z.int(),
    dueAt: z.iso.datetime(),
    lastError: z.string().nullable(),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof Delivery>;

export const AdminOverview = z
  .object({
    users: z.object({ total: z.int(), admins: z.int(), developers: z.int(), endUsers: z.int(), suspended: z.int(), seenThisWeek: z.int() }),
    teams: z.object({ total: z.int(), members: z.int() }),
    invitations: z.int().describe("that are still open"),
    sessions: z.int(),
    deliveries: z.object({ due: z.int(), failed: z.int() }),
    mail: z.boolean().describe("whether an SMTP server is configured"),
  })
  .meta({ id: "AdminOverview" });
export type AdminOverview = z.infer<typeof AdminOverview>;

const UserFilter = z.object({
  ...pageQuery,
  q: z.string().max(200).optional().describe("part of the name, the e-mail address or the id"),
  role: Role.optional(),
  status: UserStatus.optional(),
});
export type UserFilter = z.output<typeof UserFilter>;
const DeliveryFilter = z.object({ ...pageQuery, state: z.enum(["due", "sent", "failed"]).optional() });
export type DeliveryFilter = z.output<typeof DeliveryFilter>;

const params = z.object({ id: z.string().max(64) });
const users = { tag: "users", auth: "admin" } as const;
const admin = { tag: "admin", auth: "admin" } as const;
const self = { tag: "users", auth: "user" } as const;
const base = "/api/v1/users";

export const adminRoutes = {
  listUsers: route({
    ...users,
    method: "GET",
    path: base,
    summary: "List accounts, newest first (administrators)",
    query: UserFilter,
    responses: { 200: pageOf(UserRecord) },
    errors: ["invalid_cursor"],
  }),
  getUser: route({
    ...users,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read an account and what it has (administrators)",
    params,
    responses: { 200: UserRecord.extend({ holdings: UserHoldings }).meta({ id: "UserWithHoldings" }) },
    errors: ["not_found"],
  }),
  updateUser: route({
    ...users,
    audit: "admin.user_update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change the role of an account (administrators)",
    params,
    body: z.strictObject({ role: Role }),
    responses: { 200: UserRecord },
    errors: ["not_found", "last_admin"],
  }),
  suspendUser: route({
    ...users,
    audit: "admin.user_suspend",
    method: "POST",
    path: `${base}/:id/suspend`,
    summary: "Refuse an account from now on; nothing of it is lost (administrators)",
    params,
    body: z.strictObject({ reason }),
    responses: { 200: UserRecord },
    errors: ["not_found", "last_admin"],
  }),
  reactivateUser: route({
    ...users,
    audit: "admin.user_reactivate",
    method: "POST",
    path: `${base}/:id/reactivate`,
    summary: "Let a suspended account in again (administrators)",
    params,
    responses: { 200: UserRecord },
    errors: ["not_found"],
  }),
  signOutUser: route({
    ...users,
    audit: "admin.user_sign_out",
    method: "DELETE",
    path: `${base}/:id/sessions`,
    summary: "Sign an account out everywhere; its API keys stay (administrators)",
    params,
    responses: { 200: z.object({ ended: z.int() }) },
    errors: ["not_found"],
  }),
  resetTwoFactor: route({
    ...users,
    audit: "admin.two_factor_reset",
    method: "POST",
    path: `${base}/:id/two-factor/reset`,
    summary: "Take the second factor off an account whose owner has lost it, and sign it out everywhere; they are told (administrators)",
    params,
    body: z.strictObject({ reason }),
    responses: { 200: UserRecord },
    errors: ["not_found", "conflict"],
  }),
  deleteUser: route({
    ...users,
    audit: "admin.user_delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete an account for good, with its runs, sandboxes and assets or giving them to another (administrators)",
    params,
    query: z.object({ transferTo: z.string().max(64).optional().describe("who gets its runs and assets; they are deleted when left out") }),
    responses: { 204: "none" },
    errors: ["not_found", "last_admin", "local_account", "account_busy"],
  }),
  exportUser: route({
    ...users,
    audit: "admin.user_export",
    method: "POST",
    path: `${base}/:id/export`,
    summary: "Everything about a person as one JSON document, to be handed to them (administrators)",
    params,
    body: z.strictObject({ reason }),
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  impersonateUser: route({
    ...users,
    audit: "admin.impersonate",
    method: "POST",
    path: `${base}/:id/impersonate`,
    summary: "Act as somebody who is no administrator, for an hour at most; in a browser (administrators)",
    params,
    body: z.strictObject({ reason }),
    responses: { 201: z.object({ userId: z.string(), expiresAt: z.iso.datetime() }) },
    errors: ["not_found", "forbidden", "account_suspended", "session_required"],
  }),
  getImpersonation: route({
    ...self,
    method: "GET",
    path: "/api/v1/impersonation",
    summary: "Whether an administrator is acting as you in this session",
    responses: { 200: z.object({ active: z.boolean(), reason: z.string().nullable(), expiresAt: z.iso.datetime().nullable() }) },
    errors: [],
  }),
  stopImpersonation: route({
    ...self,
    audit: "admin.impersonate_stop",
    method: "DELETE",
    path: "/api/v1/impersonation",
    summary: "Stop acting as somebody else and be who you were",
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
  exportMyData: route({
    ...self,
    audit: "auth.export",
    method: "POST",
    path: `${base}/me/export`,
    summary: "Everything about you as one JSON document; the content of files and logs is not in it",
    responses: { 200: "bytes" },
    errors: ["impersonating"],
  }),
  deleteMe: route({
    ...self,
    audit: "auth.delete_account",
    method: "POST",
    path: `${base}/me/delete`,
    summary: "Delete your account with everything that you own, for good",
    body: z.strictObject({
      confirm: z.string().max(320).describe("your e-mail address, or your id when you have none"),
      password: z.string().max(256).optional().describe("needed when you have one"),
    }),
    responses: { 204: "none" },
    errors: ["impersonating", "invalid_credentials", "last_admin", "local_account", "session_required", "account_busy"],
  }),
  listAnnouncements: route({
    tag: "announcements",
    auth: "user",
    method: "GET",
    path: "/api/v1/announcements",
    summary: "The announcements that hold now",
    responses: { 200: z.object({ items: z.array(Announcement) }) },
    errors: [],
  }),
  createAnnouncement: route({
    ...admin,
    audit: "admin.announcement_create",
    method: "POST",
    path: "/api/v1/admin/announcements",
    once: "answer",
    summary: "Say something to everybody (administrators)",
    body: AnnouncementInput,
    responses: { 201: Announcement },
    errors: [],
  }),
  deleteAnnouncement: route({
    ...admin,
    audit: "admin.announcement_delete",
    method: "DELETE",
    path: "/api/v1/admin/announcements/:id",
    summary: "Take an announcement down (administrators)",
    params,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
  listDeliveries: route({
    ...admin,
    method: "GET",
    path: "/api/v1/admin/deliveries",
    summary: "What is sent outside, newest first (administrators)",
    query: DeliveryFilter,
    responses: { 200: pageOf(Delivery) },
    errors: ["invalid_cursor"],
  }),
  getDelivery: route({
    ...admin,
    audit: "admin.delivery_read",
    method: "GET",
    path: "/api/v1/admin/deliveries/:id",
    summary: "The text of something that waits, to be passed on by hand; that it was read is recorded (administrators)",
    params,
    responses: {
      200: Delivery.extend({ text: z.string().nullable().describe("null: it was sent, and is not kept") }).meta({ id: "DeliveryText" }),
    },
    errors: ["not_found"],
  }),
  retryDelivery: route({
    ...admin,
    audit: "admin.delivery_retry",
    method: "POST",
    path: "/api/v1/admin/deliveries/:id/retry",
    summary: "Try to send it again now (administrators)",
    params,
    responses: { 200: Delivery },
    errors: ["not_found", "conflict"],
  }),
  getAdminOverview: route({
    ...admin,
    method: "GET",
    path: "/api/v1/admin/overview",
    summary: "People, teams and what waits to be sent, in numbers (administrators)",
    responses: { 200: AdminOverview },
    errors: [],
  }),
};
