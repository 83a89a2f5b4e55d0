import type { FlowBody, FlowEdge, FlowNode, FlowNodeOf } from "@syla/contracts/flow";
import type { Guard } from "../guards.ts";
import { Names, toSnakeCase } from "../names.ts";
import type { Planned } from "../planned.ts";
import { interfaceOf, outputsOf, type FlowPort } from "../ports.ts";
import type { FlowType } from "../types.ts";
import { annotationOf } from "./annotations.ts";
import {
  assignment,
  call,
  collection,
  comprehension,
  conditional,
  group,
  line,
  operation,
  parenthesized,
  render,
  tuple,
  type Doc,
} from "./doc.ts";
import type { PythonFile } from "./file.ts";
import { useProvided } from "./provided-functions.ts";
import { layOut, simple, type Statement } from "./lines.ts";
import { defineFunction, defineNode, docstringLines, samplerOf, titleOf, type NodeFunction } from "./node-functions.ts";
import { isSlowNode, type Plan } from "./plan.ts";
import { pyDict, pyLiteral, pyString } from "./strings.ts";

/** A function that was written for a graph. */
export interface BodyFunction extends NodeFunction {
  /** In the order in which they are returned: none, the value itself, or a tuple. */
  outputs: readonly FlowPort[];
}

/** What is written and how. */
export interface Writing {
  file: PythonFile;
  /** Whether what takes long is awaited, because somewhere in the file something goes on at the same time. */
  isAsync: boolean;
  /** Whether what goes on at the same time comes to its end before a failure is told, because a graph within may be tried again. */
  settles: boolean;
  /** Takes what is to be known of each node where the file tells of them while it runs; null: the file stands for itself. */
  planned: Planned | null;
  /** Writes the functions of a node with a graph within. */
  defineContainer: (writing: Writing, node: FlowNode, plan: Plan, path: readonly string[]) => NodeFunction;
}

/** How results are annotated: nothing, one, or a tuple of several. */
export function resultType(file: PythonFile, outputs: readonly { type: FlowType }[]): string {
  const types = outputs.map(({ type }) => file.annotate(annotationOf(type)));
  if (types.length > 3) return "tuple";
  return types.length === 0 ? "None" : types.length === 1 ? (types[0] ?? "None") : `tuple[${types.join(", ")}]`;
}

/** A function of the module that a told file tells by. */
export function hook(name: string): string {
  return `syla_hooks.${name}`;
}

/** Names on the left of `= await asyncio.gather(` that leave room for it within two levels of blocks. */
const longestTargets = 56;

/** Writes the function of one graph, and before it those of its nodes. */
export class BodyWriter {
  private readonly writing: Writing;
  private readonly plan: Plan;
  private readonly path: readonly string[];
  private readonly names: Names;
  /** What stands for a value, by node and port: a variable or a short literal. */
  private readonly values = new Map<string, string>();
  private readonly atoms = new Map<string, string>();
  private readonly statements: Statement[] = [];
  private readonly functions = new Map<string, NodeFunction>();

  constructor(writing: Writing, plan: Plan, path: readonly string[], own: string) {
    this.writing = writing;
    this.plan = plan;
    this.path = path;
    this.names = new Names(writing.file.names, [own]);
  }

  private get file(): PythonFile {
    return this.writing.file;
  }

  private get isTold(): boolean {
    return this.writing.planned !== null;
  }

  write(body: FlowBody, name: string, title: string, rootDefaults: boolean): BodyFunction {
    for (const node of this.plan.index.order) this.define(node);
    const { inputs, outputs } = interfaceOf(body);
    const parameters = this.parameters(body, inputs, rootDefaults);
    if (this.isTold) this.tellParameters(parameters);
    for (const step of this.plan.steps) this.step(step);
    const results = outputs.map(({ name: port }) => this.result(body, port));
    const isAsync = this.writing.isAsync && this.plan.isSlow;
    const head = [
      ...defineFunction(this.file, { name, parameters: sortDefaults(parameters), returns: resultType(this.file, outputs), isAsync }),
      ...docstringLines(title),
    ];
    const { lines, marks } = layOut([...this.statements, ...this.returns(body, results)]);
    const isEmpty = head.length + lines.length === 0 || (lines.length === 0 && head.at(-1)?.endsWith('"""') !== true);
    this.file.sections.push({
      lines: [...head, ...lines, ...(isEmpty ? ["    pass"] : [])],
      marks: [
        ...parameters.map(({ node }) => ({ path: this.path, node, from: 0, to: 0 })),
        ...marks.map(({ node, from, to }) => ({ path: this.path, node, from: from + head.length, to: to + head.length })),
      ],
    });
    return { name, parameters: new Map(parameters.map((each) => [each.port, each.name])), isAsync, positional: [], extra: [], outputs };
  }

