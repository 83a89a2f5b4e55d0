import { validateFlow, isSound } from "../src/validate.ts";
import { compileFlow, compileTold } from "../src/compile.ts";
import type { Json } from "../src/interpret.ts";
import { expect, test } from "vitest";
import { body, graph, node } from "./build.ts";
import { runTold, type ToldPass, type ToldTask } from "./python.ts";
import { RandomGraph } from "./random-graph.ts";
import { expectedOf } from "./stand-in.ts";

const runs = Number(process.env["SYLA_LONG_RUNS"] ?? 300);
const firstSeed = Number(process.env["SYLA_FLOW_SEED"] ?? 1);
const batch = 500;

function soundGraph(document: unknown) {
  const { graph: read, problems } = validateFlow(document);
  if (read === undefined || !isSound(problems)) throw new Error(`no sound graph: ${JSON.stringify(problems)}`);
  return read;
}

function toldTask(document: unknown, inputs: Record<string, Json>, plan: object = {}, times = 1): ToldTask {
  const { entry, source, nodes } = compileTold(soundGraph(document));
  const given = Object.fromEntries(entry.parameters.map(({ port, name }) => [name, inputs[port]]));
  const children = Object.keys(nodes).filter((path) => !path.includes("/"));
  return { source, name: entry.name, inputs: given, outputs: entry.outputs, plan: { nodes, children, ...plan }, times };
}

async function runOnce(document: unknown, inputs: Record<string, Json> = {}, plan: object = {}): Promise<ToldPass> {
  const [passes] = await runTold([toldTask(document, inputs, plan)]);
  const [pass] = passes ?? [];
  if (pass === undefined) throw new Error("no answer");
  return pass;
}

/** The last state of each node. */
function states(events: ToldPass["events"]): Record<string, string> {
  return Object.fromEntries(events.map(({ path, state }) => [path, state]));
}

const open = new Set(["pending", "running", "waiting"]);

test(`${runs} random graphs that are told of compute the same, and the second time ask no model`, async () => {
  let calls = 0;
  for (let from = 0; from < runs; from += batch) {
    const seeds = Array.from({ length: Math.min(batch, runs - from) }, (_, index) => firstSeed + from + index);
    const cases = seeds.map((seed) => {
      const { document, inputs } = new RandomGraph(seed).graph();
      return { seed, task: toldTask(document, inputs, {}, 2), expected: expectedOf(soundGraph(document), inputs) };
    });
    const answers = await runTold(cases.map(({ task }) => task));
    const wrong = cases.flatMap(({ seed, expected, task }, index) => {
      const [first, second] = answers[index] ?? [];
      calls += first?.calls ?? 0;
      const isSame = (pass: ToldPass | undefined) =>
        pass !== undefined &&
        ("outputs" in pass
          ? JSON.stringify(sorted(pass.outputs)) === JSON.stringify(sorted(expected))
          : expected === "fails" && pass.error === "ValueError: odd");
      const isWhole = (pass: ToldPass | undefined) => {
        const ends = states(pass?.events ?? []);
        return (
          Object.keys(task.plan.nodes).every((path) => path.includes("/") || ends[path] !== undefined) &&
          Object.values(ends).every((state) => !open.has(state))
        );
      };
      // What failed may be made again, with what lies in it.
      const asks = first?.events.some(({ error }) => error !== undefined) === true ? first.calls : 0;
      const isEnded = expected === "fails" || (isWhole(first) && isWhole(second));
      const isRight = isSame(first) && isSame(second) && isEnded && (second?.calls ?? 1) <= asks;
      return isRight ? [] : [{ seed, expected, first, second, source: task.source }];
    });
    expect(wrong.slice(0, 1)).toEqual([]);
  }
  expect(calls).toBeGreaterThan(runs / 2);
}, 3_600_000);

const python = (source: string, ...names: string[]) => ({ language: "python", source, inputs: names.map((name) => ({ name })) });

