import { routes } from "@syla/contracts/routes";
import type { Http } from "../access/http.ts";
import { buildOpenApi } from "../platform/openapi.ts";
import { renderReference } from "./reference-page.ts";

/** Serves the OpenAPI document and a readable page made from it. Both are made when somebody first asks: it takes longer than the rest of a start. */
export function registerReferenceRoutes(http: Http, options: { version: string; publicUrl: string }): void {
  let made: { readonly json: string; readonly page: string } | undefined;
  const make = () => {
    const document = buildOpenApi(routes, options.version, options.publicUrl);
    return { json: JSON.stringify(document, null, 2), page: renderReference(document) };
  };
  const reference = () => (made ??= make());
  http.fastify.get("/api/openapi.json", (_request, reply) => reply.type("application/json; charset=utf-8").send(reference().json));
  http.fastify.get("/api/docs", (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(reference().page),
  );
}
