import { flowFallibleKinds } from "@syla/contracts/flow";
import { body as build, node as make, type RawBody, type RawNode } from "./build.ts";

/** Numbers that are the same for a seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Type = "int" | "bool" | "str" | "list[int]" | "Any" | "MelleaSession" | "Context" | "SamplingStrategy" | "sum";
interface Available {
  port: string;
  type: Type;
  isGuarded: boolean;
  /** Of a context: what was written into it. */
  keys?: readonly string[] | undefined;
}
interface Interface {
  inputs: { name: string; type: Type; keys?: readonly string[] | undefined }[];
  outputs: { name: string; type: Type; isSure: boolean }[];
}

/** What a code node of the tests computes: for a kind of operation its types, its Python and itself. */
export const operations: Record<string, { takes: Type[]; gives: Type; python: string; run: (...values: never[]) => unknown }> = {
  add: { takes: ["int", "int"], gives: "int", python: "return (a + b) % 997", run: (a: number, b: number) => (a + b) % 997 },
  multiply: {
    takes: ["int", "int"],
    gives: "int",
    python: "# Not too large.\nresult = a * b\nreturn result % 997",
    run: (a: number, b: number) => (a * b) % 997,
  },
  shrink: { takes: ["sum"], gives: "int", python: "return a % 997", run: (a: number) => a % 997 },
  less: { takes: ["int", "int"], gives: "bool", python: "return a < b", run: (a: number, b: number) => a < b },
  not: { takes: ["bool"], gives: "bool", python: "return not a", run: (a: boolean) => !a },
  choose: {
    takes: ["bool", "int", "int"],
    gives: "int",
    python: "if a:\n    return b\nreturn c",
    run: (a: boolean, b: number, c: number) => (a ? b : c),
  },
  numbers: {
    takes: ["int"],
    gives: "list[int]",
    python: "  return [(a + i) % 997 for i in range(a % 4)]",
    run: (a: number) => Array.from({ length: a % 4 }, (_, i) => (a + i) % 997),
  },
  halve: {
    takes: ["int"],
    gives: "int",
    python: 'if a % 2:\n    raise ValueError("odd")\nreturn a // 2',
    run: (a: number) => {
      if (a % 2 === 1) throw new Error("odd");
      return a / 2;
    },
  },
  size: { takes: ["list[int]"], gives: "int", python: "return len(a)", run: (a: number[]) => a.length },
  text: {
    takes: ["int"],
    gives: "str",
    python: 'text = """\n  a "quoted"\n"""\nreturn text + str(a)',
    run: (a: number) => `\n  a "quoted"\n${a}`,
  },
  letters: { takes: ["str"], gives: "int", python: "return len(a)  # )", run: (a: string) => Array.from(a).length },
};

/** What stands for an output of a type. */
const stands: Partial<Record<Type, unknown>> = {
  int: 11,
  bool: false,
  str: 'fell "back"',
  "list[int]": [4, 4],
  Any: { a: [null, 1.5] },
  sum: 12,
};

function fallbackFor(outputs: readonly (readonly [port: string, type: Type, ...unknown[]])[]): Record<string, unknown> | undefined {
  return outputs.every(([, type]) => type in stands) ? Object.fromEntries(outputs.map(([port, type]) => [port, stands[type]])) : undefined;
}

const fallible: ReadonlySet<string> = new Set(flowFallibleKinds);

const hostile = [
  "",
  "Summarise the text",
  "class",
  "print",
  'He said """hi"""',
  '"',
  "\\",
  "a\nb\r\nc",
  "'; import os #",
  "пaypal",
  "ａｂｃ",
  "\u202eevil",
  "\ud800",
  "🙂 🙂",
  "1st try",
  "main",
  "json",
  "self",
  "x".repeat(200),
  "{{a}} {b} %s",
  "_",
  "__init__",
  "result",
  "Ünïcödé",
  "async def f():",
  "\u0000\u0007",
  "session",
];
const portNames = ["x", "y", "class", "a b", 'q"uote', "ключ", "print", "🙂", "None", "__proto__"];

