import type { FlowBody } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { compileTold } from "../src/compile.ts";
import { notReused, reuseOf } from "../src/reuse.ts";
import { validateFlow } from "../src/validate.ts";
import { body, graph, node, type RawNode } from "./build.ts";

const code = (id: string, more: object = {}) => node(id, "code", { language: "python", source: "return 1", ...more });
const http = (id: string, more: object = {}) => node(id, "http", { url: "https://example.org/", allowedHosts: ["example.org"], ...more });
const read = (...nodes: RawNode[]) => {
  const { graph: found, problems } = validateFlow(graph([...nodes, node("out", "output", { name: "z" })]));
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
};
const of = (drawn: FlowBody, id: string, hasNetwork: boolean) => {
  const found = drawn.nodes.find((each) => each.id === id);
  if (found === undefined) throw new Error(id);
  return reuseOf(found, hasNetwork);
};

test("requests are made anew, code where it has a network, and each as its node says", () => {
  const drawn = read(
    code("c"),
    code("never", { reuse: "never" }),
    code("always", { reuse: "always" }),
    http("h"),
    http("kept", { reuse: "always" }),
    node("p", "program", { command: ["x"] }),
    node("b", "branch"),
  );
  const all = (hasNetwork: boolean) => Object.fromEntries(drawn.nodes.map(({ id }) => [id, of(drawn, id, hasNetwork)]));
  const same = { never: "run", always: "always", h: "run", kept: "always", p: "lineage", b: "always", out: "always" };
  expect(all(false)).toEqual({ ...same, c: "always" });
  expect(all(true)).toEqual({ ...same, c: "run" });
});

test("a graph within is as its least reusable node that is not passed over", () => {
  const module = (...nodes: RawNode[]) => read(node("m", "module", {}, { body: body(nodes) }));
  expect(of(module(code("c")), "m", false)).toBe("always");
  expect(of(module(code("c"), node("p", "program", { command: ["x"] })), "m", false)).toBe("lineage");
  expect(of(module(node("p", "program", { command: ["x"] }), http("h")), "m", false)).toBe("run");
  const passed = { ...code("c", { reuse: "never", inputs: [{ name: "a" }] }), bypassed: true as const };
  expect(of(module(passed), "m", false)).toBe("always");
});

test("what is named as made anew follows from the requests of the graph", () => {
  expect(notReused(read(code("c")))).toEqual([]);
  expect(notReused(read(code("c"), node("m", "module", {}, { body: body([http("h")]) })))).toEqual(["c", "m"]);
});

test("whether a result is taken again changes neither what it is known by nor the file", () => {
  const keyOf = (...nodes: RawNode[]) => compileTold(read(...nodes)).nodes[nodes[0]?.id ?? ""]?.key;
  expect(keyOf(code("c", { reuse: "never" }))).toBe(keyOf(code("c")));
  const module = (reuse: object) => node("m", "module", {}, { body: body([code("c", reuse)]) });
  expect(keyOf(module({ reuse: "always" }))).toBe(keyOf(module({})));
  expect(compileTold(read(code("c", { reuse: "never" }))).source).toBe(compileTold(read(code("c"))).source);
});

test("whoever keeps the answer of a request that changes something is warned", () => {
  const warned = (more: object) =>
    validateFlow(read(http("h", more))).problems.flatMap(({ code: name }) => (name === "reused_request" ? [name] : []));
  expect([warned({ method: "POST", reuse: "always" }), warned({ reuse: "always" }), warned({ method: "POST" })]).toEqual([
    ["reused_request"],
    [],
    [],
  ]);
});
