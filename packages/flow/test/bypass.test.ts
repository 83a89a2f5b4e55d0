import type { FlowGraph } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { mayBypass, withoutBypassed } from "../src/bypass.ts";
import { hashGraph } from "../src/canonical.ts";
import { compileGraph } from "../src/compile.ts";
import { validateFlow } from "../src/validate.ts";
import { graph, node } from "./build.ts";

const asked = node("in", "input", { name: "question", type: "str" });
const answered = node("out", "output", { name: "answer", type: "str" });
const model = node("llm", "model", { modelId: "m" });
const ask = (id: string, bypassed: boolean) => ({
  ...node(id, "instruct", { prompt: "Say {{a}}", inputs: [{ name: "a", type: "str" }] }),
  ...(bypassed ? { bypassed: true as const } : {}),
});
const chain = (first: boolean, second: boolean) =>
  graph(
    [asked, model, ask("one", first), ask("two", second), answered],
    "in.value -> one.a",
    "llm.model -> one.model",
    "one.result -> two.a",
    "llm.model -> two.model",
    "two.result -> out.value",
  );
const read = (document: unknown): FlowGraph => {
  const { graph: found, problems } = validateFlow(document);
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
};

test("what goes into a node that is passed over comes out of it, and not what it works with", () => {
  const { nodes, edges } = withoutBypassed(read(chain(true, true)));
  expect(nodes.map(({ id }) => id)).toEqual(["in", "llm", "out"]);
  expect(edges.map(({ from, to }) => [from.node, to.node])).toEqual([["in", "out"]]);
});

test("a graph compiles as if nodes that are passed over were not in it", () => {
  const shortened = graph(
    [asked, model, ask("two", false), answered],
    "in.value -> two.a",
    "llm.model -> two.model",
    "two.result -> out.value",
  );
  expect(compileGraph(read(chain(true, false))).source).toBe(compileGraph(read(shortened)).source);
  expect(hashGraph(read(chain(true, false)))).toBe(hashGraph(read(shortened)));
  expect(hashGraph(read(chain(true, false)))).not.toBe(hashGraph(read(chain(false, false))));
});

test("problems are those of what is left", () => {
  const unconnected = graph([asked, ask("one", true), answered], "one.result -> out.value");
  expect(validateFlow(unconnected).problems).toMatchObject([{ code: "missing_input", node: "out" }]);
  const around = graph(
    [ask("one", true), ask("two", true), answered],
    "one.result -> two.a",
    "two.result -> one.a",
    "two.result -> out.value",
  );
  expect(validateFlow(around).problems).toMatchObject([{ code: "missing_input", node: "out" }]);
});

test("what takes no value and what ends a graph cannot be passed over", () => {
  const { nodes } = read(chain(false, false));
  expect(nodes.filter(mayBypass).map(({ id }) => id)).toEqual(["one", "two"]);
  expect(validateFlow(graph([{ ...answered, bypassed: true }, asked], "in.value -> out.value")).problems).toEqual([]);
});
