import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { SetupInput } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { z } from "zod";
import type { Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { hashPassword } from "./password.ts";
import { insertFirstAdmin, lockSettings, nameUser, readSetup, writeSetup, type SetupState } from "./store.ts";

/** The first admin, and the token of the set-up link as long as nobody has been set up. */
export interface FirstAdmin {
  readonly id: string;
  readonly setupToken: string | undefined;
}

/**
 * Makes sure that there is a first admin, whom the key of the local OS user acts as. Each start before the set-up gives out a
 * fresh token and forgets the one before; only its hash is stored.
 */
export async function ensureFirstAdmin(queries: Queries): Promise<FirstAdmin> {
  return queries.transaction().execute(async (work) => {
    await lockSettings(work);
    const state = await readSetup(work);
    if (state !== undefined && state.tokenHash === null) return { id: state.adminId, setupToken: undefined };
    const id = state?.adminId ?? newId("user");
    if (state === undefined) await insertFirstAdmin(work, id);
    const setupToken = randomBytes(32).toString("base64url");
    await writeSetup(work, { adminId: id, tokenHash: hashToken(setupToken) });
    return { id, setupToken };
  });
}

/** Whether the set-up is still to be done, and whether this token would do it. */
export async function checkSetup(queries: Queries, token: string | undefined): Promise<{ needed: boolean; tokenValid: boolean }> {
  const state = await readSetup(queries);
  const needed = state === undefined || state.tokenHash !== null;
  return { needed, tokenValid: state !== undefined && token !== undefined && tokenMatches(state, token) };
}

/**
 * Names the first admin, once. Of two requests with the same token one wins.
 *
 * @returns the admin's id
 * @throws AppError `setup_token_invalid`, `already_set_up`
 */
export async function completeSetup(queries: Queries, input: z.output<typeof SetupInput>): Promise<string> {
  const password = await hashPassword(input.password);
  return queries.transaction().execute(async (work) => {
    const state = await readSetup(work, true);
    if (state !== undefined && state.tokenHash === null) throw new AppError("already_set_up");
    if (state === undefined || !tokenMatches(state, input.token)) throw new AppError("setup_token_invalid");
    await nameUser(work, { id: state.adminId, name: input.name, email: input.email.toLowerCase() }, { id: newId("acct"), password });
    await writeSetup(work, { adminId: state.adminId, tokenHash: null });
    return state.adminId;
  });
}

function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function tokenMatches(state: SetupState, token: string): boolean {
  return state.tokenHash !== null && timingSafeEqual(Buffer.from(state.tokenHash), Buffer.from(hashToken(token)));
}
