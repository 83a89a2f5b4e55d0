import { flowKinds } from "@syla/contracts/flow-kinds";
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyFix } from "../src/fixes.ts";
import type { FlowProblemCode } from "../src/problems.ts";
import { isSound, validateFlow } from "../src/validate.ts";
import { body, graph, node } from "./build.ts";

const asked = node("in", "input", { name: "question", type: "str" });
const answered = node("out", "output", { name: "answer", type: "str" });
const code = (id: string, inputs: [string, string][] = [["a", "str"]], returns = "str") =>
  node(id, "code", { language: "python", source: "return a", inputs: inputs.map(([name, type]) => ({ name, type })), returns });
const sound = graph([asked, code("c"), answered], "in.value -> c.a", "c.result -> out.value");

test("a sound graph has no problems and gets its defaults", () => {
  const { problems, graph: read } = validateFlow(sound);
  expect(problems).toEqual([]);
  expect(read).toMatchObject({ format: 1, description: "", viewport: { x: 0, y: 0, zoom: 1 } });
});

const deep = (depth: number): ReturnType<typeof node> =>
  node("m", "module", {}, { body: depth === 0 ? body([code("x", [])]) : body([deep(depth - 1)]) });
const many = Array.from({ length: 5001 }, (_, index) => node(`n${index}`, "note"));

