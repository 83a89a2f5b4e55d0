import { FlowGraph } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { partOf, type Wish } from "../src/part.ts";
import { body, graph, node } from "./build.ts";

const python = { language: "python", source: "return 1", inputs: [{ name: "a" }] };
const inner = body(
  [node("in", "input", { name: "a" }), node("x", "code", python), node("y", "code", python), node("out", "output", { name: "b" })],
  "in.value -> x.a",
  "x.result -> y.a",
  "y.result -> out.value",
);
/** in → one → module → two → out; beside: in → other. */
const document = FlowGraph.parse(
  graph(
    [
      node("in", "input", { name: "a" }),
      node("one", "code", python),
      node("module", "module", {}, { body: inner }),
      node("two", "code", python),
      node("other", "code", python),
      node("out", "output", { name: "b" }),
      node("note", "note", { text: "" }),
    ],
    "in.value -> one.a",
    "one.result -> module.a",
    "module.b -> two.a",
    "two.result -> out.value",
    "in.value -> other.a",
  ),
) as Parameters<typeof partOf>[0];

const part = (wish: Wish) => {
  const found = partOf(document, wish);
  return (
    found && {
      nodes: found.graph.nodes.map(({ id }) => id),
      edges: found.graph.edges.length,
      forced: found.forced,
      required: found.required,
    }
  );
};

test("nothing said is all of it", () => {
  expect(part({})).toEqual({ nodes: document.nodes.map(({ id }) => id), edges: 5, forced: [], required: [] });
});

test("until a node is what it needs, and the node", () => {
  expect(part({ until: "module" })).toEqual({ nodes: ["in", "one", "module"], edges: 2, forced: [], required: [] });
  expect(part({ until: "module[3]/x" })).toEqual(part({ until: "module" }));
});

test("from a node is that node and all behind it, with what lies within", () => {
  expect(part({ from: "module" })?.forced).toEqual(["module", "module/in", "module/x", "module/y", "module/out", "two", "out"]);
  expect(part({ from: "module/y" })?.forced).toEqual(["module", "two", "out", "module/y", "module/out"]);
  expect(part({ from: "one", until: "one" })).toMatchObject({ nodes: ["in", "one"] });
});

test("only a node wants what is before it to be kept", () => {
  expect(part({ only: "two" })).toEqual({
    nodes: ["in", "one", "module", "two"],
    edges: 3,
    forced: ["two"],
    required: ["in", "one", "module"],
  });
});

test("there is no part of a node that is not there, nor of a note", () => {
  expect([{ until: "three" }, { from: "module/z" }, { only: "one/x" }, { until: "note" }].map(part)).toEqual(Array(4).fill(undefined));
});
