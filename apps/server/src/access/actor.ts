import type { Role } from "@syla/contracts/accounts";

/** Who is asking, and by what: a browser session, an API key, a short-lived token, or the key file of the OS user who runs the server. */
export interface Actor {
  readonly userId: string;
  readonly role: Role;
  readonly via: "session" | "api-key" | "token" | "local";
  readonly sessionId?: string;
  readonly keyId?: string;
  /** Of a short-lived token: the family that it belongs to. */
  readonly tokenId?: string;
  /** What an API key or a token may be used for (`runs:read`, `runs:*`, `*`); everything when left out. */
  readonly scopes?: readonly string[];
  /** How often an API key may be used, where it has a limit of its own. */
  readonly requestsPerMinute?: number;
  /** The administrator who is acting as this person. */
  readonly impersonatorId?: string;
}
