import { routes } from "@syla/contracts/routes";
import type { Http } from "../access/http.ts";
import { buildOpenApi } from "../platform/openapi.ts";
import { renderReference } from "./reference-page.ts";

/** Serves the OpenAPI document and a readable page made from it. */
export function registerReferenceRoutes(http: Http, options: { version: string; publicUrl: string }): void {
  const document = buildOpenApi(routes, options.version, options.publicUrl);
  const json = JSON.stringify(document, null, 2);
  const page = renderReference(document);
  http.fastify.get("/api/openapi.json", (_request, reply) => reply.type("application/json; charset=utf-8").send(json));
  http.fastify.get("/api/docs", (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(page),
  );
}
