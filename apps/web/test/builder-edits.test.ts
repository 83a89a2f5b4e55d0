import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { diffGraphs } from "@syla/flow/diff";
import { isSound, validateFlow } from "@syla/flow/validate";
import { withoutSecrets } from "@syla/flow/without-secrets";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addConnected, addNode } from "../src/builder/edits/add.ts";
import { align } from "../src/builder/edits/align.ts";
import { bodyAt, changeAt } from "../src/builder/edits/bodies.ts";
import { toggleBypass } from "../src/builder/edits/bypass.ts";
import { collapse, refusalToCollapse } from "../src/builder/edits/collapse.ts";
import { configure, setLabel } from "../src/builder/edits/configure.ts";
import { candidatesFor, connect, refusalToConnect } from "../src/builder/edits/connect.ts";
import { importGraph, readClip, writeClip } from "../src/builder/edits/exchange.ts";
import { expand } from "../src/builder/edits/expand.ts";
import { group } from "../src/builder/edits/group.ts";
import { insertInto } from "../src/builder/edits/insert.ts";
import { mergeGraphs } from "../src/builder/edits/merge.ts";
import { moveBy, moveTo, withFramed } from "../src/builder/edits/move.ts";
import { duplicate, paste } from "../src/builder/edits/paste.ts";
import { setOnError } from "../src/builder/edits/on-error.ts";
import { remove } from "../src/builder/edits/remove.ts";
import { tidy } from "../src/builder/edits/tidy.ts";
import { newNode } from "../src/builder/kinds.ts";

const examples = join(import.meta.dirname, "../../../examples/compositions");

function example(name: string): FlowGraph {
  const { graph, problems } = validateFlow(JSON.parse(readFileSync(join(examples, `${name}.json`), "utf8")));
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return graph;
}

const decide = example("summarise-verify-decide");
const only = (...ids: string[]) => new Set(ids);
const node = (body: FlowBody, id: string) => body.nodes.find((each) => each.id === id);
const wires = (body: FlowBody) => body.edges.map(({ from, to }) => `${from.node}.${from.port} -> ${to.node}.${to.port}`).toSorted();
const errors = (document: unknown) => validateFlow(document).problems.filter(({ severity }) => severity === "error");
const sizes = new Map(decide.nodes.map(({ id }) => [id, { width: 200, height: 100 }]));

describe("adding", () => {
  it("gives ids and names that are free", () => {
    const first = addNode(decide, newNode("input", { x: 1, y: 2 }));
    const second = addNode(first.body, newNode("input", { x: 1, y: 2 }));
    const names = second.body.nodes.flatMap(({ kind, config }) => (kind === "input" && "name" in config ? [config.name] : []));
    expect(new Set(names).size).toBe(3);
    expect(second.ids).not.toEqual(first.ids);
    expect(errors({ ...decide, ...second.body })).toEqual([]);
  });

  it("wires a new node to where a wire was dropped, at the first port that fits", () => {
    const { body, ids } = addConnected(decide, newNode("verifier", { x: 0, y: 0 }), { node: "sum", port: "result" }, "output");
    expect(wires(body)).toContain(`sum.result -> ${ids[0]}.value`);
    const back = addConnected(decide, newNode("model", { x: 0, y: 0 }), { node: "sum", port: "model" }, "input");
    expect(wires(back.body)).toContain(`${back.ids[0]}.model -> sum.model`);
    expect(wires(back.body)).not.toContain("model.model -> sum.model");
  });

  it("puts a new node into a wire, at the first ports that fit, and only where both do", () => {
    const wire = decide.edges.find(({ from, to }) => from.node === "text" && to.node === "sum");
    const added = insertInto(decide, newNode("code", { x: 0, y: 0 }), wire?.id ?? "");
    const id = added?.ids[0];
    expect(wires(added?.body ?? decide)).toEqual(expect.arrayContaining([`text.value -> ${id}.value`, `${id}.result -> sum.text`]));
    expect(added?.body.edges).toHaveLength(decide.edges.length + 1);
    expect(errors({ ...decide, ...added?.body })).toEqual([]);
    expect(insertInto(decide, newNode("model", { x: 0, y: 0 }), wire?.id ?? "")).toBeUndefined();
    expect(insertInto(decide, newNode("verifier", { x: 0, y: 0 }), wire?.id ?? "")).toBeUndefined();
    expect(insertInto(decide, newNode("code", { x: 0, y: 0 }), "gone")).toBeUndefined();
  });
});