/** What is wrong, the graph, and where it is found: code, node, port or edge. */
const faulty: [string, unknown, FlowProblemCode, object][] = [
  ["no object", [1], "not_a_graph", {}],
  ["a newer format", { ...sound, format: 2 }, "unsupported_format", {}],
  ["no format", { nodes: [], edges: [] }, "unsupported_format", {}],
  ["an unknown field", { ...sound, owner: "x" }, "bad_field", {}],
  ["a viewport of zoom 0", { ...sound, viewport: { x: 0, y: 0, zoom: 0 } }, "bad_field", {}],
  ["no list of nodes", { format: 1, nodes: {}, edges: [] }, "bad_body", {}],
  ["a node that is a number", graph([1 as never]), "bad_node", {}],
  ["an unknown kind", graph([node("x", "teleport" as never)]), "unknown_kind", { node: "x", fix: { action: "remove_node", node: "x" } }],
  ["a kind like a property of objects", graph([node("x", "__proto__" as never)]), "unknown_kind", { node: "x" }],
  ["an id with quotes", graph([node('a"b', "note")]), "bad_node", { node: 'a"b' }],
  ["a configuration without its name", graph([node("x", "input")]), "bad_config", { node: "x" }],
  ["a configuration with a field too much", graph([node("x", "branch", { extra: 1 })]), "bad_config", { node: "x" }],
  [
    "two nodes of one id",
    graph([node("x", "note"), node("x", "note")]),
    "duplicate_id",
    { node: "x", fix: { action: "set_id", index: 1, id: "x-2" } },
  ],
  [
    "a label that turns around",
    graph([node("x", "note", {}, { label: "a\u202eb\nc" })]),
    "hostile_text",
    { node: "x", fix: { action: "set_label", node: "x", label: "ab c" } },
  ],
  ["an edge without ends", { ...sound, edges: [{ id: "e" }] }, "bad_edge", {}],
  ["an edge to nowhere", graph([asked], "in.value -> gone.a"), "dangling_edge", { edge: "e0", fix: { action: "remove_edge", edge: "e0" } }],
  [
    "an unknown input",
    graph([asked, code("c")], "in.value -> c.a", "in.value -> c.b"),
    "unknown_port",
    { edge: "e1", node: "c", port: "b" },
  ],
  ["an unknown output", graph([asked, code("c")], "in.other -> c.a"), "unknown_port", { edge: "e0", node: "in", port: "other" }],
  ["two edges into one input", graph([asked, code("c")], "in.value -> c.a", "in.value -> c.a"), "port_taken", { edge: "e1", port: "a" }],
  ["an input that is not connected", graph([code("c")]), "missing_input", { node: "c", port: "a" }],
  ["a merge of nothing", graph([node("m", "merge", { mode: "list", inputs: ["a"] })]), "missing_input", { node: "m" }],
  [
    "a type that does not fit",
    graph([asked, code("c", [["a", "int"]])], "in.value -> c.a"),
    "type_mismatch",
    { edge: "e0", node: "c", port: "a" },
  ],
  ["a cycle", graph([code("a"), code("b")], "a.result -> b.a", "b.result -> a.a"), "cycle", { message: expect.stringContaining("a, b") }],
  [
    "a node that waits for itself",
    graph([code("a")], "a.result -> a.a"),
    "cycle",
    { node: "a", fix: { action: "remove_edge", edge: "e0" } },
  ],
  ["two inputs of one name", graph([asked, { ...asked, id: "in2" }]), "duplicate_name", { node: "in2" }],
  [
    "two arguments of one name",
    graph([
      code("c", [
        ["a", "str"],
        ["a", "str"],
      ]),
    ]),
    "duplicate_name",
    { node: "c", port: "a" },
  ],
  [
    "a node that nobody uses",
    graph([...sound.nodes, code("d", [])], "in.value -> c.a", "c.result -> out.value"),
    "unreachable",
    { node: "d" },
  ],
  ["no output", graph([asked]), "no_output", {}],
  [
    "a session that should come from outside",
    graph([node("i", "input", { name: "m", type: "MelleaSession" })]),
    "bad_interface",
    { node: "i" },
  ],
  ["a map without a graph", graph([node("m", "map")]), "missing_body", { node: "m" }],
  ["a branch with a graph", graph([node("m", "branch", {}, { body: body([]) })]), "bad_node", { node: "m" }],
  ["a map over nothing", graph([node("m", "map", {}, { body: body([answered]) })]), "bad_interface", { node: "m" }],
  [
    "a loop whose end is a text",
    graph([node("l", "loop", {}, { body: body([node("d", "output", { name: "done", type: "str" })]) })]),
    "bad_interface",
    { node: "l" },
  ],
  [
    "a loop whose state changes its type",
    graph([
      node(
        "l",
        "loop",
        {},
        { body: body([node("i", "input", { name: "s", type: "int" }), node("o", "output", { name: "s", type: "str" })]) },
      ),
    ]),
    "bad_interface",
    { node: "l" },
  ],
  ["a repair that is never validated", graph([node("r", "ivr", {}, { body: body([answered]) })]), "bad_interface", { node: "r" }],
  [
    "a module within itself",
    graph([
      node(
        "m",
        "module",
        { composition: { id: "comp_1" } },
        { body: body([node("n", "module", { composition: { id: "comp_1" } }, { body: body([]) })]) },
      ),
    ]),
    "self_containing",
    { path: ["m"], node: "n" },
  ],
  ["a problem inside", graph([node("m", "module", {}, { body: body([code("c")]) })]), "missing_input", { path: ["m"], node: "c" }],
  ["graphs in graphs in graphs", graph([deep(13)]), "too_deep", { path: Array(12).fill("m"), node: "m" }],
  ["too many nodes", graph(many), "too_large", {}],
  [
    "code that would swallow what follows",
    graph([node("c", "code", { language: "python", source: 'return """' })]),
    "bad_config",
    { node: "c" },
  ],
  ["a variable called class", graph([code("c", [["class", "str"]])]), "bad_config", { node: "c" }],
  ["a variable of look-alike letters", graph([code("c", [["аbc", "str"]])]), "bad_config", { node: "c" }],
  [
    "a host that is not allowed",
    graph([node("h", "http", { url: "https://a.example/", allowedHosts: ["b.example"] })]),
    "bad_config",
    { node: "h" },
  ],
  [
    "a value that may be missing",
    graph(
      [asked, node("v", "verifier", { rule: "not_empty" }), node("b", "branch"), answered],
      "in.value -> v.value",
      "v.passed -> b.condition",
      "in.value -> b.value",
      "b.then -> out.value",
    ),
    "type_mismatch",
    { fix: { action: "set_type", node: "out", type: "str | None" } },
  ],
];

test.each(faulty)("%s is found", (_, document, code_, where) => {
  expect(validateFlow(document).problems).toContainEqual(
    expect.objectContaining({
      code: code_,
      path: [],
      ...where,
    }),
  );
});