  private tellParameters(parameters: readonly { node: string; name: string }[]): void {
    for (const { node, name } of parameters) {
      const found = this.plan.index.nodes.get(node);
      if (found !== undefined) this.add(found, simple(call(hook("value"), [pyString(node), name, "{}"])), "");
    }
  }

  /** The value itself, and where the file tells of its nodes what is said of it. `inputs`: by the name of the port. */
  private told(node: FlowNode, value: Doc, inputs: readonly (readonly [string, string])[]): Doc {
    if (!this.isTold) return value;
    return call(hook("value"), [pyString(node.id), value, pyDict(inputs.map(([port, text]) => [port, text]))]);
  }

  private define(node: FlowNode): void {
    const hasSampler = this.edgesOf(node).has("strategy");
    const inner = this.plan.inner.get(node.id);
    const found =
      inner === undefined || node.body === undefined
        ? defineNode(this.file, node, this.path, { isAsync: this.writing.isAsync, hasSampler, isTold: this.isTold })
        : this.writing.defineContainer(this.writing, node, inner, this.path);
    if (found !== undefined) this.functions.set(node.id, found);
    this.writing.planned?.note(node, this.path, found);
  }

  private parameters(body: FlowBody, inputs: readonly FlowPort[], rootDefaults: boolean) {
    const nodes = new Map(body.nodes.flatMap((node) => (node.kind === "input" ? [[node.config.name, node] as const] : [])));
    return inputs.map(({ name: port, type }) => {
      const node = nodes.get(port);
      const name = this.names.take(toSnakeCase(port, "value"));
      const given = rootDefaults ? node?.config.default : undefined;
      const isScalar = given !== undefined && (given === null || typeof given !== "object");
      if (node !== undefined) this.values.set(`${node.id} value`, name);
      return { port, name, type, node: node?.id ?? "", ...(isScalar ? { default: pyLiteral(given) as string } : {}) };
    });
  }

  private edgesOf(node: FlowNode): ReadonlyMap<string, FlowEdge> {
    return new Map((this.plan.index.into.get(node.id) ?? []).map((edge) => [edge.to.port, edge]));
  }

  private valueOf(edge: FlowEdge): string {
    return this.values.get(`${edge.from.node} ${edge.from.port}`) ?? "None";
  }

  private variable(node: FlowNode, port: string, suffix: string): string {
    const name = this.names.take(`${toSnakeCase(titleOf(node), node.kind)}${suffix}`);
    this.values.set(`${node.id} ${port}`, name);
    return name;
  }

  private guardText(guard: Guard): string {
    return guard.map(({ key }) => this.atoms.get(key) ?? "True").join(" and ");
  }

  private add(node: FlowNode, lines: Statement["lines"], guard = this.guardText(this.plan.guards.of(node.id))): void {
    this.statements.push({ node: node.id, guard, lines });
  }

  private step(step: readonly FlowNode[]): void {
    const [first] = step;
    if (step.length === 1 && first !== undefined) {
      this.node(first);
      return;
    }
    if (first === undefined) return;
    const calls = step.map((node) => this.callOf(node, false));
    const targets = step.map((node) => this.targetOf(node));
    const guard = this.guardText(this.plan.guards.of(first.id));
    const names = targets.map(({ target }): Doc => (target.length > 1 ? collection("(", target, ")") : target.join("")));
    const gathered: Doc = ["await ", call(this.gather(), calls)];
    const isShort = targets.flatMap(({ target }) => target).join(", ").length <= longestTargets;
    const together = isShort ? "" : this.names.take("gathered");
    const lines = isShort ? [assignment(names, gathered)] : [[`${together} = `, gathered], assignment(names, together)];
    this.statements.push({ node: first.id, guard, lines: simple(...lines) });
    for (const [index, node] of step.entries()) {
      this.statements.push({ node: node.id, guard, lines: simple(...(targets[index]?.after ?? [])) });
    }
  }

