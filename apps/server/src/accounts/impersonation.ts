import { APIError, createAuthEndpoint, getSessionFromCtx } from "better-auth/api";
import { expireCookie, setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

/** How long it lasts at most, whatever the library does with sessions that are used. */
export const impersonationMs = 3_600_000;
const adminCookie = "admin_session";

/**
 * Acting as somebody else, as the library's own admin plugin does it: a session of its own, and the administrator's session in a signed
 * cookie beside it. That plugin is not used since it has roles, suspension and listing of its own kind. Who may is checked by the caller.
 */
export function impersonation() {
  return {
    id: "syla-impersonation",
    endpoints: {
      startImpersonation: createAuthEndpoint(
        "/syla/start-impersonation",
        { method: "POST", requireHeaders: true, body: z.object({ userId: z.string(), reason: z.string() }) },
        async (ctx) => {
          const own = await getSessionFromCtx(ctx);
          const user = await ctx.context.internalAdapter.findUserById(ctx.body.userId);
          if (own === null || user === null) throw APIError.fromStatus("NOT_FOUND");
          const expiresAt = new Date(Date.now() + impersonationMs);
          const fields = { impersonatedBy: own.user.id, impersonationReason: ctx.body.reason, expiresAt };
          const session = await ctx.context.internalAdapter.createSession(user.id, true, fields, true);
          const { name, attributes } = ctx.context.createAuthCookie(adminCookie, { maxAge: impersonationMs / 1000 });
          await ctx.setSignedCookie(name, own.session.token, ctx.context.secret, attributes);
          await setSessionCookie(ctx, { session, user }, true);
          return { expiresAt };
        },
      ),
      stopImpersonation: createAuthEndpoint("/syla/stop-impersonation", { method: "POST", requireHeaders: true }, async (ctx) => {
        const acting = await getSessionFromCtx<Record<string, unknown>, { impersonatedBy?: string | null }>(ctx);
        const impersonatorId = acting?.session.impersonatedBy;
        if (acting === null || !impersonatorId) throw APIError.fromStatus("NOT_FOUND");
        await ctx.context.internalAdapter.deleteSession(acting.session.token);
        const cookie = ctx.context.createAuthCookie(adminCookie);
        const token = await ctx.getSignedCookie(cookie.name, ctx.context.secret);
        const own = token ? await ctx.context.internalAdapter.findSession(token) : null;
        expireCookie(ctx, cookie);
        expireCookie(ctx, ctx.context.authCookies.dontRememberToken);
        if (own !== null && own.session.userId === impersonatorId) await setSessionCookie(ctx, own, false);
        else expireCookie(ctx, ctx.context.authCookies.sessionToken);
        return { restored: own !== null };
      }),
    },
  } as const;
}
