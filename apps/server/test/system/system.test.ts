import { routes } from "@syla/contracts/routes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("every route", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(Object.entries(routes))("%s is there, and is closed to strangers unless it says otherwise", async (name, route) => {
    const path = route.path.replace(/:\w+/g, "x");
    const body =
      route.method === "POST"
        ? { body: "{}", headers: { "content-type": "application/json", authorization: "" } }
        : { headers: { authorization: "" } };
    const response = await server.fetch(path, { method: route.method, ...body });
    const problem = response.status >= 400 ? ((await response.json()) as { code: string; detail: string }) : { code: "", detail: "" };
    const { code, detail } = problem;
    const refused = response.status === 401 && code === "unauthenticated";
    // The metrics look for themselves who asks: it may be somebody with nothing but their token.
    expect(refused).toBe(route.auth !== "none" || name === "getMetrics");
    expect([200, 302, 400, 401, 403, 404, 410]).toContain(response.status);
    expect(detail).not.toContain(`There is no ${route.method} `);
  });

  it("shows its health, version and reference", async () => {
    expect(await (await server.fetch("/healthz")).json()).toEqual({ status: "ok" });
    expect(await (await server.fetch("/readyz")).json()).toEqual({ status: "ready" });
    expect(await (await server.fetch("/api/v1/server")).json()).toEqual({
      name: "syla",
      version: server.context.version,
      apiVersion: "v1",
    });
    expect(await (await server.fetch("/api/openapi.json")).json()).toMatchObject({ openapi: "3.1.1" });
    expect((await server.fetch("/api/docs")).headers.get("content-type")).toContain("text/html");
  });

  it("is not ready while it drains", async () => {
    server.context.state.draining = true;
    try {
      expect((await server.fetch("/readyz")).status).toBe(503);
      expect((await server.fetch("/healthz")).status).toBe(200);
    } finally {
      server.context.state.draining = false;
    }
  });
});

describe("web application", () => {
  it("says so when it has not been built, and is found when it is built later", async () => {
    using directory = createTemporaryDirectory();
    const dist = join(directory.path, "dist");
    await using server = await startTestServer({ SYLA_WEB_DIR: dist, SYLA_BASE_PATH: "/syla" });
    const missing = await server.fetch("/");
    expect(missing.status).toBe(503);
    expect(await missing.text()).toContain("npm run build");

    mkdirSync(join(dist, "assets"), { recursive: true });
    writeFileSync(join(dist, "index.html"), "<!doctype html><html><head><title>Syla</title></head><body></body></html>");
    writeFileSync(join(dist, "assets/app-1a2b3c.js"), "export {};");
    writeFileSync(join(dist, "icon.svg"), "<svg/>");
    for (const path of ["/", "/runs/run_1", "/index.html", "/settings/api-keys"]) {
      const page = await server.fetch(path);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<head><base href="/syla/">');
      expect(page.headers.get("cache-control")).toBe("no-cache");
      expect(page.headers.get("content-security-policy")).toContain("script-src 'self' 'wasm-unsafe-eval';");
    }
    const script = await server.fetch("/assets/app-1a2b3c.js");
    expect(script.headers.get("cache-control")).toContain("immutable");
    expect(script.headers.get("content-type")).toContain("javascript");
    expect((await server.fetch("/icon.svg")).headers.get("cache-control")).toBe("no-cache");
  });

  it("serves nothing outside its folder and no page for the API", async () => {
    using directory = createTemporaryDirectory();
    const dist = join(directory.path, "dist");
    mkdirSync(dist);
    writeFileSync(join(directory.path, "secret.txt"), "secret");
    writeFileSync(join(dist, "index.html"), "<head></head>");
    await using server = await startTestServer({ SYLA_WEB_DIR: dist });
    for (const path of ["/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/none.js", "/routes.ts"]) {
      const response = await server.fetch(path);
      expect([path, response.status >= 400]).toEqual([path, true]);
      expect(await response.text()).not.toContain("secret\n");
    }
    for (const path of ["/api/v1/nothing", "/api", "/api/"]) expect((await server.fetch(path)).status).toBe(404);
  });
});
