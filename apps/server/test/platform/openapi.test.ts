import { errorCatalog } from "@syla/contracts/errors";
import { route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { buildOpenApi } from "../../src/platform/openapi.ts";
import { renderReference } from "../../src/system/reference-page.ts";

const document = buildOpenApi(routes, "1.2.3");

/** Every `$ref` in a document. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === "$ref" ? [String(item)] : referencesIn(item)));
}

describe("OpenAPI document", () => {
  it("has every route once, with its parameters", () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(operations.map((operation) => String(operation["operationId"])).toSorted()).toEqual(Object.keys(routes).toSorted());
    const cancel = document.paths["/api/v1/runs/{id}/cancel"]?.["post"];
    expect(cancel?.["parameters"]).toMatchObject([{ name: "id", in: "path", required: true }]);
    const list = document.paths["/api/v1/runs"]?.["get"]?.["parameters"] as { name: string; required: boolean; description?: string }[];
    expect(list.find((parameter) => parameter.name === "status")).toMatchObject({
      required: false,
      description: expect.stringContaining("comma") as string,
    });
  });

  it("refers only to what it holds", () => {
    const known = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`));
    for (const reference of referencesIn(document)) expect(known).toContain(reference);
    expect(JSON.stringify(document)).not.toContain("$defs");
  });

  it("tells requests and answers apart", () => {
    const { schemas } = document.components;
    const required = (name: string) => (schemas[name] as { required?: string[] }).required ?? [];
    // What has a default may be left out of a request.
    expect(required("RunInput")).toEqual([]);
    expect(schemas["RunInput"]).toMatchObject({ additionalProperties: false });
    expect(required("Run")).toContain("status");
    expect(schemas["Run"]).not.toHaveProperty("additionalProperties");
  });

  it("gives a schema two names when request and answer differ", () => {
    const Thing = z.object({ size: z.int().default(1) }).meta({ id: "Thing" });
    const common = { summary: "s", tag: "t", auth: "none", errors: [] } as const;
    const made = buildOpenApi(
      {
        put: route({ ...common, method: "POST", path: "/a", body: Thing, responses: { 200: Thing } }),
        get: route({ ...common, method: "GET", path: "/b", responses: { 200: Thing } }),
      },
      "1",
    );
    expect(Object.keys(made.components.schemas)).toEqual(["Problem", "Thing", "ThingRequest"]);
    expect(made.components.schemas["Thing"]).toMatchObject({ required: ["size"] });
    expect(made.components.schemas["ThingRequest"]).not.toHaveProperty("required");
  });

  it("names each declared error under its status", () => {
    for (const { path, method, errors } of Object.values(routes)) {
      const responses = document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()]?.["responses"] as Record<
        string,
        { description: string }
      >;
      for (const code of errors) expect(responses[String(errorCatalog[code].status)]?.description).toContain(`\`${code}\``);
    }
  });

  it("is the same each time", () => {
    expect(JSON.stringify(buildOpenApi(routes, "1.2.3"))).toBe(JSON.stringify(document));
  });
});

describe("reference page", () => {
  const page = renderReference(document);

  it("shows every operation, type and error, and loads nothing from anywhere", () => {
    for (const name of Object.keys(routes)) expect(page).toContain(`id="${name}"`);
    for (const code of Object.keys(errorCatalog)) expect(page).toContain(`id="error-${code}"`);
    expect(page).not.toMatch(/<script|src=|https?:\/\//);
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1] ?? "");
    for (const target of targets) expect(page).toContain(`id="${target}"`);
  });

  it("escapes what it shows", () => {
    const hostile = route({
      method: "GET",
      path: "/x",
      summary: "<script>alert(1)</script>",
      tag: "t",
      auth: "none",
      responses: { 200: z.object({}).describe('"><img>') },
      errors: [],
    });
    const made = renderReference(buildOpenApi({ hostile }, "<b>"));
    expect(made).not.toMatch(/<script>|<img>|<b>/);
  });
});
