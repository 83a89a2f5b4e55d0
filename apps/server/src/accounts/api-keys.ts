import type { ApiKey, ApiKeyInput } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Queries } from "../platform/database.ts";
import type { ApiKeyMemo } from "./api-key-memo.ts";
import type { Authentication } from "./authentication.ts";
import { deleteApiKey, listApiKeys } from "./store.ts";

/** A person's API keys. */
export interface ApiKeys {
  listApiKeys(actor: Actor): Promise<ApiKey[]>;
  /** The key itself is in this answer and nowhere else. */
  createApiKey(actor: Actor, input: z.output<typeof ApiKeyInput>): Promise<ApiKey & { key: string }>;
  /** @throws AppError `not_found` */
  deleteApiKey(actor: Actor, id: string): Promise<void>;
}

/** API keys of the authentication library; a revoked one is forgotten by `memo` at once. */
export function createApiKeys(authentication: Authentication, queries: Queries, memo: ApiKeyMemo): ApiKeys {
  return {
    async listApiKeys(actor) {
      return (await listApiKeys(queries, actor.userId)).map(toApiKey);
    },
    async createApiKey(actor, { name, expiresInDays }) {
      const expiry = expiresInDays === undefined ? {} : { expiresIn: expiresInDays * 24 * 60 * 60 };
      const created = await authentication.api.createApiKey({ body: { name, userId: actor.userId, ...expiry } });
      const { id, start, createdAt, expiresAt, key } = created;
      return { ...toApiKey({ id, name, start, created_at: createdAt, expires_at: expiresAt, last_request: null }), key };
    },
    async deleteApiKey(actor, id) {
      const deleted = await deleteApiKey(queries, actor.userId, id);
      memo.forget(id);
      if (!deleted) throw new AppError("not_found");
    },
  };
}

function toApiKey(row: Awaited<ReturnType<typeof listApiKeys>>[number]): ApiKey {
  return {
    id: row.id,
    name: row.name ?? "",
    start: row.start ?? "",
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_request?.toISOString() ?? null,
  };
}
