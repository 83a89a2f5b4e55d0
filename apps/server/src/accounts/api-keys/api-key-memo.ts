import { hash } from "node:crypto";
import type { Actor } from "../../access/actor.ts";

/** How long a verified key is believed without asking the database: other servers see a revocation this late at most. */
const lifetimeMs = 5000;
const maxEntries = 1000;

interface Entry {
  readonly actor: Actor;
  readonly until: number;
}

/** Remembers verified API keys and tokens, by their hash. */
export interface ApiKeyMemo {
  get(key: string): Actor | undefined;
  set(key: string, actor: Actor, expiresAt: Date | null): void;
  /** Forgets a key by its id. */
  forget(keyId: string): void;
  /** Forgets every key of a person; of everybody when null. */
  forgetUser(userId: string | null): void;
}

/** A memo in this process. */
export function createApiKeyMemo(now: () => number = Date.now): ApiKeyMemo {
  const entries = new Map<string, Entry>();
  const digest = (key: string) => hash("sha256", key, "base64url");
  const forgetWhere = (matches: (actor: Actor) => boolean) => {
    for (const [keyHash, { actor }] of entries) if (matches(actor)) entries.delete(keyHash);
  };
  return {
    get(key) {
      const entry = entries.get(digest(key));
      return entry !== undefined && entry.until > now() ? entry.actor : undefined;
    },
    set(key, actor, expiresAt) {
      const oldest = entries.keys().next();
      if (entries.size >= maxEntries && oldest.done === false) entries.delete(oldest.value);
      entries.set(digest(key), { actor, until: Math.min(now() + lifetimeMs, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) });
    },
    forget: (keyId) => forgetWhere((actor) => actor.keyId === keyId),
    forgetUser: (userId) => forgetWhere((actor) => userId === null || actor.userId === userId),
  };
}