describe("what happens when a node fails", () => {
  it("is said of one node, and taken back", () => {
    const onError = { retries: 2, waitSeconds: 1, fallback: { result: "" } };
    const said = setOnError(decide, "sum", onError);
    expect(node(said, "sum")).toMatchObject({ onError });
    expect(diffGraphs(decide, said).nodes).toEqual([{ path: [], node: "sum", change: "changed", fields: ["onError"] }]);
    expect(setOnError(said, "sum", null)).toEqual(decide);
    expect(setOnError(decide, "sum", null)).toBe(decide);
  });
});

describe("connecting", () => {
  it("refuses what does not fit and what would go round, and says why", () => {
    expect(refusalToConnect(decide, { from: { node: "text", port: "value" }, to: { node: "sum", port: "text" } })).toBeUndefined();
    expect(refusalToConnect(decide, { from: { node: "text", port: "value" }, to: { node: "sum", port: "model" } })).toMatch(
      /MelleaSession/,
    );
    expect(refusalToConnect(decide, { from: { node: "pick", port: "value" }, to: { node: "sum", port: "text" } })).toMatch(
      /wait for each other/,
    );
    expect(refusalToConnect(decide, { from: { node: "pick", port: "value" }, to: { node: "gone", port: "text" } })).toMatch(/not there/);
  });

  it("knows every port where a wire could end, from either side", () => {
    const fits = (port: string, nodeId: string, side: "output" | "input") =>
      candidatesFor(decide, { node: nodeId, port }, side).flatMap(({ node: id, port: name, refusal }) =>
        refusal === undefined ? [`${id}.${name}`] : [],
      );
    expect(fits("model", "model", "output")).toContain("sum.model");
    expect(fits("model", "model", "output")).not.toContain("sum.text");
    expect(fits("condition", "decide", "input")).toEqual(["true.passed"]);
  });

  it("puts the new wire in the place of the old one", () => {
    const body = connect(decide, { from: { node: "ask", port: "rejected" }, to: { node: "pick", port: "accepted" } });
    expect(body.edges).toHaveLength(decide.edges.length);
    expect(wires(body)).toContain("ask.rejected -> pick.accepted");
  });
});

describe("removing, moving, lining up", () => {
  it("takes the wires of a node along", () => {
    const body = remove(decide, only("ask"));
    expect(body.nodes).toHaveLength(decide.nodes.length - 1);
    expect(wires(body).filter((wire) => wire.includes("ask"))).toEqual([]);
    expect(remove(decide, only(), only("e1")).edges).toHaveLength(decide.edges.length - 1);
  });

  it("is the same graph when nothing has moved", () => {
    expect(moveTo(decide, new Map([["sum", { x: 300.2, y: 0 }]]))).toBe(decide);
    expect(node(moveBy(decide, only("sum"), { x: 8, y: -8 }), "sum")?.position).toEqual({ x: 308, y: -8 });
  });

  it("moves what lies in a frame with it", () => {
    const framed = group(decide, only("sum", "true"), sizes);
    expect([...withFramed(framed.body, new Set(framed.ids), sizes)].toSorted()).toEqual(["group", "sum", "true"]);
    expect(errors({ ...decide, ...framed.body })).toEqual([]);
  });

  it("lines up and spreads", () => {
    const three = only("text", "sum", "model");
    const left = align(decide, three, sizes, "left");
    expect([...three].map((id) => node(left, id)?.position.x)).toEqual([0, 0, 0]);
    const crooked = moveTo(
      decide,
      new Map([
        ["sum", { x: 250, y: 7 }],
        ["true", { x: 900, y: 0 }],
      ]),
    );
    const across = align(crooked, only("text", "sum", "true"), sizes, "across");
    expect(node(across, "sum")?.position).toEqual({ x: 450, y: 7 });
  });

  it("tidies so that every wire leads to the right, and nothing overlaps", () => {
    const heap = moveTo(decide, new Map(decide.nodes.map(({ id }) => [id, { x: 40, y: 40 }])));
    const body = tidy(heap, only(), sizes);
    for (const { from, to } of body.edges) expect(node(body, to.node)?.position.x).toBeGreaterThan(node(body, from.node)?.position.x ?? 0);
    const places = new Set(body.nodes.map(({ position }) => `${position.x} ${position.y}`));
    expect(places.size).toBe(body.nodes.length);
    expect(diffGraphs(heap, body).nodes.every(({ change }) => change === "moved")).toBe(true);
  });
});