test("what is told of branches, of turns and of what is skipped", async () => {
  const inner = body(
    [
      node("item", "input", { name: "item", type: "int" }),
      node("odd", "code", { ...python("return item % 2 == 1", "item"), returns: "bool" }),
      node("if", "branch"),
      node("twice", "code", python("print('so', item)\nreturn item * 2", "item")),
      node("out", "output", { name: "doubled" }),
    ],
    "item.value -> odd.item",
    "item.value -> if.value",
    "odd.result -> if.condition",
    "if.then -> twice.item",
    "twice.result -> out.value",
  );
  const document = graph(
    [
      node("list", "input", { name: "list", type: "list[int]" }),
      node("each", "map", { concurrency: 1 }, { body: inner }),
      node("out", "output", { name: "all" }),
    ],
    "list.value -> each.items",
    "each.doubled -> out.value",
  );
  const pass = await runOnce(document, { list: [1, 2] });
  expect(pass).toMatchObject({ outputs: { all: [2, null] } });
  expect(states(pass.events)).toEqual({
    list: "succeeded",
    each: "succeeded",
    out: "succeeded",
    ...Object.fromEntries(["item", "odd", "if", "twice", "out"].map((id) => [`each[0]/${id}`, "succeeded"])),
    ...Object.fromEntries(["item", "odd", "if"].map((id) => [`each[1]/${id}`, "succeeded"])),
    "each[1]/twice": "skipped",
    "each[1]/out": "skipped",
  });
  expect(pass.printed).toBe("\u001b]6277;node=twice\u0007so 1\n");
  expect(pass.events.find(({ path, state }) => path === "each" && state === "succeeded")?.output).toBe('{"doubled": [2, null]}');
});

test("a node that fails says so, and so does what it lies in; nothing behind it has begun", async () => {
  const inner = body(
    [
      node("in", "input", { name: "a" }),
      node("bad", "code", python("raise ValueError('no ' + str(a))", "a")),
      node("out", "output", { name: "b" }),
    ],
    "in.value -> bad.a",
    "bad.result -> out.value",
  );
  const document = graph(
    [
      node("in", "input", { name: "a" }),
      node("module", "module", {}, { body: inner }),
      node("next", "code", python("return b", "b")),
      node("out", "output", { name: "c" }),
    ],
    "in.value -> module.a",
    "module.b -> next.b",
    "next.result -> out.value",
  );
  const pass = await runOnce(document, { a: 1 });
  expect(pass).toMatchObject({ error: "ValueError: no 1" });
  expect(states(pass.events)).toEqual({ in: "succeeded", module: "failed", "module/in": "succeeded", "module/bad": "failed" });
  expect(pass.events.flatMap(({ path, error }) => (error === undefined ? [] : [[path, error.message]]))).toEqual([
    ["module/bad", "no 1"],
    ["module", "module/bad failed: no 1"],
  ]);
});

const chain = graph(
  [
    node("in", "input", { name: "a", type: "int" }),
    node("first", "code", python("print('first')\nreturn a + 1", "a")),
    node("second", "code", python("print('second')\nreturn b * 10", "b")),
    node("third", "code", python("print('third')\nreturn c - 1", "c")),
    node("out", "output", { name: "d" }),
  ],
  "in.value -> first.a",
  "first.result -> second.b",
  "second.result -> third.c",
  "third.result -> out.value",
);
const printedBy = ({ printed }: ToldPass) => printed.match(/(?<=\u0007)\w+/g) ?? [];

test("a pinned result is taken as it is, a forced node runs anew, and what must be kept is not made", async () => {
  const pinned = await runOnce(chain, { a: 1 }, { pins: { second: { result: 7 } } });
  expect([pinned, printedBy(pinned)]).toMatchObject([{ outputs: { d: 6 } }, ["first", "third"]]);
  expect(pinned.events.find(({ path }) => path === "second")).toMatchObject({ state: "reused", pinned: true, output: '{"result": 7}' });
  const [passes] = await runTold([toldTask(chain, { a: 1 }, { forced: ["second", "third"] }, 2)]);
  expect(passes?.map(printedBy)).toEqual([
    ["first", "second", "third"],
    ["second", "third"],
  ]);
  expect(passes?.[1]?.events.find(({ path }) => path === "first")).toMatchObject({ state: "reused", source: "run_before" });
  const refused = await runOnce(chain, { a: 1 }, { required: ["first"] });
  expect(refused).toMatchObject({ error: expect.stringContaining("no result is kept of the node first") });
  expect(states(refused.events)).toMatchObject({ first: "failed" });
});

