import type { FlowNode, FlowNodeOf } from "@syla/contracts/flow";
import { Names, toSnakeCase } from "../names.ts";
import { interfaceOf, outputsOf } from "../ports.ts";
import type { FlowType } from "../types.ts";
import { BodyWriter, hook, resultType, type BodyFunction, type Writing } from "./body.ts";
import { assignment, call, render, tuple, type Doc } from "./doc.ts";
import type { PythonFile } from "./file.ts";
import { defineFunction, docstringLines, titleOf, type NodeFunction } from "./node-functions.ts";
import type { Plan } from "./plan.ts";
import { pyLiteral } from "./strings.ts";

/** Writes the function of a node with a graph within, and that graph's own. */
export function defineContainer(writing: Writing, node: FlowNode, plan: Plan, path: readonly string[]): NodeFunction {
  const { file } = writing;
  const name = file.names.take(toSnakeCase(titleOf(node), node.kind));
  const body = node.body ?? { nodes: [], edges: [] };
  const inner = [...path, node.id];
  if (node.kind !== "loop" && node.kind !== "ivr") {
    return new BodyWriter(writing, plan, inner, name).write(body, name, titleOf(node), false);
  }
  const word = node.kind === "loop" ? "turn" : "attempt";
  const turnName = file.names.take(`${name}_${word}`);
  const turn = new BodyWriter(writing, plan, inner, turnName).write(body, turnName, `One ${word}: ${titleOf(node)}`, false);
  return node.kind === "loop" ? defineLoop(writing, node, name, turn, path) : defineRepair(writing, node, name, turn, path);
}

interface Variables {
  /** Of what goes into a turn, by the name of the port. */
  given: (port: string) => string;
  /** Of what comes out. */
  made: (port: string) => string;
  names: Names;
}

/** Only what comes out of one turn and goes into the next has one variable for both. */
function nameVariables(file: PythonFile, turn: BodyFunction, repeats: (port: string) => boolean): Variables {
  const names = new Names(file.names);
  const inputs = new Map([...turn.parameters.keys()].map((port) => [port, names.take(toSnakeCase(port, "value"))]));
  const outputs = new Map(
    turn.outputs.map(({ name: port }) => [port, (repeats(port) ? inputs.get(port) : undefined) ?? names.take(toSnakeCase(port, "value"))]),
  );
  return { given: (port) => inputs.get(port) ?? "None", made: (port) => outputs.get(port) ?? "None", names };
}

function turnCall(turn: BodyFunction, { given, made }: Variables, isTold: boolean): Doc {
  const targets = turn.outputs.map(({ name }) => made(name));
  const values = [...turn.parameters].map(([port, name]): Doc => `${name}=${given(port)}`);
  const run = isTold ? call(hook(turn.isAsync ? "turn_async" : "turn"), [turn.name, ...values]) : call(turn.name, values);
  return assignment(targets, [turn.isAsync ? "await " : "", run]);
}

function at(depth: number, doc: Doc): string[] {
  return render(doc, depth * 4).split("\n");
}

interface Repetition {
  parameters: readonly { port: string; name: string; type: FlowType }[];
  before: readonly string[];
  head: string;
  turn: Doc;
  /** The variable that ends it; undefined when only the number of turns does. */
  stop: string | undefined;
  results: readonly string[];
}

function defineRepetition(
  writing: Writing,
  node: FlowNode,
  name: string,
  path: readonly string[],
  isAsync: boolean,
  parts: Repetition,
): NodeFunction {
  const returns = resultType(writing.file, outputsOf(node, new Map()));
  const lines = [
    ...defineFunction(writing.file, { name, parameters: parts.parameters, returns, isAsync }),
    ...docstringLines(titleOf(node)),
    ...parts.before,
    ...at(1, parts.head),
    ...at(2, parts.turn),
    ...(parts.stop === undefined ? [] : [...at(2, `if ${parts.stop}:`), ...at(3, "break")]),
    ...at(1, ["return ", tuple(parts.results)]),
  ];
  writing.file.sections.push({ lines, marks: [{ path, node: node.id, from: 0, to: lines.length - 1 }] });
  const parameters = new Map(parts.parameters.map((each) => [each.port, each.name]));
  return { name, parameters, isAsync, positional: [], extra: [] };
}

function defineLoop(writing: Writing, node: FlowNodeOf<"loop">, name: string, turn: BodyFunction, path: readonly string[]): NodeFunction {
  const variables = nameVariables(writing.file, turn, () => true);
  const { inputs } = interfaceOf(node.body ?? { nodes: [], edges: [] });
  return defineRepetition(writing, node, name, path, turn.isAsync, {
    parameters: inputs.map(({ name: port, type }) => ({ port, name: variables.given(port), type })),
    before: [],
    head: `for _ in range(${node.config.maxTurns}):`,
    turn: turnCall(turn, variables, writing.planned !== null),
    stop: turn.outputs.some((port) => port.name === "done") ? variables.made("done") : undefined,
    results: outputsOf(node, new Map()).map((port) => variables.made(port.name)),
  });
}

function defineRepair(writing: Writing, node: FlowNodeOf<"ivr">, name: string, turn: BodyFunction, path: readonly string[]): NodeFunction {
  const variables = nameVariables(writing.file, turn, (port) => port === "feedback");
  const attempts = variables.names.take("attempts");
  const body = node.body ?? { nodes: [], edges: [] };
  const inputs = interfaceOf(body).inputs.filter((port) => port.name !== "feedback");
  const first = body.nodes.find((each) => each.kind === "input" && each.config.name === "feedback");
  return defineRepetition(writing, node, name, path, turn.isAsync, {
    parameters: inputs.map(({ name: port, type }) => ({ port, name: variables.given(port), type })),
    before: first?.kind === "input" ? at(1, [`${variables.given("feedback")} = `, pyLiteral(first.config.default)]) : [],
    head: `for ${attempts} in range(1, ${node.config.loopBudget + 1}):`,
    turn: turnCall(turn, variables, writing.planned !== null),
    stop: variables.made("passed"),
    results: outputsOf(node, new Map()).map((port) => (port.name === "attempts" ? attempts : variables.made(port.name))),
  });
}
