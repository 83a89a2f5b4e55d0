import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../../platform/database.ts";
import { hashToken, newToken } from "../../platform/one-time-token.ts";
import { Secret } from "../../platform/secret.ts";
import * as store from "./store.ts";
import type { Caller } from "../service.ts";

const prefix = "syla_run";

/** Whether a key is a run's, by its form. */
export function looksLikeRunToken(key: string): boolean {
  return key.startsWith(`${prefix}_`);
}

/** A token without what all of them begin with. */
export function confidentialPart(token: Secret): Secret {
  return new Secret(token.reveal().slice(prefix.length + 1));
}

/** A text without the secret part of any run's token. */
export function hideRunTokens(text: string): string {
  return text.replaceAll(/(?<=syla_run_)[\w-]{43}/g, "[secret]");
}

/** What a token is made for. */
export interface RunTokenInput {
  readonly holder: store.TokenHolder;
  readonly userId: string;
  readonly programId: string | null;
  /** The API key that it counts against, besides its person. */
  readonly keyId: string | null;
  readonly modelIds: readonly string[];
  /** It ends then in any case. */
  readonly expiresAt: Date;
}

/** Tokens with which runs and sandboxes call models: bound to one of them and its models, and gone with it. */
export class RunTokens {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async issue(input: RunTokenInput): Promise<Secret> {
    const { token, tokenHash } = newToken(prefix);
    await store.insertToken(this.#queries, { ...input, hash: tokenHash });
    return new Secret(token);
  }

  /** The runs have ended. */
  async revoke(...runIds: readonly string[]): Promise<void> {
    await store.deleteTokens(this.#queries, runIds);
  }

  /** The sandbox has ended. Its tokens count no more from then on, also where this was not called. */
  async revokeOfSandbox(sandboxId: string): Promise<void> {
    await store.deleteSandboxTokens(this.#queries, sandboxId);
  }

  /** Who calls with a token. @throws AppError `run_token_invalid`, `account_suspended` */
  async read(token: string): Promise<Caller> {
    const row = token.length > 200 ? undefined : await store.findToken(this.#queries, hashToken(token));
    if (row === undefined) throw new AppError("run_token_invalid");
    if (row.status === "suspended") throw new AppError("account_suspended");
    return {
      userId: row.user_id,
      role: row.role,
      runId: row.run_id,
      sandboxId: row.sandbox_id,
      programId: row.program_id,
      modelIds: row.model_ids,
      keyId: row.api_key_id,
    };
  }

  /** Removes what is left of runs and sandboxes whose server is gone. */
  async sweep(): Promise<void> {
    await store.deleteExpired(this.#queries);
  }
}
