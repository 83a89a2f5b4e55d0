import { errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import { Problem } from "@syla/contracts/problem";
import { onceErrors, onceHeader, type Route } from "@syla/contracts/route";
import type { z } from "zod";
import { toSchema, type JsonObject } from "./openapi-schema.ts";

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: JsonObject;
  readonly servers: readonly JsonObject[];
  readonly paths: Record<string, Record<string, JsonObject>>;
  readonly components: {
    readonly schemas: Record<string, JsonObject>;
    readonly responses: Record<string, JsonObject>;
    readonly securitySchemes: JsonObject;
  };
  readonly tags: readonly JsonObject[];
}

/** Errors that any route may answer with, besides those it declares. */
const commonErrors: readonly ErrorCode[] = ["internal", "rate_limited"];

/** Builds the OpenAPI document of a route table. Pure: the same table gives the same document. */
export function buildOpenApi(routes: Readonly<Record<string, Route>>, version: string, serverUrl = "/"): OpenApiDocument {
  const schemas: Record<string, JsonObject> = {};
  const paths: Record<string, Record<string, JsonObject>> = {};
  // Answers first: they get the plain names.
  for (const { responses } of Object.values(routes))
    for (const part of Object.values(responses)) if (typeof part !== "string") toSchema(part, "output", schemas);
  for (const [name, route] of Object.entries(routes)) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(name, route, schemas);
  }
  const problem = toSchema(Problem, "output", schemas);
  return {
    openapi: "3.1.1",
    info: {
      title: "Syla",
      version,
      description: "Self-hosted platform for programs that must run safely and be understood.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: serverUrl }],
    tags: [...new Set(Object.values(routes).map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => a.localeCompare(b))),
      responses: {
        Problem: {
          description: "An error, as a problem document (RFC 9457) with a stable `code`.",
          content: { "application/problem+json": { schema: problem } },
        },
      },
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key." },
        shareLink: {
          type: "http",
          scheme: "bearer",
          description: "The token of a share link, to view what it leads to, where an administrator allows that (`SYLA_ANONYMOUS_LINKS`).",
        },
        session: { type: "apiKey", in: "cookie", name: "syla.session_token", description: "The session cookie of the web application." },
      },
    },
  };
}

function operation(name: string, route: Route, schemas: Record<string, JsonObject>): JsonObject {
  const parameters = [
    ...parametersOf("path", route.params, schemas),
    ...parametersOf("query", route.query, schemas),
    ...parametersOf("header", route.headers, schemas),
    ...(route.once === undefined ? [] : parametersOf("header", onceHeader, schemas)),
  ];
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.tag],
    security: route.auth === "none" ? [] : [{ apiKey: [] }, { session: [] }, ...(route.link === undefined ? [] : [{ shareLink: [] }])],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body, schemas) }),
    responses: { ...answers(route, schemas), ...problems(route) },
  };
}

function parametersOf(
  place: "path" | "query" | "header",
  schema: z.ZodObject | undefined,
  schemas: Record<string, JsonObject>,
): JsonObject[] {
  if (schema === undefined) return [];
  const object = toSchema(schema, "input", schemas) as { properties?: Record<string, JsonObject>; required?: string[] };
  return Object.entries(object.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || (object.required?.includes(name) ?? false),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function requestBody(body: z.ZodType | "bytes", schemas: Record<string, JsonObject>): JsonObject {
  if (body === "bytes")
    return { required: true, content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } } };
  return { required: true, content: { "application/json": { schema: toSchema(body, "input", schemas) } } };
}

const rawAnswers: Readonly<Record<string, JsonObject>> = {
  bytes: { description: "The bytes.", content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } } },
  "event-stream": { description: "Server-sent events.", content: { "text/event-stream": { schema: { type: "string" } } } },
  websocket: { description: "Becomes a WebSocket when the request asks for that." },
  none: { description: "Done; no body." },
};

function answers(route: Route, schemas: Record<string, JsonObject>): JsonObject {
  const entries = Object.entries(route.responses).map(([status, answer]): [string, JsonObject] => {
    if (typeof answer === "string") return [status, rawAnswers[answer] ?? {}];
    return [status, { description: "OK", content: { "application/json": { schema: toSchema(answer, "output", schemas) } } }];
  });
  return Object.fromEntries(entries);
}

/** One response per status, naming the codes that come with it. */
function problems(route: Route): JsonObject {
  const codes = new Set<ErrorCode>([...route.errors, ...commonErrors]);
  if (route.auth === "user") for (const code of ["unauthenticated", "invalid_api_key"] as const) codes.add(code);
  if (route.auth === "user" && route.method !== "GET") codes.add("cross_origin");
  if (route.once !== undefined) for (const code of onceErrors) codes.add(code);
  if (route.once === "shown") codes.add("idempotency_answer_gone");
  if (route.params ?? route.query ?? route.headers ?? route.body) codes.add("invalid_request");
  codes.add("database_unavailable");
  const byStatus = Map.groupBy(codes, (code) => errorCatalog[code].status);
  const entries = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, list]): [string, JsonObject] => {
      const description = list
        .toSorted()
        .map((code) => `\`${code}\``)
        .join(", ");
      return [
        String(status),
        { description, content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
      ];
    });
  return Object.fromEntries(entries);
}
