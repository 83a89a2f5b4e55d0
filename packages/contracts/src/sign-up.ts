import { z } from "zod";
import { byId, email, givenPassword, linkToken, password } from "./account-fields.ts";
import { Me, Role } from "./accounts.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

/** Who may make an account: nobody, who is invited, who has an address of certain domains, anybody. */
export const SignUpMode = z.enum(["closed", "invite", "domain", "open"]);
export type SignUpMode = z.infer<typeof SignUpMode>;

export const Invitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role: Role,
    invitedBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    status: z.enum(["open", "accepted", "revoked", "expired"]),
  })
  .meta({ id: "Invitation" });
export type Invitation = z.infer<typeof Invitation>;

export const InvitationInput = z
  .strictObject({ email, role: Role.default("developer"), expiresInDays: z.int().min(1).max(90).default(7) })
  .meta({ id: "InvitationInput" });

/** The link is in this answer and, where mail is sent, in the mail; nowhere else. */
export const NewInvitation = Invitation.extend({ url: z.url() }).meta({ id: "NewInvitation" });
export type NewInvitation = z.infer<typeof NewInvitation>;

export const OneTimeLink = z.object({ url: z.url(), expiresAt: z.iso.datetime() }).meta({ id: "OneTimeLink" });
export type OneTimeLink = z.infer<typeof OneTimeLink>;

const EmailOnly = z.strictObject({ email });
/** The same whether the address has an account or not. */
const Accepted = z.object({ accepted: z.literal(true) });

export const signUpRoutes = {
  getSignUp: route({
    method: "GET",
    path: "/api/v1/sign-up",
    summary: "Who may make an account here, and what signing in with a password takes",
    tag: "accounts",
    auth: "none",
    responses: {
      200: z.object({
        mode: SignUpMode,
        domains: z.array(z.string()),
        passwords: z.boolean().describe("whether anybody signs in with one"),
        passwordLength: z.int().describe("characters of a new one, at least"),
        mail: z.boolean().describe("whether mails are sent; where they are not, links are handed over"),
      }),
    },
    errors: [],
  }),
  requestSignUp: route({
    method: "POST",
    path: "/api/v1/sign-up",
    summary: "Ask for the link that makes an account; it is sent to the address",
    tag: "accounts",
    auth: "none",
    audit: "auth.sign_up_request",
    body: EmailOnly,
    responses: { 202: Accepted },
    errors: ["sign_up_closed", "password_sign_in_off", "rate_limited"],
  }),
  completeSignUp: route({
    method: "POST",
    path: "/api/v1/sign-up/complete",
    summary: "Make an account with a link or an invitation, and sign in",
    tag: "accounts",
    auth: "none",
    audit: "auth.sign_up",
    body: z.strictObject({ token: linkToken, name, password }),
    responses: { 201: Me },
    errors: ["link_invalid", "sign_up_closed", "email_taken", "password_sign_in_off"],
  }),
  requestPasswordReset: route({
    method: "POST",
    path: "/api/v1/password-reset",
    summary: "Ask for the link that sets a new password; it is sent to the address, if it has an account",
    tag: "accounts",
    auth: "none",
    audit: "auth.password_reset_request",
    body: EmailOnly,
    responses: { 202: Accepted },
    errors: ["rate_limited"],
  }),
  completePasswordReset: route({
    method: "POST",
    path: "/api/v1/password-reset/complete",
    summary: "Set a new password with a link; ends all sessions of the person",
    tag: "accounts",
    auth: "none",
    audit: "auth.password_reset",
    body: z.strictObject({ token: linkToken, password }),
    responses: { 204: "none" },
    errors: ["link_invalid"],
  }),
  createPasswordReset: route({
    method: "POST",
    path: "/api/v1/users/:id/password-reset",
    summary: "A link with which a person sets a new password, for an administrator to hand over",
    tag: "accounts",
    auth: "admin",
    audit: "admin.password_reset_link",
    params: byId,
    responses: { 201: OneTimeLink },
    errors: ["not_found"],
  }),
  requestEmailVerification: route({
    method: "POST",
    path: "/api/v1/users/me/email-verification",
    summary: "Ask for the link that confirms your address, or a new one in its place",
    tag: "accounts",
    auth: "user",
    audit: "auth.email_verification_request",
    body: z.strictObject({ email: email.optional(), password: givenPassword.optional().describe("needed for a new address") }),
    responses: { 202: Accepted },
    errors: ["invalid_credentials", "rate_limited"],
  }),
  confirmEmail: route({
    method: "POST",
    path: "/api/v1/email-verification",
    summary: "Confirm an address with the link that was sent to it",
    tag: "accounts",
    auth: "none",
    audit: "auth.email_verify",
    body: z.strictObject({ token: linkToken }),
    responses: { 200: z.object({ email: z.string() }) },
    errors: ["link_invalid", "email_taken"],
  }),
  listInvitations: route({
    method: "GET",
    path: "/api/v1/invitations",
    summary: "List invitations, newest first",
    tag: "invitations",
    auth: "admin",
    query: z.object(pageQuery),
    responses: { 200: pageOf(Invitation) },
    errors: ["invalid_cursor"],
  }),
  createInvitation: route({
    method: "POST",
    path: "/api/v1/invitations",
    once: "shown",
    summary: "Invite somebody to make an account; replaces an open invitation of the address",
    tag: "invitations",
    auth: "admin",
    audit: "admin.invite",
    body: InvitationInput,
    responses: { 201: NewInvitation },
    errors: ["sign_up_closed", "email_taken"],
  }),
  revokeInvitation: route({
    method: "DELETE",
    path: "/api/v1/invitations/:id",
    summary: "Take an invitation back",
    tag: "invitations",
    auth: "admin",
    audit: "admin.invitation_revoke",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
};