describe("configuring", () => {
  const inputs = [{ name: "article", type: "str" }];

  it("keeps the wires of an argument that is renamed", () => {
    const sum = node(decide, "sum");
    if (sum?.kind !== "slot") throw new Error("no slot");
    const graph = configure(decide, [], "sum", { ...sum.config, inputs });
    expect(wires(graph)).toContain("text.value -> sum.article");
    expect(errors(graph)).toEqual([]);
  });

  it("keeps the wires outside when an input of a module is renamed", () => {
    const { body, ids } = collapse(decide, only("sum", "true"));
    const path = [ids[0] ?? ""];
    const graph = { ...decide, ...body };
    const input = bodyAt(graph, path)?.nodes.find(({ kind, config }) => kind === "input" && "name" in config && config.name === "text");
    const renamed = configure(graph, path, input?.id ?? "", { name: "article", type: "str", description: "" });
    expect(wires(renamed)).toContain(`text.value -> ${path[0]}.article`);
    expect(errors(renamed)).toEqual([]);
  });

  it("changes nothing where nothing is", () => {
    expect(setLabel(decide, "gone", "x")).toBe(decide);
    expect(changeAt(decide, ["gone"], () => ({ nodes: [], edges: [] }))).toBe(decide);
  });

  it("passes over what takes and gives a value, and back", () => {
    const body = toggleBypass(decide, only("sum", "model"));
    expect(node(body, "sum")?.bypassed).toBe(true);
    expect(node(body, "model")).toEqual(node(decide, "model"));
    expect(toggleBypass(body, only("sum"))).toEqual({ nodes: decide.nodes, edges: decide.edges });
  });
});

describe("copying", () => {
  it("cuts the wires into a copy, or keeps them", () => {
    const clip = readClip(writeClip(decide, only("sum", "true")));
    if (clip.found === undefined) throw new Error(clip.problem);
    const cut = paste(decide, clip.found, { x: 10, y: 10 }, false);
    expect(cut.ids).toEqual(["sum_2", "true_2"]);
    expect(wires(cut.body).filter((wire) => wire.includes("_2"))).toEqual(["sum_2.result -> true_2.value"]);
    const kept = paste(decide, clip.found, { x: 10, y: 10 }, true);
    expect(wires(kept.body)).toContain("text.value -> sum_2.text");
    expect(errors({ ...decide, ...kept.body })).toEqual([]);
    expect(errors({ ...decide, ...duplicate(decide, only("sum", "true", "ask")).body })).toEqual([]);
  });

  it("refuses other texts", () => {
    for (const text of ["hello", "[]", "1", "null", '{"nodes":1}', JSON.stringify({ "nodes of a composition": 1, nodes: [{}], edges: [] })])
      expect(readClip(text).problem).toBeTypeOf("string");
  });
});

