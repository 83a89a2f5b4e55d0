import type { RunSummary } from "@syla/contracts/runs";
import { newId } from "@syla/server/platform/ids";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the page of the workers", () => {
  beforeAll(async () => {
    web = await startWebTest({ SYLA_WORKER_SLOTS: "1" });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("shows workers, queue and pools as they change, without a reload", async () => {
    const page = await web.openPage("/");
    await page.getByRole("heading", { name: "Home" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await page.getByRole("heading", { name: "Workers", level: 1 }).waitFor();
    await page.getByText(`process ${process.pid}, Syla ${web.server.context.version}, this server`).waitFor();
    await page.getByText("0 of 1 slots in use").waitFor();
    const slow = await submit(web.server, { language: "bash", code: "sleep 60" });
    const waiting = await submit(web.server, { language: "bash", code: "true" });
    await page.getByText("1 of 1 slots in use").waitFor();
    await page.getByRole("img", { name: /^Waiting runs: now 1, at most 1$/ }).waitFor();
    await page.getByRole("img", { name: /^Busy slots: now 1, at most 1, limit 1$/ }).waitFor();
    const line = page.getByRole("list", { name: "Waiting runs" }).getByRole("listitem");
    await line.getByText("All slots are taken: 1 of 1.").waitFor();
    await page.getByRole("list", { name: "Taken runs" }).getByText(web.server.context.workerId).waitFor();
    await expectAccessible(page, "the workers with a queue");
    const owners = page.getByRole("list", { name: "Owners of any", exact: true });
    await expect.poll(() => owners.textContent(), { timeout: 10_000 }).toMatch(/^Ada Lovelace \(ada@example\.org\)1 busy, /);
    for (const { id } of [waiting, slow]) await web.server.send("POST", `/api/v1/runs/${id}/cancel`);
    await page.getByText("0 of 1 slots in use").waitFor();
    await page.getByRole("img", { name: /^Waiting runs: now 0, at most 1$/ }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("lists what was given up, and queues it again", async () => {
    const run = await execute(web.server, { language: "bash", code: "echo at last", entrypoint: "unlucky.sh" });
    await web.server.context.runs.allRecorded();
    const [id, error] = [newId("run"), { class: "infrastructure", code: "no_capacity", message: "", hint: "", location: null }];
    await sql`insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, attempt, error, finished_at)
      select ${id}, kind, 'failed', owner_id, language, entrypoint, config, request_hash, 3, ${JSON.stringify(error)}::jsonb, now()
      from runs where id = ${run.id}`.execute(web.server.context.database.queries);
    const page = await web.openPage("/workers");
    const row = page.getByRole("list", { name: "Given up" }).getByRole("listitem");
    await row.getByText("no_capacity").waitFor();
    await row.getByRole("button", { name: /^Queue unlucky\.sh again/ }).click();
    await page.getByText("None.", { exact: true }).waitFor();
    const { items } = (await (await web.server.fetch("/api/v1/runs?q=unlucky")).json()) as { items: RunSummary[] };
    expect(items.map(({ retryOf }) => retryOf)).toEqual([id, null, null]);
    await waitForRun(web.server, items[0]?.id ?? "");
    expect(web.problems).toEqual([]);
  });

  it("drains a worker and has it take runs again", async () => {
    const page = await web.openPage("/workers");
    const row = page.getByRole("listitem").filter({ hasText: web.server.context.workerId });
    await row.getByText("Live", { exact: true }).waitFor();
    await row.getByRole("button", { name: /^Drain / }).click();
    await row.getByText("Drained", { exact: true }).waitFor();
    const waiting = await submit(web.server, { language: "bash", code: "true" });
    expect(waiting.status).toBe("queued");
    await row.getByRole("button", { name: /^Resume / }).click();
    await row.getByText("Live", { exact: true }).waitFor();
    expect((await waitForRun(web.server, waiting.id)).status).toBe("succeeded");
    expect(web.problems).toEqual([]);
  });

  it("keeps what it last saw when the server does not answer, and goes on by itself", async () => {
    const page = await web.openPage("/workers");
    await page.getByText("0 of 1 slots in use").waitFor();
    await page.route("**/api/v1/pools", (route) => route.fulfill({ status: 500, body: "no" }));
    await page.getByRole("alert").filter({ hasText: "unexpected_answer" }).waitFor({ timeout: 20_000 });
    await page.getByText("as last seen").waitFor();
    await page.getByText("0 of 1 slots in use").waitFor();
    await page.unroute("**/api/v1/pools");
    await page.getByText("live", { exact: true }).waitFor({ timeout: 20_000 });
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("is for administrators: others do not see it, and are refused", async () => {
    const person = await createPerson(web.server);
    const page = await web.openPage("/", { signedIn: false, extraHTTPHeaders: person });
    await page.getByRole("link", { name: "Sandboxes" }).waitFor();
    expect(await page.getByRole("link", { name: "Workers" }).count()).toBe(0);
    await page.keyboard.press("Control+K");
    await page.getByRole("combobox", { name: /Find a page/ }).fill("workers");
    await page.getByText("Nothing is called “workers”.").waitFor();
    await page.goto("/workers");
    await page.getByRole("alert").filter({ hasText: "forbidden" }).waitFor();
    expect(await page.getByRole("heading", { name: "Pools" }).count()).toBe(0);
  });
});
