import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { refusalOf } from "./assignable.ts";
import { interfaceOf, type FlowPort } from "./ports.ts";
import type { FlowProblem } from "./problems.ts";
import { boolean, isInner, none, printType } from "./types.ts";

type Found = Omit<FlowProblem, "path" | "severity">;

/** Names that a graph gives in and out twice, what the outside cannot give, and what nodes with a graph need of it. */
export function checkInterface(body: FlowBody, isRoot: boolean): Found[] {
  return [...checkNames(body), ...(isRoot ? checkOutside(body) : []), ...body.nodes.flatMap((node) => checkInner(node))];
}

function checkNames(body: FlowBody): Found[] {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const node of body.nodes) {
    if (node.kind !== "input" && node.kind !== "output") continue;
    const key = `${node.kind} ${node.config.name}`;
    if (seen.has(key))
      found.push({ code: "duplicate_name", node: node.id, message: `Another ${node.kind} is called ${JSON.stringify(node.config.name)}.` });
    seen.add(key);
  }
  return found;
}

function checkOutside(body: FlowBody): Found[] {
  const { inputs, outputs } = interfaceOf(body);
  const inner = new Set([...inputs, ...outputs].filter(({ type }) => isInner(type)).map(({ name }) => name));
  return body.nodes.flatMap((node): Found[] =>
    (node.kind === "input" || node.kind === "output") && inner.has(node.config.name)
      ? [{ code: "bad_interface", node: node.id, message: `${printable(node.config.type)} exists only inside a composition.` }]
      : [],
  );
}

function printable(type: string): string {
  return type.slice(0, 100);
}

function checkInner(node: FlowNode): Found[] {
  if (node.body === undefined) return [];
  const { inputs, outputs } = interfaceOf(node.body);
  const input = (name: string): FlowPort | undefined => inputs.find((port) => port.name === name);
  const output = (name: string): FlowPort | undefined => outputs.find((port) => port.name === name);
  const found: Found[] = [];
  const report = (message: string): void => void found.push({ code: "bad_interface", node: node.id, message });
  const mustBeTruth = (name: string): void => {
    const port = output(name);
    const reason = port === undefined ? undefined : refusalOf(port.type, boolean);
    if (reason !== undefined) report(`The output \`${name}\` says whether to stop: ${reason}.`);
  };
  const feedsBack = (port: FlowPort): void => {
    const back = input(port.name);
    const reason = back === undefined ? undefined : refusalOf(port.type, back.type);
    if (back !== undefined && reason !== undefined)
      report(`The output ${JSON.stringify(port.name)} goes back in as ${printType(back.type)}: ${reason}.`);
  };
  switch (node.kind) {
    case "map":
      if (input("item") === undefined) report("The graph of a map needs an input `item`.");
      if (outputs.length === 0) report("The graph of a map needs an output.");
      break;
    case "loop":
      if (outputs.every(({ name }) => name === "done")) report("The graph of a loop needs an output besides `done`.");
      mustBeTruth("done");
      for (const port of outputs) if (port.name !== "done") feedsBack(port);
      break;
    case "ivr": {
      if (output("passed") === undefined) report("The graph of instruct, validate, repair needs an output `passed`.");
      mustBeTruth("passed");
      const feedback = output("feedback");
      if (feedback !== undefined) feedsBack(feedback);
      const first = input("feedback");
      const reason = first?.isRequired === true ? refusalOf(none, first.type) : undefined;
      if (reason !== undefined) report(`The first time there is no \`feedback\`: ${reason}.`);
      break;
    }
    case "module":
      break;
    default:
      break;
  }
  return found;
}
