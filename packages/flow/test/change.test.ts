import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { hashGraph } from "../src/canonical.ts";
import { compileGraph } from "../src/compile.ts";
import { applyFix } from "../src/fixes.ts";
import { referenceOf, referencesOf, withoutReference } from "../src/references.ts";
import { renewIds } from "../src/renew-ids.ts";
import { replaceNode, updateModule } from "../src/replace-node.ts";
import { validateFlow } from "../src/validate.ts";
import { mapNodes, walkNodes } from "../src/walk.ts";
import { withoutSecrets } from "../src/without-secrets.ts";
import { body, graph, node } from "./build.ts";
import { RandomGraph } from "./random-graph.ts";
import { expectedOf } from "./stand-in.ts";

function read(document: unknown): FlowGraph {
  const { graph: found, problems } = validateFlow(document);
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
}

function counter(): () => string {
  let count = 0;
  return () => `new${(count += 1)}`;
}

const code = (id: string, inputs: string[], returns = "str") =>
  node(id, "code", { language: "python", source: "return 'x'", inputs: inputs.map((name) => ({ name, type: "str" })), returns });
const text = (name: string) => node(`in_${name}`, "input", { name, type: "str" });
const result = (name: string, type = "str") => node(`out_${name}`, "output", { name, type });
const inner = body([text("a"), code("c", ["a"]), result("b")], "in_a.value -> c.a", "c.result -> out_b.value");
const withModule = (config: object = {}, held = inner) =>
  read(graph([text("given"), node("m", "module", config, { body: held }), result("end")], "in_given.value -> m.a", "m.b -> out_end.value"));

test("every node is walked over, with where it lies", () => {
  const places = [...walkNodes(withModule())].map(({ path, node: { id } }) => [...path, id].join("/"));
  expect(places).toEqual(["in_given", "m", "m/in_a", "m/c", "m/out_b", "out_end"]);
});

test("nodes are changed inside first, and the graph that was given stays", () => {
  const given = withModule();
  const before = structuredClone(given);
  const seen: string[] = [];
  const changed = mapNodes(given, (each, path) => {
    seen.push([...path, each.id].join("/"));
    return { ...each, label: "L" };
  });
  expect(seen).toEqual(["in_given", "m/in_a", "m/c", "m/out_b", "m", "out_end"]);
  expect([...walkNodes(changed)].every(({ node: { label } }) => label === "L")).toBe(true);
  expect(given).toEqual(before);
});

test("random graphs do the same under other ids, and have none of the old ones", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { document, inputs } = new RandomGraph(seed).graph();
    const given = read(document);
    const renewed = renewIds(given, counter());
    expect({ seed, results: expectedOf(renewed, inputs) }).toEqual({ seed, results: expectedOf(given, inputs) });
    const old = new Set([...walkNodes(given)].map(({ node: { id } }) => id));
    expect([...walkNodes(renewed)].some(({ node: { id } }) => old.has(id))).toBe(false);
    expect(validateFlow(renewed).problems.length).toBe(validateFlow(given).problems.length);
    expect(renewIds(renewed, counter())).toEqual(renewed);
  }
});

test("a wire follows its nodes, and one that leads nowhere goes on to", () => {
  const held: FlowBody = read(graph([text("a"), result("b")], "in_a.value -> out_b.value", "gone.value -> out_b.value"));
  const { nodes, edges } = renewIds(held, counter());
  expect(edges.map(({ from, to }) => [from.node, to.node])).toEqual([
    [nodes[0]?.id, nodes[1]?.id],
    ["gone", nodes[1]?.id],
  ]);
});

test("what is used is listed, in graphs within as well, and can be left out", () => {
  const used = read(
    graph([
      node("p", "program", { program: { id: "prog_1" }, command: ["x"] }),
      node("s", "slot", { program: { id: "prog_1", version: "1.0.0" }, module: "main", name: "f" }),
      node("o", "model", { model: { id: "model_1" }, modelId: "m" }),
      node(
        "m",
        "module",
        { composition: { id: "comp_1" } },
        { body: body([node("q", "program", { program: { id: "prog_2" }, command: ["x"] })]) },
      ),
      code("c", []),
    ]),
  );
  expect(referencesOf(used).map(({ path, node: { id }, reference }) => [[...path, id].join("/"), reference])).toEqual([
    ["p", { kind: "program", id: "prog_1", version: null }],
    ["s", { kind: "program", id: "prog_1", version: "1.0.0" }],
    ["o", { kind: "model", id: "model_1", version: null }],
    ["m", { kind: "composition", id: "comp_1", version: null }],
    ["m/q", { kind: "program", id: "prog_2", version: null }],
  ]);
  const without = mapNodes(used, withoutReference);
  expect(referencesOf(without)).toEqual([]);
  expect(validateFlow(without).graph).toEqual(without);
  expect(without.nodes.every((each) => referenceOf(each) === undefined)).toBe(true);
});

test("another version of a module keeps the wires whose ports it has, and loses the others", () => {
  const given = withModule({ composition: { id: "comp_1", version: "1.0.0" } });
  const at = { path: [], node: "m" };
  const same = updateModule(given, at, { id: "comp_1", version: "1.1.0", graph: given.nodes[1]?.body ?? (inner as never) });
  expect(same).toMatchObject({ removed: [], graph: { nodes: [{}, { config: { composition: { id: "comp_1", version: "1.1.0" } } }, {}] } });
  expect(same.graph.edges).toEqual(given.edges);

  const other = read(
    graph([text("other"), code("c", ["other"], "int"), result("b", "int")], "in_other.value -> c.other", "c.result -> out_b.value"),
  );
  const { graph: changed, removed } = updateModule(given, at, { id: "comp_1", version: "2.0.0", graph: other });
  expect(removed.map(({ to }) => `${to.node}.${to.port}`)).toEqual(["m.a", "out_end.value"]);
  expect(changed.edges).toEqual([]);
  expect(validateFlow(changed).problems.map(({ code: each }) => each)).toEqual(["missing_input", "missing_input", "unreachable"]);
  expect(given.edges).toHaveLength(2);
  expect(updateModule(given, { path: [], node: "in_given" }, { id: "c", version: "1", graph: other })).toEqual({
    graph: given,
    removed: [],
  });
  expect(updateModule(given, { path: ["nowhere"], node: "m" }, { id: "c", version: "1", graph: other })).toEqual({
    graph: given,
    removed: [],
  });
});

