import { z } from "zod";

/** A new password. */
export const password = z.string().min(10, "at least 10 characters").max(256);

/** A password as it is given to prove who one is. */
export const givenPassword = z.string().min(1).max(256);

/** An e-mail address. */
export const email = z.email().max(320);

/** The secret part of a one-time link. */
export const linkToken = z.string().min(1).max(256);

/** The six digits of an authenticator, or a recovery code. */
export const secondFactorCode = z.string().trim().min(6).max(32);

export const byId = z.object({ id: z.string().max(64) });
