import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CreatedComposition } from "@syla/contracts/compositions";
import type { Page } from "playwright-core";
import type { WebTest } from "./browser.ts";
import { describeLooks } from "./look.ts";

let composition: string;

/** The same composition each time. */
async function fillServer(web: WebTest): Promise<void> {
  await web.openPage("/"); // sets the server up
  const file = join(import.meta.dirname, "../examples/compositions/summarise-verify-decide.json");
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  const answer = await web.server.send("POST", "/api/v1/compositions", { name: "Decide", document });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  composition = ((await answer.json()) as CreatedComposition).asset.id;
}

async function choose(page: Page, search = ""): Promise<void> {
  await page.goto(`/compositions/${composition}${search}`);
  await page.locator(".react-flow__node").filter({ hasText: "Summarise" }).first().click();
  await page.locator(".react-flow__node.selected").waitFor();
}

/** What is looked at, and how it is opened. */
const pages: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  builder: async (page) => {
    await page.goto(`/compositions/${composition}`);
    await page.locator(".react-flow__edge").nth(10).waitFor();
  },
  "builder-node": (page) => choose(page),
  "builder-code": async (page) => {
    await choose(page, "?panel=code");
    await page.locator(".cm-line-of-node").first().waitFor();
  },
};

describeLooks("compositions", { fill: fillServer, pages });
