import type { FastifyReply, FastifyRequest } from "fastify";
import { addressHeader } from "./authentication.ts";

/** The headers that the authentication library may see: the cookie, the browser's name, and the address as we trust it. */
export function libraryHeaders(request: FastifyRequest): Headers {
  const headers = new Headers({ [addressHeader]: request.ip });
  const { cookie } = request.headers;
  const agent = request.headers["user-agent"];
  if (cookie !== undefined) headers.set("cookie", cookie);
  if (agent !== undefined) headers.set("user-agent", agent.slice(0, 400));
  return headers;
}

/** Passes the cookies that the library set on to the caller. */
export function passCookies(headers: Headers, reply: FastifyReply): void {
  for (const cookie of headers.getSetCookie()) reply.header("set-cookie", cookie);
}