test("a node within a graph is replaced there, and wires that did not fit before stay for people to see", () => {
  const given = withModule();
  const next = code("c", ["a", "b"]) as never;
  const { graph: changed, removed } = replaceNode(given, ["m"], { ...(next as object), label: "", position: { x: 0, y: 0 } } as never);
  expect(removed).toEqual([]);
  expect(changed.nodes[1]?.body?.nodes[1]).toMatchObject({ config: { inputs: [{ name: "a" }, { name: "b" }] } });
  expect(changed.nodes[1]?.body?.edges).toEqual(given.nodes[1]?.body?.edges);

  const wrong = read(
    graph([node("i", "input", { name: "n", type: "int" }), code("c", ["a"]), result("b")], "i.value -> c.a", "c.result -> out_b.value"),
  );
  const kept = replaceNode(wrong, [], { ...wrong.nodes[1], label: "Renamed" } as never);
  expect(kept.removed).toEqual([]);
  expect(kept.graph.edges).toEqual(wrong.edges);
});

test("fixes of what a graph uses are made", () => {
  const given = withModule({ composition: { id: "comp_1" } });
  const at = (fix: object) => ({ path: [] as string[], fix: fix as never });
  const detached = applyFix(given, at({ action: "detach_module", node: "m" }));
  expect(referencesOf(detached)).toEqual([]);
  expect(compileGraph(detached).source).toBe(compileGraph(given).source);
  expect(applyFix(given, at({ action: "update_module", node: "m", composition: "comp_1", version: "2.0.0" }))).toBe(given);
  const slot = read(
    graph([text("a"), node("s", "slot", { name: "f", module: "m", inputs: [{ name: "old", type: "str" }] })], "in_a.value -> s.old"),
  );
  const config = { ...slot.nodes[1]?.config, inputs: [{ name: "fresh", type: "str" }] };
  const mended = applyFix(slot, at({ action: "set_config", node: "s", config }));
  expect(mended.nodes[1]).toMatchObject({ config: { inputs: [{ name: "fresh" }] } });
  expect(mended.edges).toEqual([]);
  expect(applyFix(slot, at({ action: "set_config", node: "gone", config }))).toEqual(slot);
});

test("what has no secrets stays as it is, and means the same", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const given = read(new RandomGraph(seed).graph().document);
    const { graph: kept, removed } = withoutSecrets(given);
    expect({ seed, removed }).toEqual({ seed, removed: [] });
    expect(hashGraph(kept)).toBe(hashGraph(given));
  }
});

test("what looks secret is taken out wherever it is, and the rest is a graph still", () => {
  const planted = [
    "sk-ant-0123456789abcdefghijkl",
    "github_pat_0123456789abcdefghijABCDEFGHIJ",
    "AKIAABCDEFGHIJKLMNOP",
    "xoxb-0123456789-abcdef",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "hunter2hunter2",
    "pa55word",
  ];
  const [anthropic, github, aws, slack, hugging, jwt, pem, header, password] = planted;
  const given = read({
    ...graph([
      node(
        "h",
        "http",
        {
          url: `https://me:${password}@a.example/?token=${header}&q=1`,
          headers: { "X-Api-Key": header, "X-Trace": "on" },
          allowedHosts: ["a.example"],
        },
        { label: `uses ${aws}` },
      ),
      node("o", "model", { modelId: "m", baseUrl: `https://a.example/?access_token=${header}` }),
      node("i", "input", { name: "i", default: { deep: [{ key: github }] } }),
      node(
        "m",
        "module",
        {},
        {
          body: body([
            node("n", "note", { text: `${slack} and ${hugging}` }),
            node("c", "code", { language: "python", source: `return """${pem}"""`, inputs: [] }),
          ]),
        },
      ),
    ]),
    name: `Of ${anthropic}`,
    description: jwt,
  });
  const { graph: kept, removed } = withoutSecrets(given);
  const shown = JSON.stringify(kept);
  for (const word of planted) expect(shown).not.toContain(JSON.stringify(word).slice(1, -1));
  expect(shown).toContain("q=1");
  expect(validateFlow(kept).graph).toEqual(kept);
  expect(removed.map(({ path, node: id, field }) => [...path, id, field].join(" ")).toSorted()).toEqual(
    [
      "h config.headers.X-Api-Key",
      "h config.url",
      "h config.url",
      "h label",
      "i config.default.deep.0.key",
      "m c config.source",
      "m n config.text",
      "o config.baseUrl",
      " description",
      " name",
    ].toSorted(),
  );
});

test("a text that begins like a key again and again is looked through", () => {
  const long = ["-----BEGIN PRIVATE KEY-----\n".repeat(3500), "eyJ".repeat(30_000), "sk-".repeat(30_000), "Bearer ".repeat(14_000)];
  for (const description of long) {
    const given = read({ ...graph([node("n", "note", { text: description.slice(0, 100_000) })]) });
    expect(withoutSecrets(given).graph.nodes).toHaveLength(1);
  }
});