test("a module must not hold the composition that it lies in", () => {
  const document = graph([node("m", "module", { composition: { id: "comp_1" } }, { body: body([]) })]);
  expect(validateFlow(document, "comp_1").problems.map(({ code: each }) => each)).toContain("self_containing");
  expect(validateFlow(document, "comp_2").problems.map(({ code: each }) => each)).not.toContain("self_containing");
});

test("all problems are listed, not only the first", () => {
  const document = graph([code("a"), code("b"), node("x", "input")], "gone.value -> a.a");
  expect(validateFlow(document).problems.map(({ code: each, node: id }) => `${each} ${id ?? ""}`.trim())).toEqual([
    "bad_config x",
    "missing_input a",
    "missing_input b",
    "dangling_edge",
    "no_output",
  ]);
});

test("a fix mends its problem and changes nothing else", () => {
  for (const [name, document, code_] of faulty) {
    const before = structuredClone(document);
    const problem = validateFlow(document).problems.find((each) => each.code === code_ && each.fix !== undefined);
    if (problem === undefined) continue;
    const mended = applyFix(document as never, problem);
    const key = (each: typeof problem) => JSON.stringify([each.code, each.node, each.edge, each.port]);
    const left = validateFlow(mended).problems.filter((each) => key(each) === key(problem));
    expect({ name, left }).toEqual({ name, left: [] });
    expect(document).toEqual(before);
  }
});

const hostileJson = fc.oneof(
  fc.json({ maxDepth: 6 }).map((text): unknown => JSON.parse(text)),
  fc.record(
    {
      format: fc.constantFrom<unknown>(1, 0, "1", null),
      nodes: fc.array(
        fc.record(
          {
            id: fc.constantFrom<unknown>("a", "b", "c", "", 1),
            kind: fc.constantFrom<unknown>(...flowKinds, "?", null),
            label: fc.string({ unit: "binary" }),
            config: fc.oneof(
              fc.constantFrom<unknown>(
                {},
                { name: "x" },
                { mode: "first", inputs: ["a"] },
                { prompt: "p", inputs: [{ name: "a", type: "list[" }] },
                { rule: "equals" },
                { language: "python", source: "x" },
                { url: "http://x", allowedHosts: ["x"] },
              ),
              fc.object({ maxDepth: 2 }),
            ),
            body: fc.constantFrom<unknown>(
              undefined,
              null,
              { nodes: [], edges: [] },
              { nodes: [{ id: "q", kind: "input", config: { name: "item" } }], edges: [{}] },
            ),
          },
          { requiredKeys: ["id", "kind"] },
        ),
        { maxLength: 6 },
      ),
      edges: fc.array(
        fc.record({
          id: fc.constantFrom("e", "f", "g", "h"),
          from: fc.record({ node: fc.constantFrom("a", "b", "c"), port: fc.constantFrom("value", "result", "then", "toString") }),
          to: fc.record({ node: fc.constantFrom("a", "b", "c"), port: fc.constantFrom("value", "a", "condition", "constructor") }),
        }),
        { maxLength: 6 },
      ),
    },
    { requiredKeys: [] },
  ),
);

test("any JSON is answered, never with an exception", () => {
  const check = fc.check(
    fc.property(hostileJson, (value) => {
      const { problems, graph: read } = validateFlow(value);
      return read !== undefined || !isSound(problems);
    }),
    { numRuns: 2000 },
  );
  expect(check.counterexample).toBeNull();
});

test("documents of any depth are answered", () => {
  let nested: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
  expect(
    validateFlow({ format: 1, nodes: [{ id: "a", kind: "input", config: { name: "a", default: nested } }], edges: [] }).problems[0]?.code,
  ).toBe("too_deep");
});

