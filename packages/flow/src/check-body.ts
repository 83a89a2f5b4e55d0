import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { refusalOf } from "./assignable.ts";
import { withoutBypassed } from "./bypass.ts";
import { checkConfig } from "./check-config.ts";
import { checkInterface } from "./check-interface.ts";
import { findGuards, type Guards } from "./guards.ts";
import { checkOnError } from "./on-error.ts";
import { findCycles, indexBody, type FlowIndex } from "./order.ts";
import { inputsOf, outputsOf, whenSkipped, type FlowPort } from "./ports.ts";
import type { FlowProblem } from "./problems.ts";
import { printType, type FlowType } from "./types.ts";

type Report = (problem: Omit<FlowProblem, "path" | "severity"> & { severity?: "warning" }) => void;

/** Everything that is wrong with a graph whose parts could be read, and with the graphs within. Near-linear in their size. */
export function checkBody(given: FlowBody, path: readonly string[]): FlowProblem[] {
  const body = withoutBypassed(given);
  const problems: FlowProblem[] = [];
  const report: Report = (problem) => problems.push({ severity: "error", path, ...problem });
  const index = indexBody(body);
  checkCycles(index, report);
  checkNodes(body, index, report);
  checkEdges(body, index, report);
  checkUse(index, report);
  for (const problem of checkInterface(body, path.length === 0)) report(problem);
  for (const node of body.nodes) if (node.body !== undefined) problems.push(...checkBody(node.body, [...path, node.id]));
  return problems;
}

function checkCycles(index: FlowIndex, report: Report): void {
  for (const cycle of findCycles(index)) {
    const shown = cycle.length > 20 ? `${cycle.slice(0, 20).join(", ")} and ${cycle.length - 20} more` : cycle.join(", ");
    const members = new Set(cycle);
    const edge = index.into.get(cycle[0] ?? "")?.find(({ from }) => members.has(from.node));
    const fix = edge === undefined ? {} : { fix: { action: "remove_edge", edge: edge.id } as const };
    report({
      code: "cycle",
      node: cycle[0] ?? "",
      message: `These nodes wait for each other: ${shown}. Repeat with a loop instead.`,
      ...fix,
    });
  }
}

function checkNodes(body: FlowBody, index: FlowIndex, report: Report): void {
  for (const node of body.nodes) {
    for (const message of checkConfig(node)) report({ code: "bad_config", node: node.id, message });
    if (node.kind === "http" && node.config.reuse === "always" && node.config.method !== "GET") {
      const message = `Later runs take the answer of this ${node.config.method} and do not send it again.`;
      report({ code: "reused_request", severity: "warning", node: node.id, message });
    }
    for (const message of checkOnError(node)) report({ code: "bad_on_error", node: node.id, message });
    const inputs = inputsOf(node);
    const given = new Set((index.into.get(node.id) ?? []).map(({ to }) => to.port));
    for (const name of repeated(inputs))
      report({ code: "duplicate_name", node: node.id, port: name, message: `Two inputs are called ${JSON.stringify(name)}.` });
    for (const name of repeated(outputsOf(node, new Map()))) {
      report({ code: "duplicate_name", node: node.id, port: name, message: `Two outputs are called ${JSON.stringify(name)}.` });
    }
    for (const { name, isRequired } of inputs) {
      if (isRequired && !given.has(name))
        report({ code: "missing_input", node: node.id, port: name, message: `The input ${JSON.stringify(name)} is not connected.` });
    }
    if (node.kind === "merge" && given.size === 0)
      report({ code: "missing_input", node: node.id, message: "Nothing is connected that could be merged." });
  }
}

function repeated(ports: readonly FlowPort[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of ports) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}

