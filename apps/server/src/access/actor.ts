import type { Role } from "@syla/contracts/accounts";

/** Who is asking, and by what: a browser session, an API key, or the key file of the OS user who runs the server. */
export interface Actor {
  readonly userId: string;
  readonly role: Role;
  readonly via: "session" | "api-key" | "local";
  readonly sessionId?: string;
  readonly keyId?: string;
}
