import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileFlow, type Compiled } from "../src/compile.ts";
import { body, graph, node, type RawNode } from "./build.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "syla-flow-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function compile(document: unknown): Compiled {
  const { compiled, problems } = compileFlow(document);
  if (compiled === undefined) throw new Error(JSON.stringify(problems));
  return compiled;
}

/** Runs a file as its user would: plain Python, nothing installed. */
async function run(document: unknown, input: string, argument = "-"): Promise<{ code: number; out: string; err: string }> {
  const path = join(folder, `${crypto.randomUUID()}.py`);
  await writeFile(path, compile(document).source);
  return new Promise((resolve) => {
    const child = execFile("python3", ["-W", "error", path, argument], { env: { ...process.env, PYTHONUTF8: "1" } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(input);
  });
}

const input = (name: string, type: string, more: object = {}): RawNode => node(`in-${name}`, "input", { name, type, ...more });
const output = (name: string, type: string): RawNode => node(`out-${name}`, "output", { name, type });
const double = node(
  "double",
  "code",
  { language: "python", source: "return 2 * x", inputs: [{ name: "x", type: "int" }], returns: "int" },
  { label: "Double it" },
);
const doubled = graph(
  [input("number", "int"), double, output("result", "int")],
  "in-number.value -> double.x",
  "double.result -> out-result.value",
);

test("a small graph is a small file", () => {
  expect(compile({ ...doubled, name: "Twice", description: "Doubles a number.\n\nThat is all." }).source).toBe(`"""Twice

Doubles a number.

That is all.
"""

import argparse
import json
import sys


def double_it(x: int) -> int:
    """Double it"""
    return 2 * x


def twice(number: int) -> int:
    """Twice"""
    double_it_result = double_it(x=number)
    return double_it_result


def main() -> None:
    """Read inputs, run the composition and print what comes out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "inputs",
        nargs="?",
        default="{}",
        help="a JSON object, or - to read it from standard input",
    )
    argument = parser.parse_args().inputs
    inputs = json.loads(sys.stdin.read() if argument == "-" else argument)
    missing = [name for name in ("number",) if name not in inputs]
    if missing:
        parser.error("missing inputs: " + ", ".join(missing))
    result = twice(number=inputs["number"])
    outputs = {"result": result}
    print(json.dumps(outputs, ensure_ascii=False, indent=2, default=str))


if __name__ == "__main__":
    main()
`);
});

test("the file reads JSON from its input or its argument, and prints JSON", async () => {
  expect(await run(doubled, '{"number": 21}')).toEqual({ code: 0, out: '{\n  "result": 42\n}\n', err: "" });
  expect(JSON.parse((await run(doubled, "", '{"number": 4}')).out)).toEqual({ result: 8 });
  const { code, err } = await run(doubled, "", "{}");
  expect(code).toBe(2);
  expect(err).toContain("missing inputs: number");
});

test("defaults of inputs are used, in the signature where Python allows it", async () => {
  const document = graph(
    [input("n", "int", { default: 3 }), input("xs", "list[int]", { default: [1, 2] }), output("n", "int"), output("xs", "list[int]")],
    "in-n.value -> out-n.value",
    "in-xs.value -> out-xs.value",
  );
  expect(compile(document).source).toContain("def example(xs: list[int], n: int = 3) -> tuple[int, list[int]]:");
  expect(JSON.parse((await run(document, "{}")).out)).toEqual({ n: 3, xs: [1, 2] });
});

test("a graph with an error is not compiled, one with warnings is", () => {
  expect(compileFlow(graph([output("a", "int")]))).toMatchObject({ compiled: undefined, problems: [{ code: "missing_input" }] });
  const warned = compileFlow(graph([input("a", "int")]));
  expect(warned.problems.map(({ code }) => code)).toEqual(["no_output"]);
  expect(warned.compiled).toBeDefined();
});

test("the order of a document means nothing for the file", () => {
  const turned = { ...doubled, nodes: doubled.nodes.toReversed(), edges: doubled.edges.toReversed() };
  expect(compile(turned)).toEqual(compile(doubled));
});

test("nodes are found by line and lines by node", () => {
  const document = graph(
    [
      input("xs", "list[int]"),
      node(
        "each",
        "map",
        {},
        {
          label: "Each",
          body: body([input("item", "int"), double, output("y", "int")], "in-item.value -> double.x", "double.result -> out-y.value"),
        },
      ),
      output("ys", "list[int]"),
    ],
    "in-xs.value -> each.items",
    "each.y -> out-ys.value",
  );
  const { source, lines } = compile(document);
  const shown = lines.map(({ path, node: id, from, to }) => [
    [...path, id].join("/"),
    source
      .split("\n")
      .slice(from - 1, to)
      .join("|")
      .trim(),
  ]);
  expect(shown).toEqual([
    ["each/double", 'def double_it(x: int) -> int:|    """Double it"""|    return 2 * x'],
    ["each/in-item", "def each(item: int) -> int:"],
    ["each/double", "double_it_result = double_it(x=item)"],
    ["each/out-y", "return double_it_result"],
    ["in-xs", "def example(xs: list[int]) -> list[int]:"],
    ["each", "each_result = [each(item=item) for item in xs]"],
    ["out-ys", "return each_result"],
  ]);
});

const flag = input("flag", "bool");
const constant = (id: string): RawNode =>
  node(id, "code", { language: "python", source: `return "${id}"`, inputs: [{ name: "given" }], returns: "str" }, { label: id });

test("nodes that run under the same condition share one `if`, and what is skipped is null", async () => {
  const document = graph(
    [flag, node("b", "branch"), constant("one"), constant("two"), constant("three"), output("last", "str | None"), output("other", "Any")],
    "in-flag.value -> b.condition",
    "b.then -> one.given",
    "one.result -> two.given",
    "b.else -> three.given",
    "two.result -> out-last.value",
    "three.result -> out-other.value",
  );
  expect(compile(document).source).toContain(`    if flag:
        one_result = one(given=True)
        two_result = two(given=one_result)
    if not flag:
        three_result = three(given=False)
    return two_result if flag else None, three_result if not flag else None
`);
  expect(JSON.parse((await run(document, '{"flag": true}')).out)).toEqual({ last: "two", other: null });
  expect(JSON.parse((await run(document, '{"flag": false}')).out)).toEqual({ last: null, other: "three" });
});

test("approval asks on the terminal and goes the way that was chosen", async () => {
  const document = graph(
    [
      input("text", "str", { default: "draft" }),
      node("ask", "approval", { message: 'Send "it"?' }),
      output("sent", "str | None"),
      output("kept", "str | None"),
    ],
    "in-text.value -> ask.value",
    "ask.approved -> out-sent.value",
    "ask.rejected -> out-kept.value",
  );
  const yes = await run(document, "y\n", "{}");
  expect(JSON.parse(yes.out)).toEqual({ sent: "draft", kept: null });
  expect(yes.err).toBe('Send "it"?\ndraft\nApprove? [y/N] ');
  expect(JSON.parse((await run(document, "\n", "{}")).out)).toEqual({ sent: null, kept: "draft" });
});

test("JavaScript runs in Node.js, and two of them at the same time", async () => {
  const script = (id: string, source: string): RawNode =>
    node(id, "code", { language: "javascript", source, inputs: [{ name: "x", type: "int" }], returns: "int" }, { label: id });
  const document = graph(
    [
      input("x", "int"),
      script("one", "console.log('noise');\nreturn x + 1;"),
      script("two", "await null;\nreturn `${x}\\n` ? x * 2 : 0;"),
      output("a", "int"),
      output("b", "int"),
    ],
    "in-x.value -> one.x",
    "in-x.value -> two.x",
    "one.result -> out-a.value",
    "two.result -> out-b.value",
  );
  expect(compile(document).source).toContain("one_result, two_result = await asyncio.gather(");
  expect(await run(document, '{"x": 5}')).toEqual({ code: 0, out: '{\n  "a": 6,\n  "b": 10\n}\n', err: "noise\n" });
});

test("programs get their inputs as JSON and answer with JSON", async () => {
  const command = ["python3", "-c", "import json, sys; print(json.dumps(json.load(sys.stdin)['a \"b\"'][::-1]))"];
  const document = graph(
    [
      input("text", "str"),
      node("p", "program", { command, inputs: [{ name: 'a "b"', type: "str" }], returns: "str" }),
      output("back", "str"),
    ],
    'in-text.value -> p.a "b"',
    "p.result -> out-back.value",
  );
  expect(JSON.parse((await run(document, '{"text": "äbc"}')).out)).toEqual({ back: "cbä" });
});

test("requests reach allowed hosts only, redirects included", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: "http://localhost.invalid/" }).end();
    else response.writeHead(request.method === "POST" ? 201 : 404).end(`${request.url} ${String(request.headers["x-a"])}`);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const asks = (method: string, path: string): object =>
    graph(
      [
        input("query", "dict[str, Any]"),
        node("get", "http", { method, url: `http://127.0.0.1:${port}${path}`, headers: { "X-A": "1" }, allowedHosts: ["127.0.0.1"] }),
        output("body", "str"),
        output("status", "int"),
      ],
      "in-query.value -> get.query",
      "get.body -> out-body.value",
      "get.status -> out-status.value",
    );
  try {
    expect(JSON.parse((await run(asks("GET", "/a"), '{"query": {"q": "ä b", "n": [1, 2]}}')).out)).toEqual({
      body: "/a?q=%C3%A4+b&n=1&n=2 1",
      status: 404,
    });
    expect(JSON.parse((await run(asks("POST", "/a?x=1"), '{"query": {"q": 1}}')).out)).toEqual({ body: "/a?x=1&q=1 1", status: 201 });
    const away = await run(asks("GET", "/away"), '{"query": {}}');
    expect(away.code).toBe(1);
    expect(away.err).toContain("PermissionError: this host is not allowed: localhost.invalid");
  } finally {
    server.close();
  }
});