  private gather(): string {
    if (this.isTold) return hook("gather");
    if (this.writing.settles) useProvided(this.file, "gather");
    else this.file.use("asyncio");
    return this.writing.settles ? "gather" : "asyncio.gather";
  }

  /** The variables that take what a node gives, and what is to be done when they have it. */
  private targetOf(node: FlowNode): { target: string[]; after: Doc[] } {
    const ports = outputsOf(node, new Map());
    const base = toSnakeCase(titleOf(node), node.kind);
    const [only] = ports;
    if (node.kind === "map" && ports.length > 1) {
      const rows = this.names.take(`${base}_rows`);
      return {
        target: [rows],
        after: ports.map(({ name }, index): Doc => [
          `${this.variable(node, name, `_${toSnakeCase(name, "value")}`)} = `,
          comprehension(`row[${index}]`, [`for row in ${rows}`]),
        ]),
      };
    }
    if (only === undefined) return { target: [this.names.take(`${base}_done`)], after: [] };
    if (ports.length === 1) return { target: [this.variable(node, only.name, "_result")], after: [] };
    return { target: ports.map(({ name }) => this.variable(node, name, `_${toSnakeCase(name, "value")}`)), after: [] };
  }

  private callOf(node: FlowNode, isAlone: boolean): Doc {
    const found = this.functions.get(node.id);
    if (found === undefined) return "None";
    const edges = this.edgesOf(node);
    const fields = new Map(
      "inputs" in node.config
        ? node.config.inputs.map((field) => (typeof field === "string" ? [field, null] : [field.name, field.default ?? null]))
        : [],
    );
    const given = (port: string): Doc => {
      const edge = edges.get(port);
      return edge === undefined ? pyLiteral(fields.get(port) ?? this.innerDefault(node, port)) : this.valueOf(edge);
    };
    const named = [...found.parameters].map(([port, name]): Doc => [name, "=", given(port)]);
    const values = [...found.positional.map(given), ...named, ...found.extra];
    const isSlow = this.isSlow(node);
    const awaited = isAlone && this.writing.isAsync && isSlow ? "await " : "";
    if (this.isTold) return [awaited, this.toldCall(node, found, values, given)];
    const isAwaitable = this.writing.isAsync && isSlow;
    return [awaited, this.attempt(node, isAwaitable, this.plainCall(node, found, values, given, isAwaitable))];
  }

  private plainCall(node: FlowNode, found: NodeFunction, values: readonly Doc[], given: (port: string) => Doc, isAwaitable: boolean): Doc {
    if (node.kind === "map") return this.mapCall(node, found, given);
    if (!isAwaitable || found.isAsync) return call(found.name, values);
    this.file.use("asyncio");
    return call("asyncio.to_thread", [found.name, ...values]);
  }

  /** The call as often as the node may be tried, and what stands for its result then. */
  private attempt(node: FlowNode, isAwaitable: boolean, once: Doc): Doc {
    const { onError } = node;
    if (onError === undefined || (onError.retries === 0 && onError.fallback === undefined)) return once;
    const name = isAwaitable ? "attempt_async" : "attempt";
    useProvided(this.file, name);
    const { retries, waitSeconds, fallback } = onError;
    return call(name, [
      ["lambda: ", once],
      ...(retries === 0 ? [] : [`times=${retries + 1}`, `wait=${waitSeconds}`]),
      ...(fallback === undefined ? [] : [["fallback=lambda: ", fallbackOf(node, fallback)]]),
    ]);
  }

  /** The same call, made by the hooks: they may know its result already. */
  private toldCall(node: FlowNode, found: NodeFunction, values: readonly Doc[], given: (port: string) => Doc): Doc {
    const first = [pyString(node.id), found.name];
    if (node.kind === "map") {
      const item = found.parameters.get("item");
      const others = [...found.parameters].flatMap(([port, name]): Doc[] => (port === "item" ? [] : [[name, "=", given(port)]]));
      const items = [item === undefined ? "None" : pyString(item), given("items")];
      if (!found.isAsync) return call(hook("map_items"), [...first, ...items, ...others]);
      return call(hook("map_async"), [...first, ...items, String(node.config.concurrency), ...others]);
    }
    const way = !this.writing.isAsync || !this.isSlow(node) ? "call" : found.isAsync ? "call_async" : "call_in_thread";
    return call(hook(way), [...first, ...values]);
  }

