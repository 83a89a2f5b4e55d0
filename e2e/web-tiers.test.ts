import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute } from "@syla/testkit/runs";
import type { Page } from "playwright-core";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

/** Where the page of a run says what held it, and where teams and programs say how strong that has to be at least. */
describe.skipIf(noBrowser !== null)("how runs are isolated", () => {
  let web: WebTest;
  let page: Page;
  beforeAll(async () => {
    web = await startWebTest();
    page = await web.openPage("/");
  });
  afterAll(() => web[Symbol.asyncDispose]());
  const send = async (method: string, path: string, body?: object) =>
    (await (await web.server.send(method, path, body)).json()) as { id: string; leastTier?: string; config?: { leastTier?: string } };

  it("is told on the page of a run, wall by wall", async () => {
    const run = await execute(web.server, { language: "bash", code: "echo 1" });
    await page.goto(`/runs/${run.id}`);
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("region", { name: "Held by" }).getByText("jail (bubblewrap) · namespaces · filter of system calls").waitFor();
    expect(run.walls).toEqual(["bubblewrap", "namespaces", "seccomp"]);
  });

  it("is chosen for what the members of a team run", async () => {
    const { id } = await send("POST", "/api/v1/teams", { name: "Careful" });
    await page.goto(`/teams/${id}`);
    await page.getByRole("button", { name: "Change" }).first().click();
    await page.getByRole("dialog").getByLabel("Isolation").selectOption("microvm");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("is run only in virtual machines with kernels of their own").waitFor();
    expect(await send("GET", `/api/v1/teams/${id}`)).toMatchObject({ leastTier: "microvm" });
    await send("PATCH", `/api/v1/teams/${id}`, { leastTier: "namespace" });
  });

  it("is chosen for the runs of a program", async () => {
    const files = [{ path: "main.sh", content: "echo 1" }];
    const { id } = await send("POST", "/api/v1/assets", { type: "program", name: "Counting", files });
    await page.goto(`/programs/${id}?tab=settings`);
    await page.getByLabel("Isolation").selectOption("microvm");
    await page.getByRole("button", { name: "Save" }).first().click();
    await expect.poll(async () => (await send("GET", `/api/v1/assets/${id}`)).config?.leastTier).toBe("microvm");
  });
});