test("spaces in strings of several lines stay as they are", async () => {
  const source = '    text = """a\n  b\n"""  # "\n    # \'\n    return (\n        text + \'\\\'#\' +\n      f"{x}")\n';
  const document = graph(
    [input("x", "int"), node("c", "code", { language: "python", source, inputs: [{ name: "x", type: "int" }] }), output("y", "Any")],
    "in-x.value -> c.x",
    "c.result -> out-y.value",
  );
  expect(JSON.parse((await run(document, '{"x": 1}')).out)).toEqual({ y: "a\n  b\n'#1" });
});

test("5,000 nodes in a row and side by side are compiled, and Python takes them", async () => {
  const size = 2490;
  const chain = Array.from({ length: size }, (_, index) => ({ ...double, id: `a${index}` }));
  const edges = chain.slice(1).map((_, index) => `a${index}.result -> a${index + 1}.x`);
  const side = Array.from({ length: size }, (_, index) => node(`b${index}`, "branch"));
  const gates = side.map(({ id }) => `in-flag.value -> ${id}.condition`);
  const document = graph(
    [flag, input("x", "int"), ...chain, ...side, output("y", "int")],
    "in-x.value -> a0.x",
    ...edges,
    `a${size - 1}.result -> out-y.value`,
    ...gates,
  );
  expect(JSON.parse((await run(document, '{"x": 0, "flag": true}')).out)).toEqual({ y: 0 });
});

