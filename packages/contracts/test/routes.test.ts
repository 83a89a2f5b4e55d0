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

/** What answers 201 or 202 and is not done once for a key, and why sending it again does no harm or is meant. */
const notOnce: Readonly<Record<string, string>> = {
  ...reasons("a password, a code or a link is used up by it, or made anew: the one before is no good any more", [
    "completeSetup",
    "signIn",
    "completeSignUp",
    "redeemDeviceCode",
    "createPasswordReset",
    "beginTwoFactor",
    "impersonateUser",
    "rotateTrigger",
    "rotateWebhook",
    "rotateWebhookSecret",
    "renewShareLink",
  ]),
  ...reasons("nothing but a message or a code that ends by itself comes of it; how many is limited", [
    "requestSignUp",
    "requestPasswordReset",
    "requestEmailVerification",
    "createDeviceCode",
    "createArtifactLink",
  ]),
  ...reasons("what is made is found by what it holds, or is there at most once", [
    "uploadBlob",
    "chooseImportFolder",
    "startStorageJob",
    "buildEnvironment",
    "buildProgramEnvironment",
    "startProgramSandbox",
    "startWorkspaceSandbox",
    "buildEnvironmentImage",
    "pushEnvironmentImage",
    "analyseProgram",
    "analyseWorkspace",
    "createSandboxFolder",
    "openPreview",
  ]),
  ...reasons("it is sent again on purpose: each is a message of its own", ["testWebhook", "replayWebhookDelivery", "replayWebhook"]),
  ...reasons("one at a time, and what is there already is not written again", ["createBackup", "verifyBackup", "backUpWorkspace"]),
  ...reasons("it ends what is there", ["cancelRun"]),
  ...reasons("it lives and ends with the sandbox, where a command may be meant twice", ["startProcess", "createContext"]),
  callTrigger: "calls have names of their own, as their senders give them",
};

/** Changes that need not say what they are changes of, and why nobody's work is lost. */
const unrevised: Readonly<Record<string, string>> = {
  ...reasons("only oneself changes it, a field at a time", ["updateMe", "updateNotification", "updateNotificationPreferences"]),
  ...reasons("each field is set whole, by people who say who may do what: the last word counts", [
    "updateGrant",
    "updateTeam",
    "updateTeamMember",
    "updateUser",
    "updateSettings",
    "updateKeyQuotas",
    "updateQuotas",
    "updateBudget",
  ]),
  ...reasons("one field, of what is not edited", ["updateRun", "updateSandbox"]),
  updateSandboxFile: "programs write the same files: what is in a sandbox is not kept apart",
};

function reasons(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

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

  it("creates once for each key, or says why not", () => {
    const creates = table.filter(([, { method, responses }]) => method === "POST" && ("201" in responses || "202" in responses));
    const others = creates.filter(([, { once, headers }]) => once === undefined && headers?.shape["idempotency-key"] === undefined);
    expect(others.map(([name]) => name).toSorted()).toEqual(Object.keys(notOnce).toSorted());
  });

  it("changes what was loaded, or says why that need not be said", () => {
    const changes = table.filter(([, { method }]) => method === "PATCH" || method === "PUT");
    const revised = changes.filter(([, { headers }]) => headers?.shape["if-match"] !== undefined);
    for (const [name, { errors }] of revised) expect([name, errors]).toEqual([name, expect.arrayContaining(["revision_conflict"])]);
    const others = changes.filter((change) => !revised.includes(change)).map(([name]) => name);
    expect(others.toSorted()).toEqual(Object.keys(unrevised).toSorted());
  });

  describe.each(table)("%s", (name, route) => {
    it("has a name, a summary and a tag", () => {
      expect(name).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
      expect(route.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(route.tag).toMatch(/^[a-z]+$/);
    });

    it("has a versioned path whose parameters are described", () => {
      // The paths of the gateway and of git are those of the protocols that they speak.
      const isOfProtocol = route.tag === "gateway" || route.path.startsWith("/git/");
      expect(route.path.startsWith("/api/v1/") || route.tag === "system" || isOfProtocol).toBe(true);
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
