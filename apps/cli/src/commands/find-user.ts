import type { Syla, UserRecord } from "@syla/sdk";
import { usageError } from "../cli-error.ts";

/** The account that is meant by an id or an e-mail address. */
export async function findUser(syla: Syla, named: string): Promise<UserRecord> {
  if (/^user_[0-9a-z]{26}$/.test(named)) return await syla.users.get(named);
  const { items } = await syla.users.list({ q: named, limit: 200 });
  const user = items.find((candidate) => candidate.email === named.toLowerCase());
  if (user === undefined)
    throw usageError(`No account has the e-mail address ${JSON.stringify(named)}.`, "`syla admin users list` shows them.");
  return user;
}