  private innerDefault(node: FlowNode, port: string): unknown {
    const input = node.body?.nodes.find((each) => each.kind === "input" && each.config.name === port);
    return input?.kind === "input" ? (input.config.default ?? null) : null;
  }

  private mapCall(node: FlowNodeOf<"map">, found: NodeFunction, given: (port: string) => Doc): Doc {
    const item = this.names.take("item");
    const parameters = [...found.parameters].map(([port, name]): Doc => [name, "=", port === "item" ? item : given(port)]);
    const items = given("items");
    if (!found.isAsync) return comprehension(call(found.name, parameters), [`for ${item} in ${render(items, 0)}`]);
    if (this.writing.settles) useProvided(this.file, "gather");
    useProvided(this.file, this.writing.settles ? "map_settled" : "map_concurrently");
    return call("map_concurrently", [[`lambda ${item}: `, call(found.name, parameters)], items, `limit=${node.config.concurrency}`]);
  }

  private isSlow(node: FlowNode): boolean {
    return isSlowNode(node, this.plan.inner);
  }

  private node(node: FlowNode): void {
    if (this.functions.has(node.id)) {
      const value = this.callOf(node, true);
      const { target, after } = this.targetOf(node);
      const isUsed = outputsOf(node, new Map()).length > 0;
      this.add(node, simple(isUsed ? assignment(target, value) : value, ...after));
      return;
    }
    const edges = this.edgesOf(node);
    const value = (port: string): string | undefined => {
      const edge = edges.get(port);
      return edge === undefined ? undefined : this.valueOf(edge);
    };
    switch (node.kind) {
      case "branch":
        this.branch(node, value("condition") ?? "True", value("value"));
        break;
      case "approval":
        this.approval(node, value("value") ?? "None");
        break;
      case "merge":
        this.merge(node, edges);
        break;
      case "verifier":
        this.verifier(node, value("value") ?? "None");
        break;
      case "model":
        this.model(node);
        break;
      case "sampler":
        this.add(
          node,
          simple([this.variable(node, "strategy", "_strategy"), " = ", this.told(node, samplerOf(this.file, node.config), [])]),
        );
        break;
      case "context_read": {
        const source = value("context");
        const otherwise = pyLiteral(node.config.default);
        const read =
          source === undefined
            ? otherwise
            : call(`${source}.get`, [pyString(node.config.key), ...(otherwise === "None" ? [] : [otherwise])]);
        const inputs = source === undefined ? [] : [["context", source] as const];
        this.add(node, simple([this.variable(node, "value", "_value"), " = ", this.told(node, read, inputs)]));
        break;
      }
      case "context_write": {
        const before = value("context");
        const written = value("value") ?? "None";
        const entry: Doc = [pyString(node.config.key), ": ", written];
        const context = collection("{", before === undefined ? [entry] : [`**${before}`, entry], "}");
        const inputs = [["value", written] as const, ...(before === undefined ? [] : [["context", before] as const])];
        this.add(node, simple([this.variable(node, "context", "_context"), " = ", this.told(node, context, inputs)]));
        break;
      }
      default:
        break;
    }
  }

  private verifier(node: FlowNodeOf<"verifier">, value: string): void {
    const passed = verifierText(node.config, value);
    const target = [this.variable(node, "passed", "_passed")];
    this.add(node, simple(assignment(target, this.told(node, passed, [["value", value]]))));
  }

  private branch(node: FlowNode, condition: string, value: string | undefined): void {
    if (this.isTold) this.add(node, simple(call(hook("branch"), [pyString(node.id), condition, ...(value === undefined ? [] : [value])])));
    this.values.set(`${node.id} then`, value ?? "True");
    this.values.set(`${node.id} else`, value ?? "False");
    this.choose(node, condition, "then", "else");
  }