test("5,000 nodes in a row, all branches, and all on one cycle are no trouble", () => {
  const size = 4990;
  const chain = Array.from({ length: size }, (_, index) => code(`n${index}`));
  const edges = Array.from({ length: size - 1 }, (_, index) => `n${index}.result -> n${index + 1}.a`);
  expect(
    validateFlow(graph([asked, ...chain, answered], "in.value -> n0.a", ...edges, `n${size - 1}.result -> out.value`)).problems,
  ).toEqual([]);
  const cycle = validateFlow(graph(chain, ...edges, `n${size - 1}.result -> n0.a`)).problems;
  expect(cycle.find(({ code: each }) => each === "cycle")?.message).toContain("and 4970 more");
  const branches = Array.from({ length: size }, (_, index) => node(`n${index}`, "branch"));
  const start = node("in", "input", { name: "go", type: "bool" });
  const gates = branches.slice(1).flatMap((_, index) => [`in.value -> n${index + 1}.condition`, `n${index}.then -> n${index + 1}.value`]);
  const gated = validateFlow(graph([start, ...branches], "in.value -> n0.condition", ...gates));
  expect(gated.problems.map(({ code: each }) => each)).toEqual(["no_output"]);
});

test("what happens when a node fails is checked against its outputs", () => {
  const of = (onError: object, more: Partial<ReturnType<typeof node>> = {}) => {
    const made = node("c", "code", { language: "python", source: "return 1", inputs: [], returns: "int" });
    const document = graph([{ ...made, ...more, onError }, node("out", "output", { name: "a" })]);
    return validateFlow(document).problems.filter(({ node: id, severity }) => id === "c" && severity === "error");
  };
  const told = (...args: Parameters<typeof of>) => of(...args).map((problem) => `${problem.code}: ${problem.message}`);
  expect(told({ retries: 20, waitSeconds: 600, fallback: { result: 1 } })).toEqual([]);
  expect(told({ fallback: { result: 1.5 } })).toEqual(['bad_on_error: The fallback for "result" is not int.']);
  expect(told({ fallback: { other: 1 } })).toEqual([
    'bad_on_error: The fallback has a value for "other", which is no output.',
    'bad_on_error: The fallback has no value for the output "result".',
  ]);
  expect(told({ retries: 21 })[0]).toMatch(/^bad_node: onError.retries/);
  expect(told({ waitSeconds: -1 })[0]).toMatch(/^bad_node: onError.waitSeconds/);
  expect(told({ retry: 1 })[0]).toMatch(/^bad_node: onError/);
  const rule = (name: string) => ({ kind: "verifier", config: { rule: name, text: "short" } });
  expect(told({ retries: 1 }, rule("requirement")).filter((text) => text.startsWith("bad_on_error"))).toEqual([]);
  expect(told({ retries: 1 }, rule("contains"))).toContain(
    "bad_on_error: A rule that only computes does not fail: nothing can be done then.",
  );
  // What cannot fail says nothing of that.
  expect(told({ retries: 1 }, { kind: "branch", config: {} })[0]).toMatch(/^bad_node: .*onError/);
});

test("what stands for a graph within has all its outputs: lists of one length for a map, and nothing that is no JSON", () => {
  const inner = body(
    [
      node("i", "input", { name: "item", type: "int" }),
      node("a", "output", { name: "a", type: "int" }),
      node("b", "output", { name: "b", type: "int" }),
    ],
    "i.value -> a.value",
    "i.value -> b.value",
  );
  const of = (fallback: object) =>
    validateFlow(graph([{ ...node("m", "map", {}, { body: inner }), onError: { fallback } }])).problems.flatMap((problem) =>
      problem.code === "bad_on_error" ? [problem.message] : [],
    );
  expect(of({ a: [1, 2], b: [3, 4] })).toEqual([]);
  expect(of({ a: [1, 2], b: [3] })).toEqual(["The lists of the fallback are not of one length: each item of a map has all outputs."]);
  const session = body(
    [node("s", "input", { name: "s", type: "MelleaSession" }), node("o", "output", { name: "o", type: "MelleaSession" })],
    "s.value -> o.value",
  );
  const { problems } = validateFlow(graph([{ ...node("m", "module", {}, { body: session }), onError: { fallback: { o: null } } }]));
  expect(problems.flatMap((problem) => (problem.code === "bad_on_error" ? [problem.message] : []))).toEqual([
    'MelleaSession exists only inside a composition: the output "o" has no fallback.',
  ]);
});
