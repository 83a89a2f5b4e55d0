import { join } from "node:path";
import { build } from "esbuild";
import { execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model } from "@syla/contracts/models";
import type { Run } from "@syla/contracts/runs";
import { createProgram } from "../catalog/programs.ts";
import { openGateway, type GatewaySetting } from "./gateway-setting.ts";

let setting: GatewaySetting;
let models: readonly Model[];

beforeAll(async () => {
  setting = await openGateway();
  models = [
    await setting.model("GPT"),
    await setting.model("Claude", { provider: "anthropic" }),
    await setting.model("Llama", { provider: "ollama" }),
  ];
});
afterAll(() => setting[Symbol.asyncDispose]());

/** A program with the libraries in it, as they come from their vendors, and nothing said of where models are. */
const program = `
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { openai } from "@ai-sdk/openai";
import { anthropic } from "@ai-sdk/anthropic";
const messages = [{ role: "user", content: "Hello" }];
const show = async (name, work) => console.log(name, await work().catch((error) => "FAILED " + error));
await show("openai", async () => (await new OpenAI().chat.completions.create({ model: "gpt-4o", messages })).choices[0].message.content);
await show("openai stream", async () => {
  let text = "";
  for await (const chunk of await new OpenAI().chat.completions.create({ model: "gpt-4o", messages, stream: true })) text += chunk.choices[0]?.delta.content ?? "";
  return text;
});
await show("openai responses", async () => {
  let text = "";
  for await (const event of await new OpenAI().responses.create({ model: "gpt-4o", input: "Hello", stream: true })) if (event.type === "response.output_text.delta") text += event.delta;
  return text;
});
await show("anthropic", async () => (await new Anthropic().messages.create({ model: "claude", max_tokens: 99, messages })).content[0].text);
await show("anthropic stream", async () => (await new Anthropic().messages.stream({ model: "claude", max_tokens: 99, messages }).finalText()));
const prompt = [{ role: "user", content: [{ type: "text", text: "Hello" }] }];
await show("vercel openai", async () => (await openai("gpt-4o").doGenerate({ prompt })).content.map((part) => part.text ?? "").join(""));
await show("vercel anthropic", async () => (await anthropic("claude").doGenerate({ prompt, maxOutputTokens: 99 })).content.map((part) => part.text ?? "").join(""));
const streamed = async (model) => {
  let text = "";
  for await (const part of (await model.doStream({ prompt, maxOutputTokens: 99 })).stream) if (part.type === "text-delta") text += part.delta;
  return text;
};
await show("vercel openai stream", () => streamed(openai("gpt-4o")));
await show("vercel anthropic stream", () => streamed(anthropic("claude")));
`;

const names = [
  "openai",
  "openai stream",
  "openai responses",
  "anthropic",
  "anthropic stream",
  "vercel openai",
  "vercel anthropic",
  "vercel openai stream",
  "vercel anthropic stream",
];

it("the libraries of npm work as they are, whoever provides the model", async () => {
  const built = await build({
    stdin: { contents: program, resolveDir: join(import.meta.dirname, "../.."), loader: "js" },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  const code = built.outputFiles[0]?.text ?? "";
  for (const model of models) {
    const done = await execute(
      setting.server,
      { files: [{ path: "main.mjs", content: code }], entrypoint: "main.mjs", models: [model.id] },
      setting.ann.headers,
    );
    expect({ model: model.name, stdout: done.stdout, stderr: done.stderr }).toEqual({
      model: model.name,
      stdout: names.map((name) => `${name} You said: Hello\n`).join(""),
      stderr: "",
    });
    expect(done.usage?.llm).toMatchObject({ calls: names.length, failed: 0 });
  }
});

it("the Vercel AI SDK streams, installed by npm as a program's packages", { timeout: 300_000 }, async () => {
  const main = `
import { streamText, generateText, tool, stepCountIs } from "ai";
import { openai } from "@ai-sdk/openai";
import { anthropic } from "@ai-sdk/anthropic";
import { z } from "zod";
for (const model of [openai("gpt-4o"), anthropic("claude-sonnet-4-5")]) {
  let pieces = 0, text = "";
  for await (const piece of streamText({ model, prompt: "Hello" }).textStream) { pieces += 1; text += piece; }
  console.log(model.provider, pieces > 1, text);
}
const add = tool({ description: "adds", inputSchema: z.object({ a: z.number(), b: z.number() }), execute: async ({ a, b }) => "sum " + (a + b) });
const { steps } = await generateText({ model: openai("gpt-4o"), prompt: "Add", tools: { add }, stopWhen: stepCountIs(2) });
console.log(steps.length, steps[0].toolResults[0].output);
`;
  const dependencies = { ai: "^7", "@ai-sdk/openai": "^4", "@ai-sdk/anthropic": "^4", zod: "^4" };
  const made = await createProgram(
    setting.server,
    setting.ann,
    "AI SDK",
    { "main.mjs": main, "package.json": JSON.stringify({ type: "module", dependencies }) },
    {
      config: {
        runtime: "node",
        entrypoint: "main.mjs",
        dependencies: { source: "package.json", file: "package.json" },
        modelId: models[0]?.id,
      },
    },
  );
  const done = await setting.json<Run>(setting.send(setting.ann, "POST", "/api/v1/runs?wait=true", { programId: made.id }));
  expect([done.stderr, done.stdout.split("\n")]).toEqual([
    "",
    ["openai.responses true You said: Hello", "anthropic.messages true You said: Hello", "2 sum 14", ""],
  ]);
});
