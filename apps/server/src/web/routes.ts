import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import type { Http } from "../access/http.ts";
import { webPolicy } from "../platform/http-security.ts";

/** Where the built web application is and where it is served. */
export interface WebOptions {
  readonly webDir: string;
  readonly basePath: string;
}

/**
 * Serves the web application: its hashed assets for good, its page fresh on every load, the page again for every path that is
 * not a file (the application routes itself), and never below `/api`.
 */
export function registerWebRoutes(http: Http, { webDir, basePath }: WebOptions): void {
  const index = join(webDir, "index.html");
  // Every file is sent with its directory; the root only has to exist, and the pages may be built after the start.
  void http.fastify.register(fastifyStatic, { root: import.meta.dirname, serve: false, cacheControl: false });
  const page = (reply: FastifyReply) => {
    reply.type("text/html; charset=utf-8").header("content-security-policy", webPolicy).header("cache-control", "no-cache");
    if (!existsSync(index)) return reply.code(503).send(notBuilt);
    return reply.send(withBase(readFileSync(index, "utf8"), basePath));
  };
  http.fastify.get("/", (_request, reply) => page(reply));
  http.fastify.get("/*", (request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "/";
    if (/^\/(api|healthz|readyz)(\/|$)/.test(path)) return reply.callNotFound();
    if (!/\.[A-Za-z0-9]+$/.test(path) || path === "/index.html") return page(reply);
    const immutable = path.startsWith("/assets/") && existsSync(join(webDir, "assets"));
    reply
      .header("content-security-policy", webPolicy)
      .header("cache-control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
    return reply.sendFile(path.slice(1), webDir);
  });
}

/** Relative addresses of the page are taken from here, whatever path it is shown under. */
function withBase(html: string, basePath: string): string {
  return html.replace(/<base [^>]*>/, "").replace(/<head>/i, `<head><base href="${basePath}/">`);
}

const notBuilt = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Syla</title></head>
<body><h1>The web application has not been built</h1>
<p>The API works. Build the pages with <code>npm run build -w apps/web</code> and load this address again.</p></body></html>
`;