/** Builds one graph after another that has no errors. */
export class RandomGraph {
  private readonly random: (below: number) => number;
  private count = 0;
  /** How many failures, all in all, the graph that is being made gets over by being tried again. */
  private mayFail = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  private pick<Item>(items: readonly Item[]): Item {
    const item = items[this.random(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  private label(): { label: string } {
    return { label: this.pick(hostile) };
  }

  graph(): {
    document: RawBody & { format: 1; name: string; description: string };
    inputs: Record<string, number | boolean | string | number[]>;
  } {
    const ins: Interface["inputs"] = [];
    for (let left = 1 + this.random(4); left > 0; left -= 1)
      ins.push({ name: `${this.pick(portNames)}${ins.length}`, type: this.pick(["int", "bool", "str", "list[int]"]) });
    const { body } = this.body(ins, [], 0);
    const values = { int: 7, bool: true, str: 'ü"\n', "list[int]": [3, 1, 2] } as const;
    const inputs = Object.fromEntries(
      ins.map(({ name, type }) => {
        if (type === "int") return [name, this.random(997)];
        if (type === "bool") return [name, this.random(2) === 0];
        return [name, structuredClone(values[type as keyof typeof values])];
      }),
    ) as Record<string, number | boolean | string | number[]>;
    return { document: { format: 1, name: this.pick(hostile), description: this.pick(hostile), ...body }, inputs };
  }

  /** A graph with these inputs; outputs that are asked for are there, of their type, and surely have a value. */
  private body(inputs: Interface["inputs"], wanted: { name: string; type: Type }[], depth: number): { body: RawBody; face: Interface } {
    const nodes: RawNode[] = [];
    const edges: string[] = [];
    const available: Available[] = [];
    const id = (): string => `n${String.fromCharCode(97 + this.random(26))}${(this.count += 1)}`;
    for (const { name, type, keys } of inputs) {
      const input = id();
      nodes.push(make(input, "input", { name, type: type === "sum" ? "int" : type }, this.label()));
      available.push({ port: `${input}.value`, type, isGuarded: false, keys });
    }
    const find = (type: Type | null, isSure = false): Available | undefined => {
      const found = available.filter(
        (each) =>
          (type === null
            ? each.type !== "MelleaSession" && each.type !== "Context" && each.type !== "SamplingStrategy" && each.type !== "sum"
            : each.type === type) && !(isSure && each.isGuarded),
      );
      return found.length === 0 ? undefined : this.pick(found);
    };
    const connect = (
      node: RawNode,
      sources: readonly (readonly [Available, string])[],
      outputs: readonly (readonly [string, Type, boolean])[],
      isMerge = false,
    ): void => {
      this.sayOnError(node, outputs);
      nodes.push(node);
      for (const [from, port] of sources) edges.push(`${from.port} -> ${node.id}.${port}`);
      const isGuarded = isMerge ? sources.every(([from]) => from.isGuarded) : sources.some(([from]) => from.isGuarded);
      const keys = keysOf(node, sources);
      for (const [port, type, always] of outputs)
        available.push({ port: `${node.id}.${port}`, type, isGuarded: isGuarded || !always, keys });
    };
    const steps = 2 + this.random(depth === 0 ? 12 : 5);
    for (let step = 0; step < steps; step += 1) this.grow(depth, id, find, connect);
    const face: Interface = { inputs, outputs: [] };
    const outputs = [...wanted];
    // What nobody has used so far comes out first: else most of what is computed would never be compared.
    const used = new Set(edges.map((edge) => edge.slice(0, edge.indexOf(" "))));
    const inner: readonly Type[] = ["MelleaSession", "Context", "SamplingStrategy", "sum"];
    const unused = available.filter(({ port, type }) => !used.has(port) && !inner.includes(type));
    for (let left = wanted.length === 0 ? 2 + this.random(5) : this.random(4); left > 0; left -= 1)
      outputs.push({ name: `${this.pick(portNames)}-out${outputs.length}`, type: "Any" });
    for (const { name, type } of outputs) {
      const source = type === "Any" ? (unused.pop() ?? find(null)) : this.sure(type, id, find, connect);
      if (source === undefined) continue;
      const isSure = !source.isGuarded && source.type !== "Any";
      const shown = isSure ? source.type : "Any";
      const output = id();
      nodes.push(make(output, "output", { name, type: shown }, this.label()));
      edges.push(`${source.port} -> ${output}.value`);
      face.outputs.push({ name, type: shown, isSure });
    }
    // The order in which they are written means nothing.
    return {
      body: build(
        nodes.toSorted((a, b) => (a.id < b.id ? 1 : -1)),
        ...edges,
      ),
      face,
    };
  }

  /** Now and then a node that may fail says what happens then. */
  private sayOnError(node: RawNode, outputs: readonly (readonly [string, Type, boolean])[]): void {
    const mayFail = fallible.has(node.kind) && (node.kind !== "verifier" || "text" in node.config);
    const isLikely = "source" in node.config && node.config.source === operations["halve"]?.python ? 3 : 24;
    if (!mayFail || node.onError !== undefined || node.body !== undefined || this.random(isLikely) > 1) return;
    const isOfRule = node.kind === "verifier" && "rule" in node.config && node.config.rule !== "requirement";
    if (isOfRule) return;
    const fallback = this.random(3) === 0 ? undefined : fallbackFor(outputs);
    node.onError = { retries: this.random(3), waitSeconds: 0, ...(fallback === undefined ? {} : { fallback }) };
  }

  /** Something of a type that is surely there; made when there is nothing. */
  private sure(type: Type, id: () => string, find: Find, connect: Connect): Available {
    const found = find(type, true);
    if (found !== undefined) return found;
    const constants: Partial<Record<Type, string>> = {
      int: "return 5",
      bool: "return True",
      str: 'return "none"',
      "list[int]": "return [1, 2]",
    };
    const node = make(
      id(),
      "code",
      { language: "python", source: constants[type] ?? "return None", inputs: [], returns: type },
      { label: `constant ${type}` },
    );
    connect(node, [], [["result", type, true]]);
    return { port: `${node.id}.result`, type, isGuarded: false };
  }

  private grow(depth: number, id: () => string, find: Find, connect: Connect): void {
    const choice = this.random(depth < 3 ? 20 : 16);
    if (choice === 0 && this.random(2) === 0) this.flaky(id, find, connect);
    else if (choice < 4) this.code(id, find, connect);
    else if (choice < 7) this.choice(id, find, connect);
    else if (choice < 9) this.merge(id, find, connect);
    else if (choice < 11) this.context(id, find, connect);
    else if (choice < 12) this.verifier(id, find, connect);
    else if (choice < 16) this.ask(id, find, connect);
    else this.container(depth, id, find, connect);
  }

  private code(id: () => string, find: Find, connect: Connect): void {
    const name = this.pick(Object.keys(operations));
    const operation = operations[name];
    const sources = operation?.takes.map((type) => find(type)) ?? [];
    if (operation === undefined || sources.some((source) => source === undefined)) return;
    const letters = ["a", "b", "c"];
    const inputs = operation.takes.map((type, index) => ({ name: letters[index], type: type === "sum" ? "int" : type }));
    const node = make(
      id(),
      "code",
      { language: "python", source: operation.python, inputs, returns: operation.gives },
      { label: this.random(2) === 0 ? name : this.pick(hostile) },
    );
    connect(
      node,
      sources.flatMap((source, index) => (source === undefined ? [] : [[source, letters[index] ?? ""] as const])),
      [["result", operation.gives, true]],
    );
  }

  /** Fails at first, but not more often than it, or what it lies in, is tried again. */
  private flaky(id: () => string, find: Find, connect: Connect): void {
    const source = find("int");
    const isOwn = this.mayFail === 0 || this.random(2) === 0;
    const failures = isOwn ? 1 + this.random(2) : 1 + this.random(this.mayFail);
    if (source === undefined) return;
    if (!isOwn) this.mayFail -= failures;
    const name = id();
    const config = {
      language: "python",
      source: `return syla_flaky("${name}", ${failures}, a)`,
      inputs: [{ name: "a", type: "int" }],
      returns: "int",
    };
    const onError = { retries: isOwn ? failures + this.random(2) : 0, waitSeconds: 0 };
    connect({ ...make(name, "code", config, this.label()), onError }, [[source, "a"]], [["result", "int", true]]);
  }

  private choice(id: () => string, find: Find, connect: Connect): void {
    const condition = find("bool");
    if (condition === undefined) return;
    const value = this.random(4) === 0 ? undefined : find(null);
    const type = value?.type ?? "bool";
    connect(
      make(id(), "branch", {}, this.label()),
      [[condition, "condition"], ...(value === undefined ? [] : [[value, "value"] as const])],
      [
        ["then", type, false],
        ["else", type, false],
      ],
    );
  }

  private merge(id: () => string, find: Find, connect: Connect): void {
    const type = this.pick<Type | null>(["int", "str", "bool", null]);
    const sources = Array.from({ length: 1 + this.random(4) }, () => find(type)).filter((source) => source !== undefined);
    if (sources.length === 0) return;
    const modes =
      type === "int"
        ? ["first", "vote", "list", "sum", "min", "max"]
        : type === "str"
          ? ["first", "vote", "list", "join", "min", "max"]
          : ["first", "vote", "list"];
    const mode = this.pick(modes);
    const isReduced = !["first", "vote", "list"].includes(mode);
    const names = sources.map((_, index) => `${this.pick(portNames)}${index}`);
    const gives: Type = mode === "list" ? (type === "int" ? "list[int]" : "Any") : mode === "sum" ? "sum" : (type ?? "Any");
    const config = { mode: isReduced ? "reduce" : mode, ...(isReduced ? { reduce: mode } : {}), inputs: [...names, "unused"] };
    connect(
      make(id(), "merge", config, this.label()),
      sources.map((source, index) => [source, names[index] ?? ""] as const),
      [["value", gives, true]],
      true,
    );
  }

  private context(id: () => string, find: Find, connect: Connect): void {
    const before = find("Context");
    const value = find(null);
    const given = before === undefined ? [] : [[before, "context"] as const];
    const written = before?.keys ?? [];
    const key = written.length > 0 && this.random(4) > 0 ? this.pick(written) : this.pick(portNames);
    if (this.random(2) === 0 && value !== undefined)
      connect(make(id(), "context_write", { key }, this.label()), [[value, "value"], ...given], [["context", "Context", true]]);
    else
      connect(make(id(), "context_read", { key, default: this.pick<unknown>([null, 3, 'q"', [1], { a: true }]) }, this.label()), given, [
        ["value", "Any", true],
      ]);
  }

  private verifier(id: () => string, find: Find, connect: Connect): void {
    const rule = this.pick(["contains", "equals", "not_empty", "max_characters"]);
    const value = find(rule === "not_empty" ? null : "str");
    if (value !== undefined)
      connect(
        make(id(), "verifier", { rule, text: this.pick(hostile).replace("\ud800", ""), limit: this.random(9) }, this.label()),
        [[value, "value"]],
        [["passed", "bool", true]],
      );
  }

  private ask(id: () => string, find: Find, connect: Connect): void {
    const session = find("MelleaSession");
    if (session === undefined || this.random(8) === 0) {
      connect(
        make(id(), "model", { modelId: this.pick(hostile).slice(0, 9) || "m", options: { temperature: 0.5 } }, this.label()),
        [],
        [["model", "MelleaSession", true]],
      );
      return;
    }
    const value = find("str") ?? this.sure("str", id, find, connect);
    const sampler = find("SamplingStrategy");
    const kind = this.pick(["instruct", "slot", "verifier", "sampler"] as const);
    const text = this.pick(hostile).replace("\ud800", "");
    if (kind === "sampler") {
      connect(
        make(id(), "sampler", { strategy: this.pick(["rejection", "repair", "multi_turn", "majority"]) }, this.label()),
        [],
        [["strategy", "SamplingStrategy", true]],
      );
      return;
    }
    if (kind === "verifier") {
      connect(
        make(id(), "verifier", { rule: "requirement", text: `must ${text}` }, this.label()),
        [
          [value, "value"],
          [session, "model"],
        ],
        [["passed", "bool", true]],
      );
      return;
    }
    const sources = [
      [value, "text"],
      [session, "model"],
      ...(sampler === undefined || this.random(2) === 0 ? [] : [[sampler, "strategy"] as const]),
    ] as const;
    const inputs = [
      { name: "text", type: "str" },
      { name: "more", type: "int", default: 4 },
    ];
    const requirements = this.random(2) === 0 ? [] : [`not ${text}`, "short"];
    if (kind === "instruct")
      connect(make(id(), "instruct", { prompt: `Say ${text}: {{text}}`, inputs, requirements }, this.label()), sources, [
        ["result", "str", true],
      ]);
    else
      connect(
        make(
          id(),
          "slot",
          { name: `ask_${this.pick(["one", "two"])}_slot`, inputs, requirements, docstring: text, isAsync: this.random(4) === 0 },
          this.label(),
        ),
        sources,
        [["result", "str", true]],
      );
  }

  private container(depth: number, id: () => string, find: Find, connect: Connect): void {
    const kind = this.pick(["map", "loop", "ivr", "module"] as const);
    const extra = Array.from({ length: this.random(3) }, (_, index) => {
      const source = find(this.pick<Type>(["int", "bool", "str", "MelleaSession", "Context"]));
      return source === undefined ? undefined : { source, name: `${this.pick(portNames)}${index}`, type: source.type, keys: source.keys };
    }).filter((each) => each !== undefined);
    const sources = extra.map(({ source, name }) => [source, name] as const);
    const inputs: Interface["inputs"] = extra.map(({ name, type, keys }) => ({ name, type, keys }));
    const retries = this.random(3) === 0 ? 1 + this.random(2) : 0;
    const within = (...[ins, wanted, at]: Parameters<RandomGraph["body"]>) => {
      const before = this.mayFail;
      // What is tried again has failures of its own; else those of what it lies in are shared.
      if (retries > 0) this.mayFail = retries;
      const made = this.body(ins, wanted, at);
      if (retries > 0) this.mayFail = before;
      return made;
    };
    const done = (
      config: object,
      inner: { body: RawBody; face: Interface },
      outputs: readonly (readonly [string, Type, boolean])[],
      more: readonly (readonly [Available, string])[] = [],
    ): void => {
      const real = inner.face.outputs.map(({ name, type }) => [name, type] as const);
      const hidden = kind === "loop" ? "done" : kind === "ivr" ? "feedback" : "";
      const all = [...real.filter(([name]) => name !== hidden), ...(kind === "ivr" ? [["attempts", "int"] as const] : [])];
      const values = this.random(4) === 0 ? fallbackFor(all) : undefined;
      const fallback =
        values !== undefined && kind === "map"
          ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value, value]]))
          : values;
      const onError = { retries, waitSeconds: 0, ...(fallback === undefined ? {} : { fallback }) };
      const isSaid = retries > 0 || fallback !== undefined;
      connect(
        { ...make(id(), kind, config, { ...this.label(), body: inner.body }), ...(isSaid ? { onError } : {}) },
        [...sources, ...more],
        outputs,
      );
    };
    const passed = ({ face }: { face: Interface }, hidden: string): [string, Type, boolean][] =>
      face.outputs.filter(({ name }) => name !== hidden).map(({ name, type }) => [name, type, true]);
    if (kind === "map") {
      const items = find("list[int]");
      if (items === undefined) return;
      const inner = within(
        [...inputs, { name: "item", type: "int" }],
        this.random(2) === 0 ? [{ name: "made", type: "int" }] : [],
        depth + 1,
      );
      const outputs = inner.face.outputs.map(({ name, type }): [string, Type, boolean] => [
        name,
        type === "int" ? "list[int]" : "Any",
        true,
      ]);
      if (outputs.length > 0) done({ concurrency: 1 + this.random(3) }, inner, outputs, [[items, "items"]]);
    } else if (kind === "loop") {
      const state = inputs.filter(({ type }) => type === "int" || type === "bool" || type === "str").slice(0, 1 + this.random(2));
      const stops: Interface["inputs"] = this.random(3) === 0 ? [] : [{ name: "done", type: "bool" }];
      const inner = within(inputs, [...state, ...stops], depth + 1);
      if (inner.face.outputs.some(({ name }) => name !== "done")) done({ maxTurns: 1 + this.random(3) }, inner, passed(inner, "done"));
    } else if (kind === "ivr") {
      const feeds: Interface["inputs"] = this.random(2) === 0 ? [] : [{ name: "feedback", type: "Any" }];
      const inner = within([...inputs, ...feeds], [{ name: "passed", type: "bool" }, ...feeds], depth + 1);
      done({ loopBudget: 1 + this.random(3) }, inner, [...passed(inner, "feedback"), ["attempts", "int", true]]);
    } else {
      const inner = within(inputs, [], depth + 1);
      done({}, inner, passed(inner, ""));
    }
  }
}

/** What is in the context that a node gives. */
function keysOf(node: RawNode, sources: readonly (readonly [Available, string])[]): readonly string[] | undefined {
  if (node.kind !== "context_write" || !("key" in node.config)) return undefined;
  const before = sources.find(([, port]) => port === "context")?.[0].keys ?? [];
  return [...before, String(node.config.key)];
}

type Find = (type: Type | null, isSure?: boolean) => Available | undefined;
type Connect = (
  node: RawNode,
  sources: readonly (readonly [Available, string])[],
  outputs: readonly (readonly [string, Type, boolean])[],
  isMerge?: boolean,
) => void;
