import type { CompositionRunInput } from "@syla/contracts/composition-runs";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { accepts } from "@syla/flow/accepts";
import { findPath, partOf, type Part } from "@syla/flow/part";
import { interfaceOf, outputsOf } from "@syla/flow/ports";
import { printType } from "@syla/flow/types";

/** The part of a composition that is to be run. @throws AppError `node_unknown` */
export function chosenPart(graph: FlowGraph, { until, from, only }: CompositionRunInput): Part {
  const part = partOf(graph, { until, from, only });
  if (part !== undefined) return part;
  for (const [name, path] of Object.entries({ until, from, only }))
    if (path !== undefined && findPath(graph, path) === undefined)
      throw new AppError("node_unknown", { fields: [{ path: name, message: `${path} is no node of the composition` }] });
  throw new AppError("node_unknown");
}

/** Inputs are those of the part, and of their types; what a part leaves out may be given all the same. @throws AppError `input_invalid` */
export function checkInputs(graph: FlowGraph, part: FlowGraph, inputs: CompositionRunInput["inputs"]): void {
  const known = new Set(interfaceOf(graph).inputs.map(({ name }) => name));
  const problems: FieldProblem[] = Object.keys(inputs)
    .filter((name) => !known.has(name))
    .map((name) => ({ path: `inputs.${name}`, message: "is no input of the composition" }));
  for (const { name, type, isRequired } of interfaceOf(part).inputs) {
    if (!Object.hasOwn(inputs, name)) {
      if (isRequired) problems.push({ path: `inputs.${name}`, message: `is missing: ${printType(type)}` });
    } else if (!accepts(type, inputs[name])) problems.push({ path: `inputs.${name}`, message: `is not ${printType(type)}` });
  }
  if (problems.length > 0) throw new AppError("input_invalid", { fields: problems });
}

/** Nodes whose results cannot be given: what goes which way is told by other values, and sessions are no JSON. */
const unpinnable: ReadonlySet<FlowNode["kind"]> = new Set(["branch", "model", "sampler", "output", "input", "note"]);

/** Pins are results of nodes. @throws AppError `node_unknown`, `input_invalid` */
export function checkPins(graph: FlowGraph, pins: CompositionRunInput["pins"]): void {
  for (const [path, outputs] of Object.entries(pins)) {
    const node = findPath(graph, path)?.at(-1);
    if (node === undefined)
      throw new AppError("node_unknown", { fields: [{ path: `pins.${path}`, message: "is no node of the composition" }] });
    const ports = outputsOf(node, new Map()).map(({ name }) => name);
    const given = Object.keys(outputs);
    const isWhole = node.kind === "approval" ? given.length === 1 : ports.every((port) => Object.hasOwn(outputs, port));
    const problem = unpinnable.has(node.kind)
      ? `cannot be given: it is a ${node.kind}`
      : given.some((port) => !ports.includes(port)) || !isWhole
        ? `needs ${node.kind === "approval" ? "one" : "each"} of ${ports.join(", ")}`
        : null;
    if (problem !== null) throw new AppError("input_invalid", { fields: [{ path: `pins.${path}`, message: problem }] });
  }
}
