import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

const yearSeconds = 365 * 24 * 60 * 60;

/**
 * Remembers in a cookie that this person has signed in with this browser. Failures of strangers do not count against it, so nobody is
 * locked out by somebody else's guessing.
 */
export interface KnownBrowser {
  /** The browser's own name for this address; undefined where the person has never signed in. */
  find(request: FastifyRequest, email: string): string | undefined;
  remember(reply: FastifyReply, email: string): void;
}

export function createKnownBrowser(options: { secret: string; https: boolean; basePath: string }): KnownBrowser {
  const cookieName = options.https ? "__Secure-syla.known" : "syla.known";
  const mark = (email: string) => createHmac("sha256", options.secret).update(`known-browser:${email.toLowerCase()}`).digest("base64url");
  const path = options.basePath === "" ? "/" : options.basePath;
  return {
    find(request, email) {
      const expected = Buffer.from(mark(email));
      const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
      const given = cookies.find((cookie) => cookie.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
      if (given === undefined) return undefined;
      const actual = Buffer.from(given);
      return actual.length === expected.length && timingSafeEqual(actual, expected) ? given : undefined;
    },
    remember(reply, email) {
      const secure = options.https ? "; Secure" : "";
      reply.header("set-cookie", `${cookieName}=${mark(email)}; Max-Age=${yearSeconds}; Path=${path}; HttpOnly; SameSite=Lax${secure}`);
    },
  };
}
