import { APIError, createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

/** Signs somebody in whose identity was proven otherwise than to the library. Who that is, is for the caller to say. */
export function openSession() {
  return {
    id: "syla-open-session",
    endpoints: {
      openSession: createAuthEndpoint(
        "/syla/open-session",
        { method: "POST", requireHeaders: true, body: z.object({ userId: z.string() }) },
        async (ctx) => {
          const user = await ctx.context.internalAdapter.findUserById(ctx.body.userId);
          if (user === null) throw APIError.fromStatus("NOT_FOUND");
          const session = await ctx.context.internalAdapter.createSession(user.id, false);
          await setSessionCookie(ctx, { session, user }, false);
          return { userId: user.id };
        },
      ),
    },
  } as const;
}
