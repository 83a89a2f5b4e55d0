import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseException } from "@syla/sandbox/egress/addresses";
import { z } from "zod";
import { Secret } from "./platform/secret.ts";

// Each takes the text of an option and returns its value, or throws an Error whose message completes «SYLA_X: …».

/** One of a few words. */
export const oneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string): T => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}`);
    return found;
  };

/** A whole number in a range. */
export const integer =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };

/** How much somebody may use; -1 for any amount. */
export function quota(text: string): number {
  return text === "-1" ? -1 : integer(0, 2_000_000_000)(text);
}

/** A yes or a no. */
export function flag(text: string): boolean {
  if (["1", "true", "yes", "on"].includes(text)) return true;
  if (["0", "false", "no", "off"].includes(text)) return false;
  throw new Error("must be true or false");
}

/** A path, made absolute. */
export function absolutePath(text: string): string {
  return resolve(text);
}

/** A host name or an address. */
export function hostName(text: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw new Error("must be a host name or an IP address");
  return text;
}

/** Which proxies to believe: none, a number of them in a row (`true` is one), or their addresses. */
export function proxies(text: string): false | number | string[] {
  if (["0", "false", "no", "off"].includes(text)) return false;
  if (["true", "yes", "on"].includes(text)) return 1;
  if (/^\d$/.test(text)) return Number(text);
  const list = text.split(",").map((entry) => entry.trim());
  if (list.every((entry) => isIP(entry.replace(/\/\d{1,3}$/, "")) !== 0)) return list;
  throw new Error("must be true, false, a number of proxies, or addresses separated by commas");
}

/** A Redis server. The text may hold a password. */
export function redisUrl(text: string): Secret {
  if (!URL.canParse(text) || !/^rediss?:$/.test(new URL(text).protocol)) throw new Error("must be a URL like redis://host:6379");
  return new Secret(text);
}

/** An http(s) URL, without a slash at its end. */
export function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error("must be an http or https URL");
  if (url.search || url.hash || url.username || url.password) throw new Error("must not contain a query, a fragment or a user");
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** A key management service: what is sent there is sent in clear nowhere but on this machine. */
export function kmsUrl(text: string): string {
  const url = publicUrl(text);
  const { protocol, hostname } = new URL(url);
  if (protocol === "http:" && !/^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname)) throw new Error("must be https");
  return url;
}

/** Part of a path there. */
export function kmsPath(text: string): string {
  const trimmed = text.replace(/^\/+|\/+$/g, "");
  if (!/^[\w-]{1,64}(\/[\w-]{1,64}){0,7}$/.test(trimmed)) throw new Error("must hold letters, digits and _ - only, and / between them");
  return trimmed;
}

/** An http(s) origin with a name that other names can be below. */
export function previewOrigin(text: string): string {
  const url = new URL(publicUrl(text));
  if (url.pathname !== "/") throw new Error("must not contain a path");
  if (isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0) throw new Error("must have a name, not an address");
  return url.origin;
}

/** A path that begins with a slash and does not end in one; empty for the root. */
export function basePath(text: string): string {
  const trimmed = text.replace(/\/+$/, "");
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(trimmed)) throw new Error("must begin with / and hold letters, digits and . _ ~ - only");
  return trimmed;
}

/** The name of a bucket. */
export function bucketName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(text)) throw new Error("must be the name of a bucket");
  return text;
}

/** What object names begin with; ends in a slash. */
export function objectPrefix(text: string): string {
  const trimmed = text.replace(/\/+$/, "");
  if (!/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(trimmed)) throw new Error("must hold letters, digits and . _ - / only");
  return `${trimmed}/`;
}

/** Where backups go: `s3://bucket/prefix`, or a folder. */
export function backupPlace(text: string): string {
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(text) ?? [];
  if (bucket === undefined) return resolve(text);
  const rest = prefix === "" ? "" : objectPrefix(prefix);
  return `s3://${bucketName(bucket)}/${rest}`;
}

/** An SMTP server's address, which may hold a password. */
export function smtpUrl(text: string): Secret {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^smtps?:$/.test(url.protocol) || url.hostname === "")
    throw new Error("must be like smtp://user:password@host:587 or smtps://host");
  return new Secret(text);
}