  private approval(node: FlowNodeOf<"approval">, value: string): void {
    const asked = this.names.take(`${toSnakeCase(titleOf(node), "approval")}_approved`);
    const message = node.config.message === "" ? titleOf(node) : node.config.message;
    if (!this.isTold) useProvided(this.file, "approve");
    const ask = this.isTold
      ? call(hook("approve"), [pyString(node.id), pyString(message), value])
      : call("approve", [pyString(message), value]);
    this.add(node, simple([`${asked} = `, ask]));
    this.values.set(`${node.id} approved`, value);
    this.values.set(`${node.id} rejected`, value);
    this.choose(node, asked, "approved", "rejected");
  }

  /** What tells which way a choice went. Where the choice itself may be skipped, that is a variable which is always there. */
  private choose(node: FlowNode, condition: string, yes: string, no: string): void {
    const guard = this.guardText(this.plan.guards.of(node.id));
    const used = new Set((this.plan.index.outOf.get(node.id) ?? []).map(({ from }) => from.port));
    for (const [port, test] of [
      [yes, condition],
      [no, `not ${condition}`],
    ] as const) {
      if (guard === "") this.atoms.set(`${node.id}:${port}`, test);
      else if (used.has(port)) {
        const name = this.names.take(`${toSnakeCase(titleOf(node), node.kind)}_${port}`);
        this.atoms.set(`${node.id}:${port}`, name);
        this.add(node, simple([`${name} = `, operation("and", [...guard.split(" and "), test])]), "");
      }
    }
  }

  private model(node: FlowNodeOf<"model">): void {
    const { provider, modelId, baseUrl, options } = node.config;
    this.file.use("mellea.stdlib.session", "start_session");
    const named: [string, number | undefined][] = [
      ["TEMPERATURE", options.temperature],
      ["MAX_NEW_TOKENS", options.maxTokens],
      ["SEED", options.seed],
    ];
    const chosen = named.flatMap(([name, value]): Doc[] => (value === undefined ? [] : [`ModelOption.${name}: ${String(value)}`]));
    if (chosen.length > 0) this.file.use("mellea.backends.model_options", "ModelOption");
    const started = call("start_session", [
      `backend_name=${pyString(provider)}`,
      `model_id=${pyString(modelId)}`,
      ...(chosen.length === 0 ? [] : [["model_options=", collection("{", chosen, "}")]]),
      ...(baseUrl === undefined ? [] : [`base_url=${pyString(baseUrl)}`]),
    ]);
    this.add(node, simple([this.variable(node, "model", "_session"), " = ", this.told(node, started, [])]));
  }

  private merge(node: FlowNodeOf<"merge">, edges: ReadonlyMap<string, FlowEdge>): void {
    this.mergeAtom(node);
    const own = new Set(this.plan.guards.of(node.id).map(({ key }) => key));
    const given = node.config.inputs.flatMap((port) => {
      const edge = edges.get(port);
      if (edge === undefined) return [];
      const guard = this.plan.guards.ofPort(edge.from.node, edge.from.port).filter(({ key }) => !own.has(key));
      return [{ value: this.valueOf(edge), condition: this.guardText(guard) }];
    });
    if (node.config.mode === "first") {
      const sure = given.findIndex(({ condition }) => condition === "");
      const last = sure === -1 ? given.length - 1 : sure;
      const first = conditional(given.slice(0, last), given[last]?.value ?? "None");
      this.add(node, simple([this.variable(node, "value", "_value"), " = ", this.told(node, first, [])]));
      return;
    }
    const isList = node.config.mode === "list";
    const all = isList ? this.variable(node, "value", "_values") : this.names.take(`${toSnakeCase(titleOf(node), "merge")}_values`);
    const sure = given.findIndex(({ condition }) => condition !== "");
    const first = sure === -1 ? given : given.slice(0, sure);
    const lines: Statement["lines"] = [
      {
        doc: [
          `${all} = `,
          collection(
            "[",
            first.map(({ value }) => value),
            "]",
          ),
        ],
        depth: 0,
      },
      ...given.slice(first.length).flatMap(({ value, condition }) =>
        condition === ""
          ? [{ doc: `${all}.append(${value})`, depth: 0 }]
          : [
              { doc: ["if ", operation("and", condition.split(" and ")), ":"], depth: 0 },
              { doc: `${all}.append(${value})`, depth: 1 },
            ],
      ),
    ];
    if (isList) {
      const told: Statement["lines"] = this.isTold ? [{ doc: [`${all} = `, this.told(node, all, [["values", all]])], depth: 0 }] : [];
      this.add(node, [...lines, ...told]);
      return;
    }
    const reduced =
      node.config.mode === "vote"
        ? call("max", [all, `key=${all}.count`])
        : call(node.config.reduce === "join" ? `"\\n".join` : node.config.reduce, [all]);
    const value = this.told(node, reduced, [["values", all]]);
    this.add(node, [...lines, { doc: assignment([this.variable(node, "value", "_value")], value), depth: 0 }]);
  }

