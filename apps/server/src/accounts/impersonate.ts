import { AppError } from "@syla/contracts/errors";
import { APIError } from "better-auth/api";
import type { Authentication } from "./authentication.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import type { Accounts } from "./service.ts";

/** Begins and ends acting as somebody else, by cookies. */
export function createImpersonation({ api }: Authentication): Pick<Accounts, "startImpersonation" | "stopImpersonation"> {
  return {
    async startImpersonation(userId, reason, { request, reply }) {
      const started = await notFoundIfRefused(
        api.startImpersonation({ body: { userId, reason }, headers: libraryHeaders(request), returnHeaders: true }),
      );
      passCookies(started.headers, reply);
      return started.response.expiresAt;
    },
    async stopImpersonation({ request, reply }) {
      const stopped = await notFoundIfRefused(api.stopImpersonation({ headers: libraryHeaders(request), returnHeaders: true }));
      passCookies(stopped.headers, reply);
    },
  };
}

async function notFoundIfRefused<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof APIError) throw new AppError("not_found");
    throw error;
  }
}