/** An e-mail address, or a name with one: `Syla <syla@example.org>`. */
export function mailAddress(text: string): string {
  if (!/^(?:[^\p{Cc}<>",;:]* <[^\s<>@,;:"]+@[^\s<>@,;:"]+>|[^\s<>@,;:"]+@[^\s<>@,;:"]+)$/u.test(text))
    throw new Error("must be like syla@example.org or Syla <syla@example.org>");
  return text;
}

/** A `postgres://` URL, which carries a password. */
export function databaseUrl(text: string): Secret {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) throw new Error("must be a postgres:// URL");
  return new Secret(text);
}

/** Somebody who says who people are, as it is configured. */
export interface IdentityProviderConfig {
  readonly id: string;
  readonly name: string;
  readonly kind: "openid" | "github";
  /** The issuer; of GitHub where its pages are. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
  readonly signUp: boolean;
}

const secureUrl = z.url({ protocol: /^https?$/ }).refine((text) => isSecure(text), "must be https, or on this machine");
const providerId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "must be small letters, digits and dashes");
const IdentityProviders = z.array(
  z.strictObject({
    preset: z.enum(["google", "github"]).optional(),
    id: providerId.optional(),
    name: z.string().min(1).max(60).optional(),
    issuer: secureUrl.optional(),
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    scopes: z.array(z.string().min(1)).optional(),
    signUp: z.boolean().default(false),
  }),
);
const presets = {
  google: { id: "google", name: "Google", kind: "openid", url: "https://accounts.google.com", scopes: ["openid", "email", "profile"] },
  github: { id: "github", name: "GitHub", kind: "github", url: "https://github.com", scopes: ["read:user", "user:email"] },
} as const;

/** Who says who people are: a JSON list. */
export function identityProviders(text: string): readonly IdentityProviderConfig[] {
  const list = parseJson(IdentityProviders, text).map((entry): IdentityProviderConfig => {
    const preset = entry.preset === undefined ? undefined : presets[entry.preset];
    const id = entry.id ?? preset?.id;
    const url = entry.issuer ?? preset?.url;
    if (id === undefined || url === undefined) throw new Error("each needs a `preset` (google, github), or an `id` and an `issuer`");
    return {
      id,
      name: entry.name ?? preset?.name ?? id,
      kind: preset?.kind ?? "openid",
      url: url.replace(/\/+$/, ""),
      clientId: entry.clientId,
      clientSecret: new Secret(entry.clientSecret),
      scopes: entry.scopes ?? preset?.scopes ?? ["openid", "email", "profile"],
      signUp: entry.signUp,
    };
  });
  if (new Set(list.map(({ id }) => id)).size !== list.length) throw new Error("two have the same `id`");
  return list;
}

/** An issuer whose tokens are taken for tokens of ours. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** Where its keys are; found by its discovery document when left out. */
  readonly jwksUrl: string | undefined;
  readonly role: "end_user" | "developer";
}

const TrustedIssuers = z.array(
  z.strictObject({
    issuer: secureUrl,
    audience: z.string().min(1),
    jwksUrl: secureUrl.optional(),
    role: z.enum(["end_user", "developer"]).default("end_user"),
  }),
);

/** Whose tokens are taken for tokens of ours: a JSON list. */
export function trustedIssuers(text: string): readonly TrustedIssuer[] {
  return parseJson(TrustedIssuers, text).map(({ jwksUrl, ...rest }) => ({ ...rest, jwksUrl }));
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("must be JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is wrong"}`);
}

/** Nobody on the way can read or change it: TLS, or this machine. */
function isSecure(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Who has to have a second factor. */
export const secondFactorAudiences = ["nobody", "admins", "all"] as const;
export type SecondFactorAudience = (typeof secondFactorAudiences)[number];

/** Networks, each with or without a port, separated by commas. */
export function networks(text: string): readonly string[] {
  const list = text.split(",").map((entry) => entry.trim());
  for (const entry of list) parseException(entry);
  return list;
}

/** Domains of e-mail addresses, separated by commas. */
export function domains(text: string): readonly string[] {
  const list = text.split(",").map((entry) => entry.trim().toLowerCase());
  if (!list.every((entry) => /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$/.test(entry)))
    throw new Error("must be domains like example.org, separated by commas");
  return list;
}

/** The id of a stored credential. */
export function credentialId(text: string): string {
  if (!/^cred_[0-9a-z]{26}$/.test(text)) throw new Error("must be the id of a credential: cred_…");
  return text;
}

/** A repository of a registry, without a tag. Source: the grammar of the distribution project's reference package. */
export function imageRepository(text: string): string {
  const host = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?`;
  const part = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
  const [first = ""] = text.split("/", 1);
  const hasHost = first.includes(".") || first.includes(":") || first === "localhost";
  if (!hasHost || text.length > 200 || !new RegExp(`^${host}(?:/${part})+$`).test(text))
    throw new Error("must be a repository with its registry and without a tag, like registry.example.org/team/environments");
  return text;
}

/** Long enough that nobody guesses it. */
export function metricsToken(text: string): Secret {
  if (!/^[\x21-\x7e]{16,512}$/.test(text)) throw new Error("at least 16 characters without spaces");
  return new Secret(text);
}

/** Headers as OpenTelemetry writes them in a variable: `name=value,name=value`, percent-encoded. */
export function otlpHeaders(text: string): Secret {
  try {
    readOtlpHeaders(text);
  } catch {
    throw new Error("must be like name=value,name=value, percent-encoded");
  }
  return new Secret(text);
}

/** The headers of such a text. @throws Error when it is none */
export function readOtlpHeaders(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => {
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)].map((part) => decodeURIComponent(part.trim())) as [
      string,
      string,
    ];
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) throw new Error("not a header");
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}
