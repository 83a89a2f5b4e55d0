import type { User } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../platform/database.ts";
import { findUser } from "./store.ts";

/**
 * A user as the API shows them.
 *
 * @throws AppError `unauthenticated` when the user is gone: only the person asks for themselves here
 */
export async function getUser(queries: Queries, id: string): Promise<User> {
  const row = await findUser(queries, id);
  if (row === undefined) throw new AppError("unauthenticated");
  return { id: row.id, name: row.name, email: row.email, role: row.role, createdAt: row.created_at.toISOString() };
}
