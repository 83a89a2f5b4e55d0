import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlowGraph } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { compileFlow } from "../src/compile.ts";
import { RandomGraph } from "./random-graph.ts";
import { runPython } from "./python.ts";

const folder = join(import.meta.dirname, "../../../examples/compositions");
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const examples = names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown] as const);
const hasRuff = spawnSync("ruff", ["--version"]).status === 0;

function compile(document: unknown) {
  const { compiled, problems } = compileFlow(document);
  expect(problems).toEqual([]);
  if (compiled === undefined) throw new Error("not compiled");
  return compiled;
}

test("there are the classic flows", () => {
  expect(names).toEqual(
    [
      "agent-loop",
      "ensemble-vote",
      "guardian-check",
      "instruct-validate-repair",
      "map-over-dataset",
      "rejection-sampling",
      "repair",
      "summarise-verify-decide",
    ].map((name) => `${name}.json`),
  );
});

test.each(examples)("%s has no problems, is as its schema says, and compiles to Python", (_, document) => {
  const { source } = compile(document);
  expect(FlowGraph.safeParse(document).error).toBeUndefined();
  execFileSync("python3", ["-W", "error", "-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: source });
});

test("examples compute something where the model is a stand-in", async () => {
  const inputs: Record<string, object> = {
    "ensemble-vote.json": { review: "It broke." },
    "guardian-check.json": { question: "How?" },
    "instruct-validate-repair.json": { task: "Write." },
    "rejection-sampling.json": { topic: "Tea" },
    "repair.json": { notes: "- a" },
  };
  const tasks = examples.flatMap(([name, document]) => {
    const { source, entry } = compile(document);
    return inputs[name] === undefined ? [] : [{ source, name: entry.name, inputs: inputs[name], outputs: entry.outputs }];
  });
  const answers = await runPython(tasks);
  expect(answers).toEqual([
    { outputs: { sentiment: expect.stringMatching(/^[0-9a-f]{6}$/) } },
    { outputs: { answer: expect.any(String) } },
    { outputs: { accepted: expect.any(Boolean), attempts: expect.any(Number), text: expect.any(String) } },
    { outputs: { slogan: expect.any(String) } },
    { outputs: { mail: expect.any(String) } },
  ]);
});

test.skipIf(!hasRuff)("what is compiled is laid out as ruff does it, whatever the labels", () => {
  const out = mkdtempSync(join(tmpdir(), "syla-ruff-"));
  try {
    for (const [name, document] of examples) writeFileSync(join(out, `${name}.py`), compile(document).source);
    for (let seed = 1; seed <= 200; seed += 1)
      writeFileSync(join(out, `${seed}.py`), compileFlow(new RandomGraph(seed).graph().document).compiled?.source ?? "");
    const { status, stdout } = spawnSync("ruff", ["format", "--isolated", "--diff", out], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  } finally {
    rmSync(out, { recursive: true });
  }
});