function checkEdges(body: FlowBody, index: FlowIndex, report: Report): void {
  const inputs = new Map(body.nodes.map((node) => [node.id, new Map(inputsOf(node).map((port) => [port.name, port]))]));
  const outputs = typesOf(index);
  const guards = findGuards(index);
  const taken = new Set<string>();
  for (const edge of body.edges) {
    const fix = { action: "remove_edge", edge: edge.id } as const;
    const missing = [edge.from.node, edge.to.node].filter((id) => !index.nodes.has(id));
    for (const id of missing)
      report({ code: "dangling_edge", edge: edge.id, message: `The edge leads to a node ${id} that is not there.`, fix });
    if (missing.length > 0) continue;
    const to = inputs.get(edge.to.node)?.get(edge.to.port);
    const from = outputs.get(edge.from.node)?.get(edge.from.port);
    const given = index.nodes.get(edge.from.node);
    if (to === undefined)
      report({
        code: "unknown_port",
        edge: edge.id,
        node: edge.to.node,
        port: edge.to.port,
        message: `There is no input ${JSON.stringify(edge.to.port)}.`,
        fix,
      });
    if (given !== undefined && from === undefined && !outputsOf(given, new Map()).some(({ name }) => name === edge.from.port)) {
      report({
        code: "unknown_port",
        edge: edge.id,
        node: edge.from.node,
        port: edge.from.port,
        message: `There is no output ${JSON.stringify(edge.from.port)}.`,
        fix,
      });
    }
    const end = `${edge.to.node} ${edge.to.port}`;
    if (taken.has(end))
      report({
        code: "port_taken",
        edge: edge.id,
        node: edge.to.node,
        port: edge.to.port,
        message: "An input takes one edge. Merge the values first.",
        fix,
      });
    taken.add(end);
    if (to !== undefined && from !== undefined) checkType(edge, from, to, index.nodes.get(edge.to.node), guards, report);
  }
}

function checkType(edge: FlowEdge, from: FlowType, to: FlowPort, target: FlowNode | undefined, guards: Guards, report: Report): void {
  // What leaves a graph is there in any case: None when the node before was skipped.
  const isOutput = target?.kind === "output";
  const given = isOutput && guards.ofPort(edge.from.node, edge.from.port).length > 0 ? whenSkipped(from) : from;
  const reason = refusalOf(given, to.type);
  if (reason === undefined) return;
  const fix = isOutput
    ? ({ action: "set_type", node: edge.to.node, type: printType(given) } as const)
    : ({ action: "remove_edge", edge: edge.id } as const);
  report({
    code: "type_mismatch",
    edge: edge.id,
    node: edge.to.node,
    port: edge.to.port,
    message: `${printType(given)} does not fit ${printType(to.type)}: ${reason}.`,
    fix,
  });
}

/** The types of all outputs, by node and port; of nodes on or after cycles none. */
export function typesOf(index: FlowIndex): Map<string, Map<string, FlowType>> {
  const types = new Map<string, Map<string, FlowType>>();
  for (const node of index.order) {
    const connected = new Map<string, FlowType>();
    for (const { from, to } of index.into.get(node.id) ?? []) {
      const type = types.get(from.node)?.get(from.port);
      if (type !== undefined) connected.set(to.port, type);
    }
    types.set(node.id, new Map(outputsOf(node, connected).map((port) => [port.name, port.type])));
  }
  return types;
}

/** Nodes whose result nobody gets. */
function checkUse(index: FlowIndex, report: Report): void {
  const used = new Set<string>();
  const queue = [...index.nodes.values()].filter(({ kind }) => kind === "output").map(({ id }) => id);
  if (queue.length === 0) {
    report({ code: "no_output", severity: "warning", message: "Nothing comes out of this graph. Add an output." });
    return;
  }
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (used.has(id)) continue;
    used.add(id);
    for (const { from } of index.into.get(id) ?? []) queue.push(from.node);
  }
  for (const { id, kind } of index.nodes.values()) {
    if (used.has(id) || kind === "note" || kind === "input") continue;
    report({
      code: "unreachable",
      severity: "warning",
      node: id,
      message: "No output gets what this node makes.",
      fix: { action: "remove_node", node: id },
    });
  }
}
