import { expect, test } from "vitest";
import { compileFlow } from "../src/compile.ts";
import type { Json } from "../src/interpret.ts";
import { isSound, validateFlow } from "../src/validate.ts";
import { runPython, type PythonTask } from "./python.ts";
import { RandomGraph } from "./random-graph.ts";
import { expectedOf } from "./stand-in.ts";

const runs = Number(process.env["SYLA_LONG_RUNS"] ?? 300);
const firstSeed = Number(process.env["SYLA_FLOW_SEED"] ?? 1);
const batch = 500;

function prepare(seed: number): { seed: number; task: PythonTask; expected: Record<string, Json> | "fails" } {
  const { document, inputs } = new RandomGraph(seed).graph();
  const { graph, problems } = validateFlow(document);
  if (graph === undefined || !isSound(problems)) throw new Error(`seed ${seed} makes no sound graph: ${JSON.stringify(problems)}`);
  const { compiled } = compileFlow(document);
  if (compiled === undefined) throw new Error(`seed ${seed} is not compiled`);
  const { entry, source } = compiled;
  const given = Object.fromEntries(entry.parameters.map(({ port, name }) => [name, inputs[port]]));
  return { seed, task: { source, name: entry.name, inputs: given, outputs: entry.outputs }, expected: expectedOf(graph, inputs) };
}

test(`${runs} random graphs compute in Python what the interpreter computes, and fail where it fails`, async () => {
  let failing = 0;
  for (let from = 0; from < runs; from += batch) {
    const cases = Array.from({ length: Math.min(batch, runs - from) }, (_, index) => prepare(firstSeed + from + index));
    const answers = await runPython(cases.map(({ task }) => task));
    const wrong = cases.flatMap(({ seed, expected, task }, index) => {
      const given = answers[index];
      if (expected === "fails") failing += 1;
      const isSame =
        given !== undefined &&
        ("outputs" in given ? JSON.stringify(sorted(given.outputs)) === JSON.stringify(sorted(expected)) : isFailure(given, expected));
      return isSame ? [] : [{ seed, expected, given, source: task.source }];
    });
    expect(wrong.slice(0, 1)).toEqual([]);
  }
  // Neither never nor nearly always.
  expect(failing).toBeGreaterThan(0);
  expect(failing).toBeLessThan(runs / 4);
}, 3_600_000);

/** Nodes of the tests fail by one error alone; any other one is one of the code. */
function isFailure({ error }: { error: string }, expected: unknown): boolean {
  return expected === "fails" && error === "ValueError: odd";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