const failing = (onError: object, source = "raise ValueError(a)"): object =>
  graph(
    [
      input("a", "int"),
      {
        ...node("bad", "code", { language: "python", source, inputs: [{ name: "a", type: "int" }], returns: "int" }, { label: "Bad" }),
        onError,
      },
      output("b", "int"),
    ],
    "in-a.value -> bad.a",
    "bad.result -> out-b.value",
  );

test("what is tried again, and what stands for a result, is a call of one function of the file", async () => {
  const document = failing({ retries: 2, waitSeconds: 0.01, fallback: { result: 7 } });
  expect(compile(document).source).toContain(`    bad_result = attempt(lambda: bad(a=a), times=3, wait=0.01, fallback=lambda: 7)
`);
  const error = "ValueError(3)";
  expect(await run(document, '{"a": 3}')).toEqual({
    code: 0,
    out: '{\n  "b": 7\n}\n',
    err: `Attempt 1 of 3 failed: ${error}\nAttempt 2 of 3 failed: ${error}\nAttempt 3 of 3 failed: ${error}\n`,
  });
  const { code, err } = await run(failing({ retries: 1, waitSeconds: 0 }), '{"a": 3}');
  expect([code, err.split("\n").filter((line) => /^(Attempt|ValueError)/.test(line))]).toEqual([
    1,
    [`Attempt 1 of 2 failed: ${error}`, `Attempt 2 of 2 failed: ${error}`, "ValueError: 3"],
  ]);
  // Nothing is written for a node that fails as every other one does.
  expect(compile(failing({ retries: 0 })).source).not.toContain("attempt");
});

test("the wait before each further attempt is twice as long", async () => {
  const { source } = compile(failing({ retries: 3, waitSeconds: 0.5 }));
  const path = join(folder, "waits.py");
  const told = "import time\nwaits = []\ntime.sleep = waits.append\ntry:\n    example(a=1)\nexcept ValueError:\n    print(waits)\n";
  await writeFile(path, `${source.replace(/\nif __name__[^]*$/, "\n")}${told}`);
  const out = await new Promise((resolve) => execFile("python3", [path], (_, stdout) => resolve(stdout)));
  expect(out).toBe("[0.5, 1.0, 2.0]\n");
});

test("a request that fails in a graph which is tried again ends, before that is done, with what goes on beside it", async () => {
  const script = (id: string, source: string): RawNode =>
    node(id, "code", { language: "javascript", source, inputs: [{ name: "x", type: "int" }], returns: "int" }, { label: id });
  const inner = body(
    [
      input("x", "int"),
      script("fails", "throw new Error('no')"),
      script("slow", "await new Promise((done) => setTimeout(done, 400));\nconsole.log('slow is done');\nreturn x;"),
      output("a", "int"),
      output("b", "int"),
    ],
    "in-x.value -> fails.x",
    "in-x.value -> slow.x",
    "fails.result -> out-a.value",
    "slow.result -> out-b.value",
  );
  const document = graph(
    [
      input("x", "int"),
      { ...node("m", "module", {}, { body: inner, label: "Both" }), onError: { retries: 1, waitSeconds: 0, fallback: { a: 1, b: 2 } } },
      output("a", "int"),
    ],
    "in-x.value -> m.x",
    "m.a -> out-a.value",
  );
  expect(compile(document).source).toContain("fallback=lambda: (1, 2)");
  const { out, err } = await run(document, '{"x": 5}');
  expect(JSON.parse(out)).toEqual({ a: 1 });
  const told = err.split("\n").filter((line) => /^(slow|Attempt)/.test(line));
  expect(told.map((line) => line.slice(0, 12))).toEqual(["slow is done", "Attempt 1 of", "slow is done", "Attempt 2 of"]);
});
