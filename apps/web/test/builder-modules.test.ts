import type { FlowBody, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { isSound, validateFlow } from "@syla/flow/validate";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { changeAt } from "../src/builder/edits/bodies.ts";
import { collapse } from "../src/builder/edits/collapse.ts";
import { adoptModule, draftModule, draftOfModule } from "../src/builder/edits/own-composition.ts";
import { portChanges } from "../src/builder/edits/port-changes.ts";
import { remove } from "../src/builder/edits/remove.ts";
import { findNodes } from "../src/builder/find-nodes.ts";
import { newNode } from "../src/builder/kinds.ts";
import { readDocument } from "../src/compositions/read-document.ts";

function example(name: string): FlowGraph {
  const file = join(import.meta.dirname, "../../../examples/compositions", `${name}.json`);
  const { graph, problems } = validateFlow(JSON.parse(readFileSync(file, "utf8")));
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return graph;
}

const decide = example("summarise-verify-decide");
const only = (...ids: string[]) => new Set(ids);
const errors = (document: unknown) => validateFlow(document).problems.filter(({ severity }) => severity === "error");
const kinds = ({ nodes }: FlowBody) => nodes.map(({ kind }) => kind).toSorted();

describe("a composition of its own", () => {
  it("has the models that only its nodes ask, so that it is sound by itself", () => {
    const { body, id, graph, copied } = draftModule(decide, only("sum", "true"), "Faithful");
    expect(errors(graph)).toEqual([]);
    expect(isSound(validateFlow(graph).problems)).toBe(true);
    expect(graph.name).toBe("Faithful");
    expect(kinds(graph)).toContain("model");
    expect(copied).toEqual([]);
    expect(errors({ ...decide, ...body })).toEqual([]);
    expect(kinds(body)).not.toContain("model");
    expect(body.nodes.find((node) => node.id === id)?.label).toBe("Faithful");
  });

  it("has copies of models that others ask as well, whether they were chosen or not", () => {
    for (const ids of [only("sum"), only("sum", "model")]) {
      const { body, graph, copied } = draftModule(decide, ids, "Sum");
      expect(copied.map(({ id }) => id)).toEqual(["model"]);
      expect(kinds(graph).filter((kind) => kind === "model")).toHaveLength(1);
      expect(body.edges.filter(({ from, to }) => from.node === "model" && to.node === "true")).toHaveLength(1);
      expect(errors(graph)).toEqual([]);
      expect(errors({ ...decide, ...body })).toEqual([]);
    }
  });

  it("gives what goes in and comes out the types of what was connected", () => {
    const { graph } = draftModule(decide, only("sum", "true"), "Faithful");
    const ports = graph.nodes.flatMap((node) =>
      node.kind === "input" || node.kind === "output" ? [`${node.kind} ${node.config.name}: ${node.config.type}`] : [],
    );
    expect(ports.toSorted()).toEqual(["input text: str", "output passed: bool", "output result: str"]);
  });

  it("is what the module knows to be from, and the graph around stays sound", () => {
    const draft = draftModule(decide, only("sum", "true"), "Faithful");
    const body = adoptModule(draft, { id: "comp_1", version: "1.0.0", graph: draft.graph });
    const module = body.nodes.find(({ id }) => id === draft.id);
    expect(module?.config).toEqual({ composition: { id: "comp_1", version: "1.0.0" } });
    expect(errors({ ...decide, ...body })).toEqual([]);
    expect(adoptModule(draft, { id: "comp_1", version: null, graph: draft.graph }).nodes.at(-1)?.config).toEqual({
      composition: { id: "comp_1" },
    });
  });

  it("is made of a module that is there, which stays where it is", () => {
    const { body, ids } = collapse(decide, only("sum", "true"));
    const draft = draftOfModule(body, ids[0] ?? "", "There");
    expect(draft?.body).toBe(body);
    expect(draft?.graph.nodes).toEqual(body.nodes.find(({ id }) => id === ids[0])?.body?.nodes);
    expect(draftOfModule(body, "decide", "Not")).toBeUndefined();
  });
});

describe("changes of ports", () => {
  const port = (kind: "input" | "output", name: string, type: string, more: object = {}): FlowNode =>
    ({ ...newNode(kind, { x: 0, y: 0 }), id: `${kind}_${name}`, config: { name, type, description: "", ...more } }) as FlowNode;
  const body = (...nodes: FlowNode[]): FlowBody => ({ nodes, edges: [] });
  const told = (before: FlowBody, after: FlowBody) =>
    portChanges(before, after).map(({ side, name, change, isBreaking }) => `${side} ${name} ${change}${isBreaking ? " breaks" : ""}`);

  it("break where a port goes, or something new has to be given", () => {
    const before = body(port("input", "text", "str"), port("output", "answer", "str"));
    expect(told(before, before)).toEqual([]);
    expect(told(before, body(port("output", "answer", "str")))).toEqual(["input text removed breaks"]);
    expect(told(before, body(port("input", "text", "str")))).toEqual(["output answer removed breaks"]);
    expect(told(before, body(...before.nodes, port("input", "more", "int")))).toEqual(["input more added breaks"]);
    expect(told(before, body(...before.nodes, port("input", "more", "int", { default: 1 }), port("output", "why", "str")))).toEqual([
      "input more added",
      "output why added",
    ]);
  });

  it("break where a type takes less than before, or gives more", () => {
    const wide = body(port("input", "a", "str | None"), port("output", "b", "str | None"));
    const narrow = body(port("input", "a", "str"), port("output", "b", "str"));
    expect(told(narrow, wide)).toEqual(["output b type breaks", "input a type"]);
    expect(told(wide, narrow)).toEqual(["input a type breaks", "output b type"]);
    const optional = body(port("input", "a", "str", { default: "" }));
    expect(told(optional, body(port("input", "a", "str")))).toEqual(["input a needed breaks"]);
    expect(told(body(port("input", "a", "str")), optional)).toEqual(["input a optional"]);
  });
});

describe("finding nodes", () => {
  it("finds by title, kind and what a node is told, also in graphs within; titles first", () => {
    const { body, ids } = collapse(decide, only("sum", "true"));
    const graph = { ...decide, ...body };
    expect(findNodes(graph, "is it faith")[0]).toMatchObject({ path: ids, node: { label: "Is it faithful?" }, excerpt: "" });
    expect(findNodes(graph, "branch").map(({ node }) => node.id)).toContain("decide");
    const told = changeAt(graph, [], (each) => ({
      ...each,
      nodes: [
        ...each.nodes,
        { ...newNode("note", { x: 0, y: 0 }), config: { text: "Whoever reads this\nfinds a needle in a haystack" } } as FlowNode,
      ],
    }));
    expect(findNodes(told, "needle")).toMatchObject([{ node: { kind: "note" }, excerpt: "…ever reads this finds a needle in a haystack" }]);
    expect(findNodes(told, "")).toHaveLength(
      graph.nodes.length + 1 + (body.nodes.find(({ id }) => id === ids[0])?.body?.nodes.length ?? 0),
    );
    expect(findNodes(told, "not there at all")).toEqual([]);
  });
});

describe("reading a document", () => {
  it("takes what was exported and bare graphs, and says what is wrong before anything is made", () => {
    const exported = {
      format: "syla.composition/1",
      name: "Given",
      description: "",
      graph: decide,
      references: [{ kind: "program", id: "prog_1", version: null, name: "Tool" }],
      leftOut: [{ path: [], node: "sum", field: "config.headers.Authorization", reason: "a secret" }],
    };
    const read = readDocument(JSON.stringify(exported));
    if (typeof read === "string") throw new Error(read);
    expect(read).toMatchObject({ name: "Given", problems: [], leftOut: exported.leftOut });
    expect(read.graph?.nodes).toHaveLength(decide.nodes.length);
    expect([...read.names]).toEqual([["prog_1", "Tool"]]);
    const bare = readDocument(JSON.stringify({ ...decide, ...remove(decide, only("decide")) }));
    if (typeof bare === "string") throw new Error(bare);
    expect(bare.name).toBe(decide.name);
    expect(bare.problems.length).toBeGreaterThan(0);
    expect(bare.graph).toBeDefined();
  });

  it("refuses what is no graph, a format of a newer version, and what is hostile", () => {
    expect(readDocument("{")).toBe("This file is no JSON.");
    for (const text of [
      "null",
      "[]",
      "1",
      "{}",
      '{"format":"syla.composition/1"}',
      '{"format":99,"nodes":[],"edges":[]}',
      '{"format":"x","graph":{"format":0}}',
    ]) {
      const read = readDocument(text);
      if (typeof read === "string") throw new Error(read);
      expect(read.graph).toBeUndefined();
      expect(read.problems.length).toBeGreaterThan(0);
    }
    const odd = readDocument(JSON.stringify({ format: "x", graph: decide, leftOut: [null, 1, {}], references: "no" }));
    expect(odd).toMatchObject({ leftOut: [] });
  });
});
