import type { ApiKey, ApiKeyInput, ApiKeyScope, NewApiKey } from "@syla/contracts/api-keys";
import { AppError } from "@syla/contracts/errors";
import { scopeOf, type Route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import type { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { can, covers, personal } from "../../access/service.ts";
import type { Queries } from "../../platform/database.ts";
import type { Authentication } from "../authentication.ts";
import type { ApiKeyMemo } from "./api-key-memo.ts";
import { deleteApiKey, limitApiKey, listApiKeys } from "./store.ts";

/** What a new key is to be; without scopes it may do what its owner may. */
type ApiKeyWishes = z.input<typeof ApiKeyInput>;

/** A person's API keys. */
export interface ApiKeys {
  /** Yours; those of somebody else are for administrators. @throws AppError `forbidden` */
  listApiKeys(actor: Actor, userId?: string): Promise<ApiKey[]>;
  listApiKeyScopes(): ApiKeyScope[];
  /** The key itself is in this answer and nowhere else. @throws AppError `invalid_request`, `scope_missing` */
  createApiKey(actor: Actor, input: ApiKeyWishes): Promise<NewApiKey>;
  /** @throws AppError `not_found` */
  deleteApiKey(actor: Actor, id: string): Promise<void>;
}

/** API keys of the authentication library; a revoked one is forgotten by `memo` at once. */
export function createApiKeys(authentication: Authentication, queries: Queries, memo: ApiKeyMemo): ApiKeys {
  const known = describeScopes(Object.values(routes));
  return {
    async listApiKeys(actor, userId = actor.userId) {
      if (!can(actor, "account:read", personal("account", userId, userId))) throw new AppError("forbidden");
      return userId.includes("\0") ? [] : (await listApiKeys(queries, userId)).map(toApiKey);
    },
    listApiKeyScopes: () => known,
    async createApiKey(actor, input) {
      const { scopes = ["*"] } = input;
      requireKnown(scopes, known);
      const excess = scopes.find((scope) => actor.scopes !== undefined && !actor.scopes.some((own) => covers(own, scope)));
      if (excess !== undefined)
        throw new AppError("scope_missing", { message: `A key cannot make one that may do more than itself: \`${excess}\`.` });
      return await makeApiKey(authentication, queries, actor.userId, input);
    },
    async deleteApiKey(actor, id) {
      const deleted = await deleteApiKey(queries, actor.userId, id);
      memo.forget(id);
      if (!deleted) throw new AppError("not_found");
    },
  };
}

/** Makes a key for a person, without asking who wants it. */
export async function makeApiKey(
  authentication: Authentication,
  queries: Queries,
  userId: string,
  { name, scopes = ["*"], requestsPerMinute, expiresInDays }: ApiKeyWishes,
): Promise<NewApiKey> {
  const expiry = expiresInDays === undefined ? {} : { expiresIn: expiresInDays * 24 * 60 * 60 };
  const created = await authentication.api.createApiKey({ body: { name, userId, ...expiry } });
  const { id, start, createdAt, expiresAt, key } = created;
  const limits = { scopes, requestsPerMinute: requestsPerMinute ?? null };
  await limitApiKey(queries, id, limits);
  const times = { created_at: createdAt, expires_at: expiresAt, last_request: null };
  return { ...toApiKey({ id, name, start, scopes, requests_per_minute: limits.requestsPerMinute, has_quotas: false, ...times }), key };
}

/** The tags of the route table, and whether there is something to read and to change. */
function describeScopes(table: readonly Route[]): ApiKeyScope[] {
  const needed = new Set(table.map(scopeOf).filter((scope) => scope !== null));
  const tags = [...new Set([...needed].map((scope) => scope.split(":", 1)[0] ?? ""))].toSorted();
  return tags.map((tag) => ({ tag, read: needed.has(`${tag}:read`), write: needed.has(`${tag}:write`), use: needed.has(`${tag}:use`) }));
}

function requireKnown(scopes: readonly string[], known: readonly ApiKeyScope[]): void {
  const tags = new Set(["*", ...known.map(({ tag }) => tag)]);
  const fields = scopes.flatMap((scope, index) =>
    tags.has(scope.split(":", 1)[0] ?? "") ? [] : [{ path: `scopes.${index}`, message: `there is no part "${scope}" of the API` }],
  );
  if (fields.length > 0) throw new AppError("invalid_request", { fields });
}

function toApiKey(row: Awaited<ReturnType<typeof listApiKeys>>[number]): ApiKey {
  return {
    id: row.id,
    name: row.name ?? "",
    start: row.start ?? "",
    scopes: row.scopes,
    requestsPerMinute: row.requests_per_minute,
    hasQuotas: row.has_quotas,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_request?.toISOString() ?? null,
  };
}
