import type { Role } from "@syla/contracts/accounts";

/**
 * Who is asking, and by what: a browser session, an API key, a short-lived token, the key file of the OS user who runs the server; the server
 * itself, for what somebody has asked for before; or, without an account, a share link.
 */
export interface Actor {
  /** Empty for a share link: it is nobody's. */
  readonly userId: string;
  readonly role: Role;
  readonly via: "session" | "api-key" | "token" | "link" | "local" | "server";
  readonly sessionId?: string;
  /** The API key, or the one that the token was made with. */
  readonly keyId?: string;
  /** Of a short-lived token: the family that it belongs to. */
  readonly tokenId?: string;
  /** The share link that stands for somebody who is not signed in, and the address that they come from. */
  readonly linkId?: string;
  readonly address?: string;
  /** What an API key or a token may be used for (`runs:read`, `runs:*`, `*`); everything when left out. */
  readonly scopes?: readonly string[];
  /** The key has quotas of its own, which it must not get round. */
  readonly isLimitedKey?: boolean;
  /** How often an API key may be used, where it has a limit of its own. */
  readonly requestsPerMinute?: number;
  /** Of a run or a sandbox that calls models: which one, and which models. */
  readonly run?: {
    readonly id: string | null;
    readonly sandboxId: string | null;
    readonly programId: string | null;
    readonly modelIds: readonly string[];
  };
  /** They have to turn a second factor on before they do anything else. */
  readonly needsSecondFactor?: boolean;
  /** The administrator who is acting as this person. */
  readonly impersonatorId?: string;
}
