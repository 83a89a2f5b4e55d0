import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createPerson, execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, typeProgram, type WebTest } from "./browser.ts";

const address = "127.0.0.2"; // 127.0.0.1 is the sandbox itself to a program
let web: WebTest;
let outside: Server;
let host: string;

describe.skipIf(noBrowser)("the network of a run", () => {
  beforeAll(async () => {
    outside = createServer((_request, response) => response.end("from outside")).listen(0, address);
    await once(outside, "listening");
    host = `${address}:${(outside.address() as AddressInfo).port}`;
    web = await startWebTest({ SYLA_NETWORK_ALLOW_PRIVATE: host });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    outside?.close();
  });

  const program = (...hosts: string[]) => `import urllib.error, urllib.request
for host in ${JSON.stringify(hosts)}:
    try: print(urllib.request.urlopen(f"http://{host}/").read().decode())
    except urllib.error.HTTPError as error: print(error.code)`;

  it("is chosen beside the code, and what came of it stands on the run's page", async () => {
    const page = await web.openPage("/runs/new");
    await page.locator(".cm-content").waitFor();
    await typeProgram(page, program(host, "other.example"));
    await page.getByRole("button", { name: "Network" }).click();
    await expect.poll(() => page.getByLabel("No network").isChecked()).toBe(true);
    await page.getByLabel("Some hosts").check();
    const run = page.getByRole("button", { name: /^Run/ });
    await page.getByText("Name at least one host.").waitFor();
    await page.getByLabel("Allowed hosts, one a line").fill("http://example.org");
    await page.getByText("Line 1 is not a host, *.host or address: http://example.org").waitFor();
    expect(await run.isDisabled()).toBe(true);
    await page.getByLabel("Allowed hosts, one a line").fill(`${host}\n*.Example.com`);
    await run.click();
    await page.getByText("from outside").waitFor();
    const { items } = (await (await web.server.fetch("/api/v1/runs")).json()) as { items: { id: string }[] };
    await page.goto(`/runs/${items[0]?.id}?tab=network`);
    const table = page.getByRole("region", { name: "Connections" });
    await table.waitFor();
    expect(await table.getByRole("row").allInnerTexts()).toEqual([
      expect.stringMatching(/^Outcome\s+Host/) as string,
      expect.stringMatching(new RegExp(`^completed\\s+${host}\\s.*${address}$`, "s")) as string,
      expect.stringMatching(/^refused\s+other\.example:80\s+it is not on the run's allow list\s/) as string,
    ]);
    await page.getByText("*.example.com").waitFor();
    await page.getByText("2, 1 refused").waitFor();
    await page.getByRole("link", { name: "Configuration" }).click();
    await page.getByText("2 allowed hosts").waitFor();
    await page.goto(`/runs/new?from=${items[0]?.id}`);
    await page.getByRole("button", { name: "Network" }).click();
    await expect.poll(() => page.getByLabel("Allowed hosts, one a line").inputValue()).toBe(`${host}\n*.example.com`);
    expect(web.problems).toEqual([]);
  });

  it("of the whole internet can be chosen by administrators only", async () => {
    const page = await web.openPage("/runs/new");
    await page.getByRole("button", { name: "Network" }).click();
    expect(await page.getByLabel("Every public host").isEnabled()).toBe(true);
    await page.route("**/api/v1/users/me", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), role: "developer" } });
    });
    await page.reload();
    await page.getByRole("button", { name: "Network" }).click();
    await page.getByText("(administrators only)").waitFor();
    expect(await page.getByLabel("Every public host").isDisabled()).toBe(true);
    const refused = await web.server.send(
      "POST",
      "/api/v1/runs",
      { language: "python", code: "1", network: "full" },
      await createPerson(web.server),
    );
    expect(refused.status).toBe(403);
  });

  it("has no tab on the page of a run that had none", async () => {
    const { id } = await execute(web.server, { language: "python", code: "print(1)" });
    const page = await web.openPage(`/runs/${id}`);
    await page.getByRole("link", { name: "Configuration" }).waitFor();
    expect(await page.getByRole("link", { name: "Network" }).count()).toBe(0);
  });
});
