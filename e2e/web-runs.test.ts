import { createPerson } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, readLog, startWebTest, typeProgram, type WebTest } from "./browser.ts";

let web: WebTest;

async function execute(body: object, wait = true): Promise<string> {
  const answer = await web.server.send("POST", `/api/v1/executions?wait=${wait}`, body);
  const { id } = (await answer.json()) as { id: string };
  return id;
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("runs", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("are filtered by what stands in the address, also after a reload", async () => {
    await execute({ language: "python", code: "print(1)", entrypoint: "good.py" });
    await execute({ language: "python", code: "raise SystemExit(3)", entrypoint: "bad.py" });
    await execute({ language: "bash", code: "exit 1", entrypoint: "bad.sh" });
    const page = await web.openPage("/runs");
    await page.getByRole("table").getByRole("link", { name: "good.py" }).waitFor();
    await page.getByRole("button", { name: "Failed" }).click();
    await page.getByLabel("Language").selectOption("python");
    await page.getByLabel("Time", { exact: true }).selectOption("24h");
    await page.getByLabel("Search runs").fill("bad");
    await page.waitForURL(/status=failed&language=python&since=24h&q=bad/);
    const links = page.getByRole("table").getByRole("link");
    await expect.poll(() => links.allTextContents()).toEqual(["bad.py"]);
    await page.reload();
    await expect.poll(() => links.allTextContents()).toEqual(["bad.py"]);
    expect(await page.getByRole("button", { name: "Failed" }).getAttribute("aria-pressed")).toBe("true");
    expect(await page.getByLabel("Search runs").inputValue()).toBe("bad");
    await page.getByRole("button", { name: "Clear" }).click();
    await expect.poll(() => links.count()).toBe(3);
  });

  it("say what they come to, and how many there are of each kind, while that changes", async () => {
    const person = { authorization: (await createPerson(web.server)).authorization };
    const run = async (code: string) => {
      const answer = await web.server.send(
        "POST",
        "/api/v1/executions?wait=true",
        { language: "bash", code, entrypoint: "counted.sh" },
        person,
      );
      expect(answer.status).toBe(200);
    };
    for (const code of ["true", "true", "exit 1"]) await run(code);
    const page = await web.openPage("/runs", { signedIn: false, extraHTTPHeaders: person });
    const totals = page.getByRole("region", { name: "Totals" });
    await totals.getByText("66 %").waitFor();
    await totals.getByText("last 30 days").waitFor();
    await page.getByRole("button", { name: "Succeeded 2" }).waitFor();
    await page.getByRole("button", { name: "Charts" }).click();
    await page.getByRole("img", { name: /^Runs: 3 in 31 days, at most 3 on one$/ }).waitFor();
    await run("exit 2");
    await page.getByRole("button", { name: "Failed 2" }).waitFor({ timeout: 20_000 });
    await totals.getByText("50 %").waitFor();
    await page.getByRole("button", { name: "Failed 2" }).click();
    await totals.getByText(/^0 %/).waitFor();
    expect(await page.getByRole("button", { name: "Everybody's" }).count()).toBe(0);
    await page.route("**/api/v1/runs/summary*", (route) => route.fulfill({ status: 500, body: "no" }));
    await page.reload();
    await page.getByRole("alert").filter({ hasText: "unexpected_answer" }).waitFor({ timeout: 20_000 });
    await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: "counted.sh" }).first().waitFor();
  });

  it("say why they wait, and at which place", async () => {
    const { authorization } = await createPerson(web.server);
    const submit = async (body: object) =>
      ((await (await web.server.send("POST", "/api/v1/executions", body, { authorization })).json()) as { id: string }).id;
    const going = [];
    for (let count = 0; count < 3; count += 1) going.push(await submit({ language: "bash", code: "exec sleep 60" }));
    const waiting = await submit({ language: "bash", code: "echo its turn" });
    const page = await web.openPage(`/runs/${waiting}`, { signedIn: false, extraHTTPHeaders: { authorization } });
    await page.getByRole("status").getByText("Its owner has 3 of 3 runs at once.").waitFor();
    await page.getByText("place 1 in the queue").waitFor();
    await page.goto(`/runs/${waiting}?tab=overview`);
    await page.getByRole("region", { name: "Phases" }).getByText("goes on").first().waitFor();
    for (const id of going) await web.server.send("POST", `/api/v1/runs/${id}/cancel`);
    await page.locator("[data-status=succeeded]").waitFor();
    expect(await page.getByText("Its owner has 3 of 3 runs at once.").count()).toBe(0);
  });

  it("are cancelled: one from its page, many from the list", async () => {
    const forever = { language: "python", code: "while True: pass", entrypoint: "forever.py" };
    const id = await execute(forever, false);
    const page = await web.openPage(`/runs/${id}`);
    await page.locator("[data-status=running]").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator("[data-status=cancelled]").waitFor();
    await expect
      .poll(async () => ((await (await web.server.fetch(`/api/v1/runs/${id}`)).json()) as { status: string }).status)
      .toBe("cancelled");

    const ids = [await execute(forever, false), await execute(forever, false)];
    await page.goto("/runs?status=queued,starting,running");
    await page.getByLabel("Select every run that is shown").check();
    await page.getByRole("button", { name: "Cancel 2 runs" }).click();
    await page.getByText("No run matches these filters").waitFor();
    for (const other of ids) {
      await expect
        .poll(async () => ((await (await web.server.fetch(`/api/v1/runs/${other}`)).json()) as { status: string }).status)
        .toBe("cancelled");
    }
  });

  it("appear in an open list by themselves", async () => {
    const page = await web.openPage("/runs");
    await page.getByRole("table").waitFor();
    await execute({ language: "python", code: "print(1)", entrypoint: "newcomer.py" });
    await page.getByRole("link", { name: "newcomer.py" }).waitFor({ timeout: 20_000 });
  });

  it("show artifacts to look at and to download", async () => {
    const code = [
      "svg = \"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><script>alert(1)</script><rect width='40' height='20'/></svg>\"",
      'open("/output/chart.svg", "w").write(svg)',
      'open("/output/table.csv", "w").write("a,b\\n1,2\\n")',
    ].join("\n");
    const id = await execute({ language: "python", code });
    const page = await web.openPage(`/runs/${id}?tab=artifacts`);
    await page.getByRole("img", { name: "chart.svg" }).waitFor();
    await page.getByRole("button", { name: "table.csv", exact: true }).click();
    await page.getByRole("table", { name: "table.csv" }).getByRole("cell", { name: "2" }).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download table.csv" }).click()]);
    expect(download.suggestedFilename()).toBe("table.csv");
  });

  it("take files along, picked or dropped", async () => {
    const page = await web.openPage("/runs/new?language=python");
    await page.locator(".cm-content").waitFor();
    await typeProgram(page, 'print(open("picked.txt").read(), open("dropped.txt").read())\n');
    await page.getByRole("button", { name: "Files" }).click();
    await page.locator("input[type=file]").setInputFiles({ name: "picked.txt", mimeType: "text/plain", buffer: Buffer.from("was picked") });
    await page.getByText("picked.txt", { exact: true }).waitFor();
    await page.evaluate(`(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["was dropped"], "dropped.txt"));
      const editor = document.querySelector(".cm-content");
      for (const type of ["dragover", "drop"]) editor.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    })()`);
    await page.getByText("dropped.txt", { exact: true }).waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("log").getByText("was picked was dropped").waitFor();
  });

  it("say what is wrong with a request, in place", async () => {
    const page = await web.openPage("/runs/new?language=python");
    await page.locator(".cm-content").waitFor();
    await typeProgram(page, "");
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.getByRole("alert").getByText("empty_code").waitFor();
    await page.getByRole("button", { name: "Environment" }).click();
    await page.getByLabel(/Variables/).fill("not a variable");
    await page.getByText("Line 1 is not of the form NAME=value").waitFor();
    await expect.poll(() => page.getByRole("button", { name: /^Run/ }).isDisabled()).toBe(true);
  });

  it("show a log as text: colours, progress lines, links to lines, and no markup", async () => {
    const code = [
      'print("\\033[32mgreen\\033[0m <img src=x onerror=alert(1)>")',
      'print("10 %\\r100 %")',
      'for n in range(3, 501): print("line", n)',
    ].join("\n");
    const id = await execute({ language: "python", code });
    const page = await web.openPage(`/runs/${id}#L250`);
    await page.locator(".log-row[data-linked]").getByText("line 250").waitFor();
    const lines = await readLog(page);
    expect(lines).toHaveLength(500);
    expect(lines.slice(0, 3).map(([, text]) => text)).toEqual(["green <img src=x onerror=alert(1)>", "100 %", "line 3"]);
    expect(await page.locator(".log img").count()).toBe(0);
    await page.getByLabel("Search the log").fill("line 49");
    await page.getByText("1 of 11").waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("2 of 11").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("show their trace to scale, however many calls of models are in it, by the keyboard and as a table", async () => {
    const id = await execute({ language: "python", code: "print(1)", entrypoint: "traced.py" });
    const { queries } = web.server.context.database;
    await web.server.context.runs.allRecorded();
    const run = await queries.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
    const config = JSON.stringify({ ...run.config, models: ["model_traced"] });
    await queries.updateTable("runs").set({ config }).where("id", "=", id).execute();
    const call = {
      run_id: id,
      user_id: run.owner_id,
      model_id: "model_traced",
      model_name: "Traced",
      model_owner_id: run.owner_id,
      provider: "openai",
      upstream_model: "up",
      credential_id: null,
      credential_owner_id: null,
      program_id: null,
      protocol: "openai",
      operation: "chat",
      streamed: false,
      status: "succeeded" as const,
      scopes: "[]",
      input_tokens: 100,
      output_tokens: 20,
      cost: 1_000_000,
      first_byte_ms: 0.2,
      total_ms: 0.5,
    };
    const began = run.started_at?.getTime() ?? Date.now();
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const calls = numbers.map((number) => ({
      ...call,
      id: `llm_${String(number).padStart(6, "0")}`,
      started_at: new Date(began + number / 50),
    }));
    await queries.insertInto("llm_calls").values(calls).execute();
    const page = await web.openPage(`/runs/${id}?tab=trace`);
    const grid = page.getByRole("treegrid", { name: "Spans" });
    await grid.getByRole("row", { name: /traced\.py/ }).waitFor();
    await page.getByText("1,000 model calls · 100,000 tokens in, 20,000 out · $1.00").waitFor();
    expect(Number(await grid.getAttribute("aria-rowcount"))).toBeGreaterThan(1004);
    expect(await grid.getByRole("row").count()).toBeLessThan(80);
    await grid.focus();
    await page.keyboard.press("End");
    await grid.getByRole("row", { selected: true, name: /chat Traced/ }).waitFor();
    await page.getByRole("status").getByText("Traced (openai)").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Show the whole trace (0)" }).and(page.locator(":enabled")).waitFor();
    await page.keyboard.press("ArrowLeft");
    await grid.getByRole("row", { selected: true, name: /Program/ }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(async () => Number(await grid.getAttribute("aria-rowcount"))).toBeLessThan(20);
    await page.getByRole("button", { name: "Table" }).click();
    await page.getByRole("rowheader", { name: "Sandbox" }).waitFor();
    expect(web.problems).toEqual([]);
  });
});