  /** A merge that runs when one of several guards holds tells so by a variable. */
  private mergeAtom(node: FlowNode): void {
    const alternatives = this.plan.guards.alternatives(node.id);
    if (alternatives.length === 0) return;
    const name = this.names.take(`${toSnakeCase(titleOf(node), "merge")}_any`);
    const texts = alternatives.map((guard) => (guard.length > 1 ? `(${this.guardText(guard)})` : this.guardText(guard)));
    this.add(node, simple([`${name} = `, operation("or", texts)]), "");
    this.atoms.set(`${node.id}:value`, name);
  }

  private result(body: FlowBody, port: string): { text: string; condition: string } {
    const result = this.plainResult(body, port);
    const node = body.nodes.find((each) => each.kind === "output" && each.config.name === port);
    if (!this.isTold || node === undefined) return result;
    // What was skipped is not looked at: there may be no such variable.
    const given: Doc = result.condition === "" ? result.text : [`lambda: ${result.text}`, `, ${result.condition}`];
    const way = result.condition === "" ? "output" : "output_if";
    return { text: render(call(hook(way), [pyString(node.id), given]), 0).replaceAll("\n", " "), condition: "" };
  }

  private plainResult(body: FlowBody, port: string): { text: string; condition: string } {
    const node = body.nodes.find((each) => each.kind === "output" && each.config.name === port);
    const edge = node === undefined ? undefined : this.edgesOf(node).get("value");
    if (edge === undefined) return { text: "None", condition: "" };
    return { text: this.valueOf(edge), condition: this.guardText(this.plan.guards.ofPort(edge.from.node, edge.from.port)) };
  }

  private returns(body: FlowBody, results: readonly { text: string; condition: string }[]): Statement[] {
    const [first, ...more] = results;
    if (first === undefined) return [];
    const node = body.nodes.find(({ kind }) => kind === "output")?.id ?? "";
    const written = (result: typeof first): Doc =>
      result.condition === "" ? result.text : group(result.text, line, `if ${result.condition}`, line, "else None");
    const alone = first.condition === "" ? first.text : conditional([{ value: first.text, condition: first.condition }], "None");
    return [{ node, guard: "", lines: simple(["return ", more.length === 0 ? alone : tuple(results.map(written))]) }];
  }
}

/** What stands for the result of a node: what its function would have returned. */
function fallbackOf(node: FlowNode, fallback: Readonly<Record<string, unknown>>): Doc {
  const values = outputsOf(node, new Map()).map(({ name }) => fallback[name]);
  const [only] = values;
  if (values.length < 2) return pyLiteral(only);
  const row = (items: readonly unknown[]): Doc => collection("(", items.map(pyLiteral), ")");
  if (node.kind !== "map") return row(values);
  const rows = (only as unknown[]).map((_, index) => row(values.map((list) => (list as unknown[])[index])));
  return collection("[", rows, "]");
}

function sortDefaults<Item extends { default?: string }>(parameters: readonly Item[]): Item[] {
  return [...parameters.filter((each) => each.default === undefined), ...parameters.filter((each) => each.default !== undefined)];
}

function verifierText(config: FlowNodeOf<"verifier">["config"], value: string): Doc {
  const compare = (left: string, operator: string, right: string): Doc => parenthesized([left, line, `${operator} ${right}`]);
  switch (config.rule) {
    case "contains":
      return compare(pyString(config.text), "in", value);
    case "equals":
      return compare(value, "==", pyString(config.text));
    case "max_characters":
      return compare(`len(${value})`, "<=", String(config.limit));
    case "not_empty":
      return [value, " not in ", collection("(", ["None", '""', "[]", "{}"], ")")];
    case "requirement":
      return "True";
  }
}
