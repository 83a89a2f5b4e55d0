import type { Me, ProfileInput } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { z } from "zod";
import type { Queries } from "../platform/database.ts";
import { findUser, updateProfile } from "./store.ts";

/**
 * A person as they are told of themselves.
 *
 * @throws AppError `unauthenticated` when the user is gone: only the person asks for themselves here
 */
export async function getMe(queries: Queries, id: string): Promise<Me> {
  const row = await findUser(queries, id);
  if (row === undefined) throw new AppError("unauthenticated");
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    emailVerified: row.email_verified,
    twoFactor: row.two_factor_enabled,
    timeZone: row.time_zone,
  };
}

/** Changes the name or the time zone. */
export async function updateMe(queries: Queries, id: string, { name, timeZone }: z.output<typeof ProfileInput>): Promise<Me> {
  await updateProfile(queries, id, { ...(name !== undefined && { name }), ...(timeZone !== undefined && { time_zone: timeZone }) });
  return await getMe(queries, id);
}