describe("modules", () => {
  it("collapses and expands to a graph that does the same", () => {
    const { body, ids } = collapse(decide, only("sum", "true"));
    const graph = { ...decide, ...body };
    expect(errors(graph)).toEqual([]);
    expect(graph.nodes).toHaveLength(decide.nodes.length - 1);
    const back = expand(graph, ids[0] ?? "");
    expect(wires(back.body)).toEqual(wires(decide));
    expect(back.body.nodes.map(({ id }) => id).toSorted()).toEqual(decide.nodes.map(({ id }) => id).toSorted());
  });

  it("leaves inputs and outputs where they are, and refuses what would wait for itself", () => {
    const { body } = collapse(decide, only("text", "sum", "out"));
    expect(node(body, "text")).toBeDefined();
    expect(refusalToCollapse(decide, only("text"))).toMatch(/no inputs or outputs/);
    expect(refusalToCollapse(decide, only("sum", "decide"))).toBe("Is it faithful? lies between them: the module would wait for itself.");
    expect(refusalToCollapse(decide, only("sum", "true", "decide"))).toBeUndefined();
  });

  it("works within a graph within", () => {
    const loop = example("agent-loop");
    const container = loop.nodes.find(({ body }) => body !== undefined);
    if (container?.body === undefined) throw new Error("no graph within");
    const inner = container.body.nodes.filter(({ kind }) => kind !== "input" && kind !== "output").map(({ id }) => id);
    const graph = changeAt(loop, [container.id], (body) => collapse(body, new Set(inner)).body);
    expect(errors(graph)).toEqual([]);
    expect(isSound(validateFlow(graph).problems)).toBe(true);
  });
});

describe("import, export, merging", () => {
  it("imports under new ids what was exported without secrets, or a bare graph", () => {
    const call = {
      ...newNode("http", { x: 0, y: 0 }),
      config: {
        method: "GET",
        url: "https://example.org",
        headers: { Authorization: "Bearer s3cret", Accept: "text/plain" },
        allowedHosts: ["example.org"],
        timeoutSeconds: 30,
      },
    } as never;
    const { graph } = withoutSecrets({ ...decide, ...addNode(decide, call).body });
    const text = JSON.stringify({ format: "syla.composition/1", name: "Given", description: "", graph, references: [], leftOut: [] });
    expect(text).not.toContain("s3cret");
    expect(text).toContain("text/plain");
    const [one, two] = [importGraph(text), importGraph(text)];
    if (one.found === undefined || two.found === undefined) throw new Error("not read");
    expect(one.found.nodes.map(({ id }) => id).filter((id) => two.found.nodes.some((other) => other.id === id))).toEqual([]);
    expect(errors(one.found).map(({ code }) => code)).toEqual(errors(graph).map(({ code }) => code));
    expect(importGraph(JSON.stringify(graph)).found?.nodes).toHaveLength(graph.nodes.length);
    expect(importGraph("{").problem).toBe("The text is no JSON.");
    expect(importGraph('{"format":7}').problem).toMatch(/format 1/);
  });

  it("puts two people's changes together, and names what both have changed", () => {
    const mine = { ...decide, ...setLabel(remove(decide, only("ok")), "sum", "Mine") };
    const theirs = { ...decide, ...addNode(setLabel(decide, "true", "Theirs"), newNode("note", { x: 0, y: 0 })).body };
    const { graph, clashes } = mergeGraphs(decide, mine, theirs);
    expect(clashes).toEqual([]);
    expect([node(graph, "sum")?.label, node(graph, "true")?.label, node(graph, "ok"), node(graph, "note")?.kind]).toEqual([
      "Mine",
      "Theirs",
      undefined,
      "note",
    ]);
    expect(errors(graph)).toEqual([]);
    const both = mergeGraphs(decide, mine, { ...decide, ...setLabel(decide, "sum", "Theirs") });
    expect(both.clashes).toEqual(["sum"]);
    expect(node(both.graph, "sum")?.label).toBe("Mine");
  });
});
