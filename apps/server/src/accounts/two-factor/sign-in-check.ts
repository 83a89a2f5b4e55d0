import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../../platform/database.ts";
import { requireAllowed } from "../../platform/rate-limit.ts";
import type { Tries } from "../../platform/tries.ts";
import { findUser } from "../store.ts";
import type { SealedText } from "./sealed-text.ts";
import { spendSecondFactor } from "./two-factor.ts";

/** Of one person, from everywhere: codes have six digits only. Who has got so far knows the password, so strangers cannot use it up. */
const codesOfPerson = { limit: 20, windowMs: 3_600_000 };

/**
 * Asks for the second factor at sign-in, after the password was right.
 *
 * @throws AppError `two_factor_required`, `two_factor_invalid`, `rate_limited`
 */
export function createSecondFactorCheck(queries: Queries, sealed: SealedText, tries: Tries) {
  return async (userId: string, code: string | undefined): Promise<void> => {
    if ((await findUser(queries, userId))?.two_factor_enabled !== true) return;
    if (code === undefined) throw new AppError("two_factor_required");
    requireAllowed(await tries.take(`code ${userId}`, codesOfPerson), "Too many codes were tried.");
    await queries.transaction().execute((work) => spendSecondFactor(work, sealed, userId, code));
  };
}
