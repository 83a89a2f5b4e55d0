import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { waitForRun } from "@syla/testkit/runs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let llm: LlmStandIn;

const files = [
  { path: "main.py", content: "from steps.answer import read_answer\n\nprint(read_answer()['choices'][0]['message']['content'])\n" },
  {
    path: "steps/answer.py",
    content: `import json
import os
import urllib.request


def read_answer():
    question = {"model": "gpt", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(address, json.dumps(question).encode(), {"content-type": "application/json"})
    text = urllib.request.urlopen(request).read().decode()
    return json.loads(text[1:])
`,
  },
];

async function post<T>(path: string, body: object): Promise<T> {
  const answer = await web.server.send("POST", path, body);
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as T;
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("a program that failed", () => {
  let runId: string;
  beforeAll(async () => {
    llm = await startLlm();
    web = await startWebTest({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}` });
    const config = { provider: "openai-compatible", modelId: "upstream-1", baseUrl: `${llm.url}/v1`, prices: { input: 1, output: 2 } };
    const model = await post<{ id: string }>("/api/v1/models", { name: "Helper", config });
    const settings = { runtime: "python", entrypoint: "main.py", modelId: model.id };
    const made = await post<{ id: string }>("/api/v1/assets", { type: "program", name: "Greeter", files, config: settings });
    runId = (await post<{ id: string }>("/api/v1/runs", { programId: made.id })).id;
    await waitForRun(web.server, runId);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await llm?.[Symbol.asyncDispose]();
  });

  it("is found, understood at its line, edited, run again and compared", async () => {
    const page = await web.openPage("/runs");
    await page.getByRole("region", { name: "Totals" }).getByText("1 failed").waitFor();
    await page.getByRole("button", { name: "Charts" }).click();
    await page
      .getByRole("table", { name: "By model" })
      .getByRole("row", { name: /Helper/ })
      .waitFor();
    await page.getByRole("table", { name: "By program" }).getByRole("button", { name: "Greeter" }).click();
    await page.getByRole("button", { name: "Of one program" }).waitFor();
    await expectAccessible(page, "the runs with their charts");
    await page.getByRole("button", { name: "Failed 1" }).click();
    await page.waitForURL(/status=failed/);
    await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: "main.py" }).first().click();
    const error = page.getByRole("group", { name: "Error" });
    await error.getByText("JSONDecodeError").waitFor();
    await error.getByText(/What was read is not JSON/).waitFor();
    const excerpt = error.getByRole("region", { name: "steps/answer.py, line 11" });
    expect(await excerpt.locator("[aria-current=location]").textContent()).toContain("return json.loads(text[1:])");
    await expectAccessible(page, "a failed run");

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("region", { name: "Held by" }).getByText("namespaces of its own, inside a jail").waitFor();
    await page.getByRole("region", { name: "Result" }).getByText("1 call").waitFor();
    await expectAccessible(page, "a failed run at a glance");
    await page.goto(`/runs/${runId}?tab=metrics`);
    await page.getByRole("region", { name: "Runs of this program" }).getByText("0 %").waitFor();
    await expectAccessible(page, "what was measured of a failed run");
    await page.keyboard.press(".");
    await page.getByRole("navigation", { name: "Run" }).locator("[aria-current=page]", { hasText: "History" }).waitFor();
    await page.keyboard.press(",");
    await page.waitForURL(/tab=metrics/);
    await page.goto(`/runs/${runId}?tab=nonsense`);
    await page.getByRole("log").waitFor();

    await error.getByText(/How it came there/).click();
    await error.getByRole("button", { name: "main.py:3", exact: true }).waitFor();
    await error
      .getByRole("button", { name: /^steps\/answer\.py:11/ })
      .first()
      .click();
    await page.waitForURL(/tab=configuration&file=steps%2Fanswer\.py&line=11/);
    await page.getByRole("region", { name: "steps/answer.py", exact: true }).getByText("return json.loads(text[1:])").waitFor();

    await page.getByRole("link", { name: "Edit and rerun" }).click();
    await expect.poll(() => page.getByLabel("File", { exact: true }).inputValue()).toBe("steps/answer.py");
    await page.locator(".cm-activeLine").getByText("return json.loads(text[1:])").waitFor();
    await replaceLine(page, "    return json.loads(text)");
    await page.getByText("steps/answer.py (changed)").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Run", exact: false }).last().click();
    await expect.poll(() => page.locator(".log").textContent(), { timeout: 30_000 }).toContain("You said");

    await page.getByRole("link", { name: "Compare" }).click();
    await page.waitForURL(new RegExp(`/runs/${runId}/compare/run_`));
    const changes = page.getByRole("region", { name: "Differences in steps/answer.py" });
    await expect.poll(() => changes.textContent()).toContain("added: ");
    expect(await changes.textContent()).toContain("return json.loads(text)");
    await page.getByText("They were run in the same way.").waitFor();
    await page.getByRole("row", { name: /Helper/ }).waitFor();
    await expectAccessible(page, "two runs compared");
    await page.setViewportSize({ width: 380, height: 800 });
    await expectAccessible(page, "two runs compared, on a small screen");
    expect(web.problems).toEqual([]);
  });

  it("is pinned, deleted, and many of its kind are retried and deleted at once", async () => {
    const page = await web.openPage(`/runs/${runId}`);
    await page.getByRole("button", { name: "Pin" }).click();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.waitForURL(/\/runs$/);
    expect((await web.server.fetch(`/api/v1/runs/${runId}`)).status).toBe(404);

    for (const code of ["exit 3", "exit 4"]) await post("/api/v1/executions?wait=true", { language: "bash", code, entrypoint: "wrong.sh" });
    await page.goto("/runs?status=failed&q=wrong");
    await page.getByLabel("Select every run that is shown").check();
    await page.getByRole("button", { name: "Retry 2 runs" }).click();
    const selection = page.getByRole("region", { name: "Selection" });
    await selection.getByText("2 runs done").waitFor();
    await expect.poll(() => page.getByRole("table").getByRole("link").count()).toBe(4);
    await page.getByLabel("Select every run that is shown").check();
    await page.getByRole("button", { name: "Delete 4 runs" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No run matches these filters").waitFor();
    expect(web.problems).toEqual([]);
  });
});

/** Writes another line in the place of the one that the editor is at. */
async function replaceLine(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Home");
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+End");
  await page.keyboard.insertText(text);
}
