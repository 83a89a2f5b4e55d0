import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { withoutBypassed } from "./bypass.ts";
import { walkNodes } from "./walk.ts";

/** By whom a result of a node may be taken again: by any later run with the same, by runs that go on from each other, by its own run alone. */
export type Reuse = "always" | "lineage" | "run";

const order: readonly Reuse[] = ["always", "lineage", "run"];

function ownReuse(node: FlowNode, hasNetwork: boolean): Reuse {
  switch (node.kind) {
    case "http":
      return node.config.reuse === "always" ? "always" : "run";
    case "code":
      return (node.config.reuse ?? (hasNetwork ? "never" : "always")) === "always" ? "always" : "run";
    case "program":
    case "approval":
      return "lineage";
    default:
      return "always";
  }
}

/** A graph is as its least reusable node. `hasNetwork`: whether code of the run reaches anything but the model gateway. */
export function reuseOf(node: FlowNode, hasNetwork: boolean): Reuse {
  const inner = node.body === undefined ? [] : withoutBypassed(node.body).nodes.map((each) => reuseOf(each, hasNetwork));
  return [ownReuse(node, hasNetwork), ...inner].reduce((least, each) => (order.indexOf(each) > order.indexOf(least) ? each : least));
}

/** Whether a composition lets its code reach something, as far as the graph says: by its requests. Programs of the catalog may add to that. */
export function reachesOut(graph: FlowBody): boolean {
  return [...walkNodes(graph)].some(({ node }) => node.kind === "http");
}

/** The paths of the nodes whose results no later run takes, as far as the graph says; of those in one that is named nothing is said. */
export function notReused(graph: FlowBody): string[] {
  const hasNetwork = reachesOut(graph);
  return withoutBypassed(graph).nodes.flatMap((node) => (reuseOf(node, hasNetwork) === "run" ? [node.id] : []));
}