test("what no JSON gives back as it was is made again", async () => {
  const document = graph(
    [
      node("in", "input", { name: "a" }),
      node("pair", "code", python("print('first')\nreturn (a, 2)", "a")),
      node("use", "code", python("print('second')\nreturn list(p)", "p")),
      node("out", "output", { name: "d" }),
    ],
    "in.value -> pair.a",
    "pair.result -> use.p",
    "use.result -> out.value",
  );
  const [passes] = await runTold([toldTask(document, { a: 1 }, {}, 2)]);
  expect(passes?.map(printedBy)).toEqual([
    ["first", "second"],
    ["first", "second"],
  ]);
});

test("where somebody has to decide, it ends, and goes on from there when they have", async () => {
  const document = graph(
    [
      node("in", "input", { name: "a", type: "int" }),
      node("first", "code", python("print('first')\nreturn a", "a")),
      node("ask", "approval", { message: "Good?" }),
      node("second", "code", python("print('second')\nreturn b", "b")),
      node("out", "output", { name: "d" }),
    ],
    "in.value -> first.a",
    "first.result -> ask.value",
    "ask.approved -> second.b",
    "second.result -> out.value",
  );
  const waits = await runOnce(document, { a: 5 });
  expect(waits).toMatchObject({ error: "SystemExit: 75" });
  expect(states(waits.events)).toEqual({ in: "succeeded", first: "succeeded" });
  const approved = await runOnce(document, { a: 5 }, { decisions: { ask: "approved" } });
  expect(approved).toMatchObject({ outputs: { d: 5 } });
  const rejected = await runOnce(document, { a: 5 }, { decisions: { ask: "rejected" } });
  expect(rejected).toMatchObject({ outputs: { d: null } });
  expect(states(rejected.events)).toMatchObject({ second: "skipped", out: "skipped" });
});

