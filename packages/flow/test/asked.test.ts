import type { FlowGraph } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { askedOf } from "../src/asked.ts";
import { validateFlow } from "../src/validate.ts";
import { body, graph, node, type RawBody, type RawNode } from "./build.ts";

const code = (id: string, source: string, more: object = {}): RawNode => ({
  ...node(id, "code", { language: "python", source, inputs: [{ name: "v", default: 0 }] }),
  ...more,
});
const read = (drawn: unknown): FlowGraph => {
  const { graph: found, problems } = validateFlow(drawn);
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
};
/** The nodes of which the second graph asks something else than the first, or nothing. */
const changed = (before: unknown, after: unknown, then: object = {}, now: object = then): string[] => {
  const asked = askedOf(read(after), new Map(Object.entries(now)));
  return [...askedOf(read(before), new Map(Object.entries(then)))]
    .flatMap(([path, ask]) => (asked.get(path) === ask ? [] : [path]))
    .toSorted();
};

/** `in -> a -> b -> out`, and `side` beside them. */
const chain = (a = code("a", "return v"), ...edges: string[]) =>
  graph(
    [
      node("in", "input", { name: "n", default: 1 }),
      a,
      code("b", "return v + 1"),
      code("side", "return 7"),
      node("out", "output", { name: "z" }),
    ],
    ...(edges.length > 0 ? edges : ["in.value -> a.v", "a.result -> b.v", "b.result -> out.value"]),
  );

test("what a node does changes what is asked of it, and of all that gets something from it", () => {
  expect(changed(chain(), chain(code("a", "return v * 2")))).toEqual(["a", "b", "out"]);
  expect(changed(chain(code("a", "return v * 2")), chain(code("a", "return v * 2")))).toEqual([]);
});

test("another wire changes what is asked from where it ends; what is gone is asked nothing", () => {
  expect(changed(chain(), chain(code("a", "return v"), "in.value -> a.v", "side.result -> b.v", "b.result -> out.value"))).toEqual([
    "b",
    "out",
  ]);
  const { nodes, edges } = chain();
  const without = { ...chain(), nodes: nodes.filter(({ id }) => id !== "a"), edges: edges.filter(({ id }) => id === "e2") };
  expect(changed(chain(), without)).toEqual(["a", "b", "out"]);
});

test("what is drawn, names, notes and how often something is tried change nothing", () => {
  const drawn = chain(code("a", "return v", { label: "Another", position: { x: 5, y: 5 }, onError: { retries: 3 } }));
  drawn.nodes.reverse();
  drawn.nodes.push(node("note", "note", { text: "why" }));
  drawn.edges.reverse();
  expect(changed(chain(), drawn)).toEqual([]);
});

test("a node that is passed over is asked nothing, and what is behind it something else", () => {
  expect(changed(chain(), chain(code("a", "return v", { bypassed: true })))).toEqual(["a", "b", "out"]);
});

test("nodes on a cycle and behind it are asked nothing", () => {
  expect(changed(chain(), chain(code("a", "return v"), "b.result -> a.v", "a.result -> b.v", "b.result -> out.value"))).toEqual([
    "a",
    "b",
    "out",
  ]);
});

test("what a program or a model is made of counts, where it is used and behind that", () => {
  const used = graph(
    [node("p", "program", { program: { id: "prog_1" }, command: ["x"] }), code("b", "return v"), code("side", "return 1")],
    "p.result -> b.v",
  );
  expect(changed(used, used, { prog_1: "one" }, { prog_1: "two" })).toEqual(["b", "p"]);
  expect(changed(used, used, { prog_1: "one" })).toEqual([]);
});

const inner = (source = "return v"): RawBody =>
  body(
    [
      node("i", "input", { name: "n", default: 0 }),
      code("x", source),
      code("y", "return v"),
      code("own", "return 3"),
      node("o", "output", { name: "z" }),
    ],
    "i.value -> x.v",
    "x.result -> y.v",
    "y.result -> o.value",
  );
const holding = (kind: "module" | "loop", within = inner(), before = "return 1") => {
  const given =
    kind === "module"
      ? within
      : { ...within, nodes: within.nodes.map((each) => (each.id === "i" ? node("i", "input", { name: "z" }) : each)) };
  const port = kind === "module" ? "n" : "z";
  return graph(
    [code("first", before), node("m", kind, {}, { body: given }), code("last", "return v")],
    `first.result -> m.${port}`,
    "m.z -> last.v",
  );
};

test("a graph within: what changes in it is asked of it alone, and of the node that holds it", () => {
  expect(changed(holding("module"), holding("module", inner("return v * 2")))).toEqual(["last", "m", "m/o", "m/x", "m/y"]);
});

test("a graph within: what goes into it is asked of everything that gets it", () => {
  expect(changed(holding("module"), holding("module", inner(), "return 2"))).toEqual(["first", "last", "m", "m/i", "m/o", "m/x", "m/y"]);
});

test("what comes out of one turn goes into the next: a change behind is a change before", () => {
  const other = inner();
  other.nodes = other.nodes.map((each) => (each.id === "y" ? code("y", "return v - 1") : each));
  expect(changed(holding("loop"), holding("loop", other))).toEqual(["last", "m", "m/i", "m/o", "m/x", "m/y"]);
  expect(changed(holding("module"), holding("module", other))).toEqual(["last", "m", "m/o", "m/y"]);
});
