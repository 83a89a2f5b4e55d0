import { errorCatalog } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const table: [string, Route][] = Object.entries(routes);

/** The routes that work without signing in; another one is a decision, not an accident. */
const open = [
  "getHealth",
  "getReady",
  "getMetrics",
  "getServer",
  "getSetup",
  "completeSetup",
  "signIn",
  "getSignUp",
  "requestSignUp",
  "completeSignUp",
  "requestPasswordReset",
  "completePasswordReset",
  "confirmEmail",
  "createDeviceCode",
  "redeemDeviceCode",
  "listIdentityProviders",
  "startProviderSignIn",
  "finishProviderSignIn",
  "finishProviderSecondFactor",
  "createToken",
  "revokeToken",
  "callTrigger",
  "openArtifactLink",
];

function toJsonSchema(schema: z.ZodType | string | undefined, io: "input" | "output"): object {
  return schema === undefined || typeof schema === "string" ? {} : z.toJSONSchema(schema, { io, target: "draft-2020-12" });
}

describe("the route table", () => {
  it("has one operation per method and path", () => {
    const addresses = table.map(([, route]) => `${route.method} ${route.path.replaceAll(/:\w+/g, ":")}`);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it("opens only what must be open", () => {
    const found = table.filter(([, route]) => route.auth === "none").map(([name]) => name);
    expect(new Set(found)).toEqual(new Set(open));
  });

  describe.each(table)("%s", (name, route) => {
    it("has a name, a summary and a tag", () => {
      expect(name).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
      expect(route.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(route.tag).toMatch(/^[a-z]+$/);
    });

    it("has a versioned path whose parameters are described", () => {
      // The paths of the gateway are those of the protocols that it speaks.
      expect(route.path.startsWith("/api/v1/") || route.tag === "system" || route.tag === "gateway").toBe(true);
      expect(route.path.replace("count_tokens", "count-tokens")).toMatch(/^(\/[a-z0-9-]+|\/:[a-zA-Z]+)+$/);
      const inPath = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
      expect(new Set(Object.keys(route.params?.shape ?? {}))).toEqual(new Set(inPath));
    });

    it("has answers and errors that fit together", () => {
      const statuses = Object.keys(route.responses).map(Number);
      expect(statuses.length).toBeGreaterThan(0);
      for (const status of statuses) {
        expect((status >= 200 && status < 300) || status === 302 || status === 304).toBe(true);
        expect(route.responses[status] === "none").toBe(status === 204 || status === 302 || status === 304);
      }
      for (const code of route.errors) expect(errorCatalog[code].status).toBeGreaterThanOrEqual(400);
      expect(new Set(route.errors).size).toBe(route.errors.length);
      expect(route.method === "GET" && route.body !== undefined).toBe(false);
    });

    it("becomes JSON Schema", () => {
      for (const schema of [route.params, route.query, route.headers, route.body]) {
        expect(() => toJsonSchema(schema, "input")).not.toThrow();
      }
      for (const schema of Object.values(route.responses)) expect(() => toJsonSchema(schema, "output")).not.toThrow();
    });

    it("has header names in lower case", () => {
      for (const header of Object.keys(route.headers?.shape ?? {})) expect(header).toBe(header.toLowerCase());
    });
  });
});
