import { AppError } from "@syla/contracts/errors";
import type { FastifyReply, FastifyRequest } from "fastify";

const apiPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Content policy of the web application: everything from this server, styles also inline (the component library writes them). */
export const webPolicy = [
  "default-src 'self'",
  // WebAssembly may be compiled: the formatter of Python is some. No script may be made of text.
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. A handler may replace the content policy and the caching. */
export function setSecurityHeaders(reply: FastifyReply, https: boolean): void {
  reply.headers({
    "content-security-policy": apiPolicy,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  if (https) reply.header("strict-transport-security", "max-age=31536000");
}

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses a change that a browser sends on behalf of another site. A request with a bearer key cannot be forged by a page, and
 * one without `Sec-Fetch-Site` and `Origin` does not come from a browser.
 *
 * @throws AppError `cross_origin`
 */
export function refuseCrossOrigin(request: FastifyRequest, publicOrigin: string | undefined): void {
  // A socket begins with a GET, but what is sent over it changes things, and no browser asks before it opens one.
  const changes = !safeMethods.has(request.method) || request.headers.upgrade !== undefined;
  if (!changes || request.headers.authorization !== undefined) return;
  const { origin } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (origin !== undefined) {
    if (origin === publicOrigin || origin === `${request.protocol}://${request.host}`) return;
    throw new AppError("cross_origin", { details: { origin } });
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") throw new AppError("cross_origin");
}
