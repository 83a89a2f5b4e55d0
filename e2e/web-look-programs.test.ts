import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { WebTest } from "./browser.ts";
import { describeLooks } from "./look.ts";

let program: string;
let model: string;
let imported: string;

const main = `"""Counts the letters of words."""
import sys

def count(words: list[str]) -> dict[str, int]:
    return {word: len(word) for word in words}

print(count(sys.argv[1:]))
`;

/** The same program and model each time. */
async function fillServer(web: WebTest): Promise<void> {
  const { server } = web;
  await web.openPage("/"); // sets the server up
  const send = async (path: string, body: object) => {
    const answer = await server.send("POST", path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { id: string };
  };
  const prices = { input: 0.15, output: 0.6 };
  const config = {
    provider: "ollama",
    modelId: "granite4:micro",
    parameters: { temperature: 0.5, seed: 7, stop: ["END"] },
    capabilities: { contextWindow: 128_000, tools: true, json: true, modalities: ["text", "image"] },
    headers: { "X-Team": "blue" },
    limits: { requestsPerMinute: 60, tokensPerMinute: 100_000 },
    prices,
  };
  ({ id: model } = await send("/api/v1/models", { name: "Summaries", description: "Short summaries of letters.", config }));
  await send(`/api/v1/assets/${model}/versions`, { version: "1.0.0", message: "First" });
  const files = [
    { path: "main.py", content: main },
    { path: "README.md", content: "# Counting\n\nCounts the letters of words.\n" },
  ];
  const description = "Counts the letters of words.";
  const programConfig = { runtime: "python", entrypoint: "main.py", modelId: model };
  ({ id: program } = await send("/api/v1/assets", {
    type: "program",
    name: "Counting",
    description,
    tags: ["words"],
    files,
    config: programConfig,
  }));
  await send(`/api/v1/assets/${program}/versions`, { version: "1.0.0", message: "First" });
  ({ id: imported } = await send("/api/v1/imports", { source: { kind: "files", files } }));
  const state = async () => ((await (await server.fetch(`/api/v1/imports/${imported}`)).json()) as { state: string }).state;
  while ((await state()) !== "review") await sleep(50); // it is among those that wait
}

/** What is looked at, and how it is opened. */
const pages: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  import: async (page) => {
    await page.goto("/programs/new");
    await page.getByRole("heading", { name: "Imports that wait" }).waitFor();
  },
  "import-review": async (page) => {
    await page.goto(`/programs/new?import=${imported}`);
    await page.getByRole("button", { name: "Create the program" }).waitFor();
  },
  program: async (page) => {
    await page.goto(`/programs/${program}`);
    await page.getByRole("heading", { name: "Counting" }).waitFor();
  },
  versions: async (page) => {
    await page.goto(`/programs/${program}?tab=versions`);
    await page.getByText("Nothing differs").waitFor();
  },
  model: async (page) => {
    await page.goto(`/models/${model}`);
    await page.getByText("Takes and gives").waitFor();
  },
  "model-settings": async (page) => {
    await page.goto(`/models/${model}?tab=settings`);
    await page.getByText("What it can do").scrollIntoViewIfNeeded();
  },
};

describeLooks("programs and models", { fill: fillServer, pages });
