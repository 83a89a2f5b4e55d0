import { createHash } from "node:crypto";
import type { FlowGraph } from "@syla/contracts/flow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashGraph, sortedJson } from "../src/canonical.ts";
import { diffGraphs } from "../src/diff.ts";
import { migrate } from "../src/migrate.ts";
import { sha256 } from "../src/sha256.ts";
import { validateFlow } from "../src/validate.ts";
import { body, graph, node } from "./build.ts";

function read(document: unknown): FlowGraph {
  const { graph: found, problems } = validateFlow(document);
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
}

const first = read(
  graph(
    [
      node("in", "input", { name: "xs", type: "list[int]" }),
      node("note", "note", { text: "why" }),
      node(
        "each",
        "map",
        {},
        {
          body: body(
            [node("i", "input", { name: "item", type: "int" }), node("o", "output", { name: "out", type: "int" })],
            "i.value -> o.value",
          ),
        },
      ),
      node("out", "output", { name: "ys", type: "list[int]" }),
    ],
    "in.value -> each.items",
    "each.out -> out.value",
  ),
);

function changed(id: string, change: object): FlowGraph {
  return { ...first, nodes: first.nodes.map((each) => (each.id === id ? { ...each, ...change } : each)) };
}

test("the digest is SHA-256", () => {
  for (const text of ["", "abc", "a".repeat(55), "a".repeat(56), "a".repeat(64), "ü🙂"]) {
    expect(sha256(text)).toBe(createHash("sha256").update(text).digest("hex"));
  }
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 300 }),
      (text) => sha256(text) === createHash("sha256").update(text).digest("hex"),
    ),
  );
});

test("JSON is the same for equal values, whatever the order of their keys", () => {
  expect(sortedJson({ b: 1, a: [{ d: 1, c: null }] })).toBe('{"a":[{"c":null,"d":1}],"b":1}');
});

test("how a graph is drawn does not count for its hash", () => {
  const drawn = {
    ...first,
    viewport: { x: 5, y: 6, zoom: 2 },
    nodes: first.nodes
      .toReversed()
      .map((each) => ({ ...each, position: { x: 9, y: 9 } }))
      .filter(({ kind }) => kind !== "note"),
    edges: first.edges.toReversed().map((edge) => ({ ...edge, id: `z${edge.id}` })),
  };
  expect(hashGraph(drawn)).toBe(hashGraph(first));
});

test("what a graph does counts for its hash", () => {
  const others = [
    changed("in", { label: "Numbers" }),
    changed("in", { config: { name: "xs", type: "list[float]", description: "" } }),
    { ...first, edges: first.edges.slice(1) },
    { ...first, name: "Other" },
    changed("each", { body: { nodes: [], edges: [] } }),
  ];
  expect(new Set([first, ...others].map(hashGraph)).size).toBe(6);
});

test("a diff tells what was added, removed, changed and moved, within nodes too", () => {
  const inner = first.nodes.find(({ id }) => id === "each")?.body;
  const after = {
    ...changed("each", { position: { x: 1, y: 0 }, config: { concurrency: 2 }, body: { nodes: inner?.nodes.slice(1) ?? [], edges: [] } }),
    edges: first.edges.map((edge) => ({ ...edge, id: `again-${edge.id}` })).slice(0, 1),
  };
  after.nodes = [...after.nodes.filter(({ id }) => id !== "note"), { ...after.nodes[0], id: "new" } as never];
  expect(diffGraphs(first, after)).toEqual({
    nodes: [
      { path: [], node: "note", change: "removed" },
      { path: [], node: "each", change: "changed", fields: ["config.concurrency"] },
      { path: [], node: "each", change: "moved" },
      { path: ["each"], node: "i", change: "removed" },
      { path: [], node: "new", change: "added" },
    ],
    edges: [
      { path: ["each"], change: "removed", from: { node: "i", port: "value" }, to: { node: "o", port: "value" } },
      { path: [], change: "removed", from: { node: "each", port: "out" }, to: { node: "out", port: "value" } },
    ],
  });
  expect(diffGraphs(first, first)).toEqual({ nodes: [], edges: [] });
});

test("older formats are brought up step by step, unknown ones are not read", () => {
  const steps = new Map<number, (old: Record<string, unknown>) => Record<string, unknown>>([
    [1, (old: Record<string, unknown>) => ({ ...old, nodes: old["boxes"] })],
    [2, (old: Record<string, unknown>) => ({ ...old, edges: [] })],
  ]);
  expect(migrate({ format: 1, boxes: [7] }, steps, 3)).toEqual({ format: 3, boxes: [7], nodes: [7], edges: [] });
  expect(migrate({ format: 0 }, steps, 3)).toBeUndefined();
  expect(migrate({ format: 4 }, steps, 3)).toBeUndefined();
  expect(migrate({ format: 1.5 }, steps, 3)).toBeUndefined();
});
