import { z } from "zod";
import { ifMatch } from "./asset-fields.ts";
import { CredentialHost } from "./credential-host.ts";
import { credentialKinds } from "./credential-kinds.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

export const CredentialKind = z.enum(credentialKinds).meta({ id: "CredentialKind" });
export type CredentialKind = z.infer<typeof CredentialKind>;

/** A stored secret, without its value: that is never shown, not even once. */
export const Credential = z
  .object({
    id: z.string(),
    kind: CredentialKind,
    name: z.string(),
    username: z.string().nullable().describe("what goes with the secret and is none itself"),
    host: z.string().nullable().describe("of a git server or a package index: the secret is sent there and nowhere else"),
    owner: z.object({ id: z.string(), name: z.string() }).describe("a person, a team, or `system`"),
    mayManage: z.boolean().describe("whether you may replace or delete it"),
    useCount: z.int().describe("how many things use it"),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
    valueChangedAt: z.iso.datetime(),
    revision: z.int().describe("its `ETag`"),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Credential" });
export type Credential = z.infer<typeof Credential>;

/** Something that uses a credential. */
export const CredentialUse = z.object({ type: z.string(), id: z.string(), name: z.string() }).meta({ id: "CredentialUse" });
export type CredentialUse = z.infer<typeof CredentialUse>;

/** Whether a credential of a kind is for one host alone. Where others go is said by what uses them. */
export function hasHost(kind: CredentialKind): boolean {
  return kind === "git" || kind === "index";
}

const username = z
  .string()
  .max(200)
  .regex(/^[^\u0000-\u001f\u007f:]*$/, "no control characters or colons")
  .nullable();
/** Largest secret, characters: a private key fits. */
const value = z
  .string()
  .min(1)
  .max(16_384)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "must be Unicode text without NUL");
const expiresAt = z.iso.datetime().nullable();
const host = CredentialHost.describe("e.g. `github.com`; with the scheme `http` before it when it knows no encryption");

export const CredentialInput = z
  .strictObject({
    kind: CredentialKind,
    name,
    value: value.describe("the secret; a line end at its end is left out"),
    username: username.default(null),
    host: host
      .optional()
      .describe("the git server or package index that the secret is for; needed for the kinds `git` and `index`, and for no other"),
    ownerId: z.string().max(64).optional().describe("a team that you own; `system` for administrators; yourself when left out"),
    expiresAt: expiresAt.default(null),
  })
  .refine(({ kind, host: named }) => hasHost(kind) === (named !== undefined), {
    path: ["host"],
    message: "is needed for the kinds git and index, and for no other",
  })
  .meta({ id: "CredentialInput" });
export type CredentialInput = z.output<typeof CredentialInput>;

export const CredentialChange = z
  .strictObject({ name, value, username, expiresAt, host })
  .partial()
  .refine((change) => change.host === undefined || change.value !== undefined, {
    path: ["value"],
    message: "is needed with another host: a secret that is stored goes to no other",
  })
  .describe("what is left out stays")
  .meta({ id: "CredentialChange" });
export type CredentialChange = z.output<typeof CredentialChange>;

const CredentialFilter = z.object({
  ...pageQuery,
  kind: CredentialKind.optional(),
  ownerId: z.string().max(64).optional().describe("only those of this owner"),
});
export type CredentialFilter = z.output<typeof CredentialFilter>;

/** How far the keys that seal credentials have been changed. */
export const KeyRotation = z
  .object({
    keyId: z.string().describe("the key that seals from now on"),
    rewrapped: z.int().describe("credentials that this call moved to it"),
    retired: z.array(z.string()).describe("keys that nothing needs any more, and that are gone"),
    unreadable: z.array(z.string()).describe("credentials that cannot be opened and stay as they are: their values have to be replaced"),
  })
  .meta({ id: "KeyRotation" });
export type KeyRotation = z.infer<typeof KeyRotation>;

const base = "/api/v1/credentials";
const common = { tag: "credentials", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });

export const credentialRoutes = {
  listCredentials: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List your credentials and those of your teams, newest first; values are never shown",
    query: CredentialFilter,
    responses: { 200: pageOf(Credential) },
    errors: ["invalid_cursor"],
  }),
  createCredential: route({
    ...common,
    audit: "credential.create",
    method: "POST",
    path: base,
    once: "answer",
    summary: "Store a secret; its value cannot be read again",
    body: CredentialInput,
    responses: { 201: Credential },
    errors: ["forbidden", "not_found", "conflict", "kms_unavailable", "kms_refused"],
  }),
  getCredential: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read what is known of a credential, and what uses it",
    params,
    responses: { 200: Credential.extend({ uses: z.array(CredentialUse) }).meta({ id: "CredentialWithUses" }) },
    errors: ["not_found"],
  }),
  updateCredential: route({
    ...common,
    audit: "credential.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Replace the value of a credential, or change what is known of it",
    params,
    headers: ifMatch,
    body: CredentialChange,
    responses: { 200: Credential },
    errors: ["not_found", "forbidden", "conflict", "kms_unavailable", "kms_refused", "revision_conflict"],
  }),
  deleteCredential: route({
    ...common,
    audit: "credential.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a credential; refused while something uses it",
    params,
    query: z.object({ force: z.stringbool().default(false).describe("although something uses it, which fails from then on") }),
    responses: { 204: "none" },
    errors: ["not_found", "forbidden", "credential_in_use"],
  }),
  rotateKeys: route({
    tag: "admin",
    auth: "admin",
    audit: "admin.keys_rotate",
    method: "POST",
    path: "/api/v1/admin/credential-keys/rotate",
    summary:
      "Seal every credential with a new key, or with the keys that are set up now; goes on with a change that was cut off (administrators)",
    responses: { 200: KeyRotation },
    errors: ["forbidden", "kms_unavailable", "kms_refused"],
  }),
};
