import { createHash } from "node:crypto";
import { Problem } from "@syla/contracts/problem";
import type { Route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import { RunEvent } from "@syla/contracts/runs";
import { z } from "zod";
import { formatJson, type GeneratedFile } from "./generated-file.ts";

/** JSON with sorted keys, so that the order in which a schema was written does not count. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Texts for people; a better sentence is not another shape. */
const prose = new Set(["description", "title", "example", "examples"]);

/** Leaves what a machine notices: no prose, and `required` as the set that it is. */
function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(prose.has(key) && typeof inner === "string"))
      .map(([key, inner]) => [key, key === "required" && Array.isArray(inner) ? inner.map(String).toSorted() : withoutProse(inner)]),
  );
}

function shapeOf(schema: z.ZodType | string | undefined, io: "input" | "output"): unknown {
  if (schema === undefined || typeof schema === "string") return schema ?? null;
  return withoutProse(z.toJSONSchema(schema, { io, unrepresentable: "any" }));
}

/** All that a caller can notice of a route, without the sentences for people. */
export function describeWire(route: Route): unknown {
  return {
    method: route.method,
    path: route.path,
    auth: route.auth,
    params: shapeOf(route.params, "input"),
    query: shapeOf(route.query, "input"),
    headers: shapeOf(route.headers, "input"),
    body: shapeOf(route.body, "input"),
    responses: Object.fromEntries(Object.entries(route.responses).map(([status, schema]) => [status, shapeOf(schema, "output")])),
    errors: route.errors.toSorted(),
  };
}

/** The first 16 hex digits of the SHA-256 of a shape. */
export function hashShape(shape: unknown): string {
  return createHash("sha256").update(canonicalJson(shape)).digest("hex").slice(0, 16);
}

/** A hash per route, and one for each shape that travels outside of a route's answer. */
export function hashWireShapes(table: Readonly<Record<string, Route>> = routes): Record<string, string> {
  const ofRoutes = Object.entries(table).map(([name, route]): [string, string] => [name, hashShape(describeWire(route))]);
  const others: [string, string][] = [
    ["Problem", hashShape(shapeOf(Problem, "output"))],
    ["RunEvent", hashShape(shapeOf(RunEvent, "output"))],
  ];
  return Object.fromEntries([...ofRoutes, ...others].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `docs/wire.gen.json`: a change of a wire shape becomes visible in review as a changed line. */
export function generateWireHashes(): GeneratedFile {
  return { path: "docs/wire.gen.json", content: formatJson(hashWireShapes()) };
}