test("the file that is exported has no hooks, and that of a node with such a name keeps out of their way", () => {
  const document = graph(
    [
      node("in", "input", { name: "a", type: "int" }),
      node("code", "code", { language: "python", source: "return a", inputs: [{ name: "a" }] }, { label: "Syla hooks" }),
      node("out", "output", { name: "b" }),
    ],
    "in.value -> code.a",
    "code.result -> out.value",
  );
  const { compiled } = compileFlow(document);
  expect(compiled?.source).toContain("def syla_hooks_2(a: Any)");
  expect(compiled?.source).not.toMatch(/import syla_hooks|syla_hooks\./);
  expect(compileTold(soundGraph(document)).source).toContain('syla_hooks.call("code", syla_hooks_2, a=a)');
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

test("nodes may be called as they like", async () => {
  const document = graph(
    [
      node("__proto__", "input", { name: "a" }),
      node("constructor", "code", python("return a", "a")),
      node("toString", "output", { name: "b" }),
    ],
    "__proto__.value -> constructor.a",
    "constructor.result -> toString.value",
  );
  const pass = await runOnce(document, { a: 1 });
  expect(pass).toMatchObject({ outputs: { b: 1 } });
  expect(pass.events.map(({ path }) => path).toSorted()).toEqual(["__proto__", "constructor", "constructor", "toString"]);
});

const tries = (source: string, onError: object) =>
  graph(
    [
      node("in", "input", { name: "a", type: "int" }),
      { ...node("bad", "code", { ...python(source, "a"), returns: "int" }), onError: { waitSeconds: 0, ...onError } },
      node("next", "code", python("return b + 1", "b")),
      node("out", "output", { name: "c" }),
    ],
    "in.value -> bad.a",
    "bad.result -> next.b",
    "next.result -> out.value",
  );
const toldOf = ({ events }: ToldPass, path: string) =>
  events.flatMap((event) => (event.path === path ? [[event.state, event.error?.message ?? event.output ?? ""]] : []));

test("a node that fails is tried again, and each time is told", async () => {
  const pass = await runOnce(tries('return syla_flaky("k", 2, a)', { retries: 2 }), { a: 4 });
  expect(pass).toMatchObject({ outputs: { c: 5 } });
  expect(toldOf(pass, "bad")).toEqual([
    ["running", ""],
    ["failed", "not yet"],
    ["running", ""],
    ["failed", "not yet"],
    ["running", ""],
    ["succeeded", '{"result": 4}'],
  ]);
  const line = (number: number) => `\u001b]6277;node=bad\u0007Attempt ${number} of 3 failed: RuntimeError('not yet')\n`;
  expect(pass.complaints).toBe(line(1) + line(2));
  const once = await runOnce(tries('return syla_flaky("k", 2, a)', { retries: 1 }), { a: 4 });
  expect(once).toMatchObject({ error: "RuntimeError: not yet" });
  expect(states(once.events)).toEqual({ in: "succeeded", bad: "failed" });
});

test("a fallback stands for the outputs, the failure is told beside it, and nothing of it is kept", async () => {
  const [passes] = await runTold([toldTask(tries("raise ValueError('no')", { retries: 1, fallback: { result: 8 } }), { a: 4 }, {}, 2)]);
  expect(passes?.map((pass) => ("outputs" in pass ? pass.outputs : pass.error))).toEqual([{ c: 9 }, { c: 9 }]);
  for (const pass of passes ?? []) {
    expect(toldOf(pass, "bad").map(([state]) => state)).toEqual(["running", "failed", "running", "succeeded"]);
    expect(pass.events.findLast(({ path }) => path === "bad")).toMatchObject({
      output: '{"result": 8}',
      error: { kind: "ValueError", message: "no" },
    });
  }
  expect(toldOf(passes?.[1] as ToldPass, "next")).toEqual([["reused", ""]]);
});

test("what lies in a graph that is tried again is made again, and is no result to be kept when something stood in for it", async () => {
  const inner = body(
    [
      node("in", "input", { name: "a" }),
      node("before", "code", python("print('before')\nreturn a", "a")),
      node("bad", "code", python('return syla_flaky("k", 1, a)', "a")),
      node("out", "output", { name: "b" }),
    ],
    "in.value -> before.a",
    "before.result -> bad.a",
    "bad.result -> out.value",
  );
  const around = (onError: object, within = inner) =>
    graph(
      [
        node("in", "input", { name: "a", type: "int" }),
        { ...node("module", "module", {}, { body: within }), onError: { waitSeconds: 0, ...onError } },
        node("out", "output", { name: "c" }),
      ],
      "in.value -> module.a",
      "module.b -> out.value",
    );
  const [passes] = await runTold([toldTask(around({ retries: 1 }), { a: 4 }, {}, 2)]);
  expect(passes?.map(printedBy)).toEqual([["before", "before"], []]);
  expect(passes?.[0]).toMatchObject({ outputs: { c: 4 } });
  expect(passes?.[1]).toMatchObject({ outputs: { c: 4 } });
  const failing = {
    ...inner,
    nodes: inner.nodes.map((each) => (each.id === "bad" ? { ...each, onError: { fallback: { result: 1 } } } : each)),
  };
  const [again] = await runTold([toldTask(around({ retries: 1 }, failing), { a: 4 }, {}, 2)]);
  expect(again?.map((pass) => toldOf(pass, "module").map(([state]) => state))).toEqual([
    ["running", "succeeded"],
    ["running", "succeeded"],
  ]);
});

test("who has to decide is asked within a graph that would be tried again", async () => {
  const inner = body(
    [node("in", "input", { name: "a" }), node("ask", "approval"), node("out", "output", { name: "b" })],
    "in.value -> ask.value",
    "ask.approved -> out.value",
  );
  const document = graph(
    [
      node("in", "input", { name: "a", type: "int" }),
      { ...node("module", "module", {}, { body: inner }), onError: { retries: 3, waitSeconds: 0, fallback: { b: 1 } } },
      node("out", "output", { name: "c" }),
    ],
    "in.value -> module.a",
    "module.b -> out.value",
  );
  expect(await runOnce(document, { a: 5 })).toMatchObject({ error: "SystemExit: 75" });
  expect(await runOnce(document, { a: 5 }, { decisions: { "module/ask": "approved" } })).toMatchObject({ outputs: { c: 5 } });
});
